"""The layers, read from the imports."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import skcompress

ROOT = Path(skcompress.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
IDS = [str(path.relative_to(ROOT)) for path in MODULES]

BELOW = {
    "core": {"core"},
    "artifact": {"artifact"},
    "linear": {"linear", "core", "artifact"},
    "export": {"export", "artifact", "linear"},
    "_state": {"_version"},
    "_base": {"_state", "core", "artifact", "linear"},
    "_classifier": {"_base"},
    "pruning": {"_base", "_classifier", "linear"},
    "quantization": {"_base", "_classifier", "linear"},
    "distillation": {"_base", "linear"},
    "distillation_classifier": {"_classifier", "distillation"},
}
"""What each part of the package may import of the package; parts that are not listed are at the top."""

OUTSIDE = {
    "core": {"numpy", "scipy"},
    "artifact": {"numpy"},
    "linear": {"numpy", "scipy", "sklearn", "pandas"},
}
"""What the lower parts may import beside the standard library."""


def part_of(path):
    """The part of the package that a module belongs to: a folder, or a module at the top."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports_of(path):
    """Absolute names of the modules that a module imports anywhere in it."""
    package = ["skcompress", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            if node.level and module == "skcompress":
                yield from (f"skcompress.{alias.name}" for alias in node.names)
            else:
                yield module


def test_relative_imports_are_resolved():
    found = set(imports_of(ROOT / "linear" / "problem.py"))
    assert {"skcompress.core.gram", "skcompress.linear.view", "numpy"} <= found


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_module_imports_only_what_lies_below_it(path):
    allowed = BELOW.get(part_of(path))
    if allowed is None:
        return
    own = [name.split(".") for name in imports_of(path) if name.split(".")[0] == "skcompress"]
    assert {parts[1] for parts in own if len(parts) > 1} <= allowed
    assert ["skcompress"] not in own


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_lower_parts_import_only_the_packages_they_may(path):
    allowed = OUTSIDE.get(part_of(path))
    if allowed is None:
        return
    outside = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names) - {"skcompress"}
    assert outside <= allowed


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_nothing_private_of_scikit_learn_is_imported(path):
    private = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sklearn":
            private += [node.module] if any(part.startswith("_") for part in node.module.split(".")) else []
            private += [alias.name for alias in node.names if alias.name.startswith("_")]
        elif isinstance(node, ast.Import):
            private += [a.name for a in node.names if a.name.startswith("sklearn.") and "._" in a.name]
    assert private == []


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_module_is_short_and_documented(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(source)), "no module docstring"


@pytest.mark.parametrize("part", sorted(BELOW))
def test_every_part_in_the_table_exists(part):
    """A renamed part must not slip out of the table unnoticed; export may be still to come."""
    assert part == "export" or (ROOT / part).is_dir() or (ROOT / f"{part}.py").is_file()


@pytest.mark.parametrize("line", ["from skcompress.artifact import load", "import skcompress"])
def test_loading_a_compact_model_needs_numpy_alone(line):
    code = (
        f"import sys; {line}; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'sklearn', 'scipy', 'pandas', 'joblib'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", skcompress.__all__)
def test_public_name_is_importable_and_documented(name):
    value = getattr(skcompress, name)
    assert name in dir(skcompress)
    if name != "__version__":
        assert (value.__doc__ or "").strip()
        assert value.__module__.startswith("skcompress.")


def test_every_public_estimator_documents_each_of_its_parameters():
    for name in skcompress.__all__:
        value = getattr(skcompress, name)
        if hasattr(value, "_get_param_names"):
            head = value.__doc__.partition("Attributes\n")[0]
            undocumented = [param for param in value._get_param_names() if f" {param}" not in head]
            assert undocumented == [], name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute"):
        skcompress.__getattr__("PrunedNothing")


def test_every_module_can_be_imported():
    for path in MODULES:
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
