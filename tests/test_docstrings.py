"""The docstrings of the public names: whole in every class, with all parameters and fitted attributes."""

import inspect
import re

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

import skcompress

NAMES = sorted(name for name in skcompress.__all__ if name != "__version__")

TWINS = {
    ("PrunedRegressor", "PrunedClassifier"): {"estimator", "classes_", "loss_increase_"},
    ("QuantizedRegressor", "QuantizedClassifier"): {"estimator", "classes_", "loss_increase_"},
    ("DistilledRegressor", "DistilledClassifier"): {
        *("estimator", "teacher", "alpha", "debias", "cv"),  # stratified folds, log-odds and one Newton step
        *("temperature", "classes_"),
    },
    ("CompressedRegressorCV", "CompressedClassifierCV"): {"estimator", "cv", "classes_", "loss_increase_"},
}
"""What is documented in other words, or for one of the two alone."""

WRAPPERS = sorted(name for pair in TWINS for name in pair)

PROTOCOL = {"state_"}
"""What wrappers hand on to those around them."""


def sections_of(doc):
    """The sections of a numpydoc docstring, each with its text."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(doc), flags=re.MULTILINE)
    return {"Summary": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries_of(text):
    """The names of a section of parameters or attributes, each with its type and its words."""
    found = {}
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        head, _, words = entry.partition("\n")
        names, _, kind = head.partition(" : ")
        for name in filter(None, names.split(", ")):
            found[name.lstrip("*")] = kind.strip(), " ".join(words.split())
    return found


def documented(name):
    """What a class documents: parameters and attributes."""
    sections = sections_of(getattr(skcompress, name).__doc__)
    return {**entries_of(sections["Parameters"]), **entries_of(sections["Attributes"])}


@pytest.fixture(scope="module")
def fitted():
    """Every wrapper, fitted with what it does by default."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    Z, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    Z = (Z - Z.mean()) / Z.std()
    return {
        name: getattr(skcompress, name)().fit(*((Z, labels) if "Classifier" in name else (X, y))) for name in WRAPPERS
    }


def test_sections_and_entries_are_read():
    doc = """Do.

    Parameters
    ----------
    a, b : int, default=1
        Two
        lines.
    *c : str

    Returns
    -------
    d
    """
    sections = sections_of(doc)
    assert list(sections) == ["Summary", "Parameters", "Returns"]
    two = "int, default=1", "Two lines."
    assert entries_of(sections["Parameters"]) == {"a": two, "b": two, "c": ("str", "")}


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_left_to_another_page(name):
    value = getattr(skcompress, name)
    docs = [value.__doc__, *(m.__doc__ or "" for _, m in inspect.getmembers(value, inspect.isfunction) if _[0] != "_")]
    for doc in docs:
        assert not re.search(r"\bas in `|^\s+As in |^\s+See `\w+`\.$", doc, flags=re.MULTILINE | re.IGNORECASE)


@pytest.mark.parametrize("name", WRAPPERS)
def test_every_parameter_is_documented_with_its_type_and_default(name):
    signature = inspect.signature(getattr(skcompress, name)).parameters
    entries = entries_of(sections_of(getattr(skcompress, name).__doc__)["Parameters"])
    assert list(entries) == list(signature)
    for parameter, (kind, words) in entries.items():
        value = signature[parameter].default
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        assert re.search(rf"\S, default={re.escape(shown)}$", kind.replace("'", '"')), parameter
        assert words.endswith("."), parameter


@pytest.mark.parametrize("name", WRAPPERS)
def test_every_fitted_attribute_is_documented_with_its_type(name, fitted):
    kind = type(fitted[name])
    shown = [*vars(fitted[name]), *(a for a in dir(kind) if not inspect.isfunction(getattr(kind, a, None)))]
    public = {a for a in shown if a.endswith("_") and not a.startswith("_")} - PROTOCOL
    entries = entries_of(sections_of(kind.__doc__)["Attributes"])
    assert public <= set(entries)
    assert all(kind and words for kind, words in entries.values())
    assert np.ndim(fitted[name].coef_)


@pytest.mark.parametrize("pair", TWINS, ids="-".join)
def test_regressor_and_classifier_say_the_same_in_the_same_words(pair):
    regressor, classifier = map(documented, pair)
    differ = {name for name in {*regressor, *classifier} if regressor.get(name) != classifier.get(name)}
    assert differ == TWINS[pair]
