"""The docstrings of the public names: whole in every class, with all parameters and fitted attributes."""

import ast
import inspect
import re

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge

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
    """Every wrapper, fitted on a few rows; the teachers are quick ones."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    Z, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    Z = (Z - Z.mean()) / Z.std()
    teachers = {"DistilledRegressor": {"teacher": Ridge()}, "DistilledClassifier": {"teacher": LogisticRegression()}}
    found = {}
    for name in WRAPPERS:
        rows, target = (Z.iloc[:200, :4], labels[:200]) if "Classifier" in name else (X.iloc[:200, :4], y[:200])
        found[name] = getattr(skcompress, name)(**teachers.get(name, {})).fit(rows, target)
    return found


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
        said, _, default = kind.rpartition(", default=")
        assert said, parameter
        assert ast.literal_eval(default) == value, parameter
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


OPTIONAL = {"to_onnx", "register_skl2onnx"}
"""Names whose examples need an extra, and are shown without being run."""


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_and_its_neighbours(name):
    sections = sections_of(getattr(skcompress, name).__doc__)
    neighbours = entries_of(sections["See Also"])
    assert {other.removeprefix("skcompress.").split(".")[0] for other in neighbours} <= set(NAMES)
    assert name not in neighbours
    assert (">>> " in sections["Examples"]) == (name not in OPTIONAL)
    assert name in sections["Examples"] or name in {"ChangeReport", "MaxChange", "SelectionStability"}


@pytest.mark.parametrize("name", [name for name in NAMES if inspect.isfunction(getattr(skcompress, name))])
def test_every_function_documents_its_parameters_and_what_it_returns(name):
    function = getattr(skcompress, name)
    signature = inspect.signature(function).parameters
    sections = sections_of(function.__doc__)
    entries = entries_of(sections.get("Parameters", ""))
    assert list(entries) == list(signature)
    for parameter, (kind, words) in entries.items():
        value = signature[parameter].default
        if signature[parameter].kind is inspect.Parameter.VAR_KEYWORD:
            continue
        assert kind, parameter
        assert words, parameter
        if value is not inspect.Parameter.empty:
            assert ast.literal_eval(kind.rpartition("default=")[2]) == value, parameter
    assert ("Returns" in sections) == (inspect.signature(function).return_annotation != "None")
