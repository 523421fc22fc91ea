"""The layers, and the order inside them, read from the imports.

Imports count wherever they are: at the top, in a function, or for types alone.
"""

import ast
import importlib
import subprocess
import sys
from collections import defaultdict
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
    "_base": {"_version", "core", "artifact", "linear"},
    "_classifier": {"_base"},
    "pruning": {"_base", "_classifier", "linear"},
    "quantization": {"_base", "_classifier", "linear"},
    "distillation": {"_base", "_classifier", "linear"},
    "scorecard": {"scorecard", "_version", "core", "artifact", "linear"},
    "model_selection": {
        "model_selection",
        "_base",
        "_classifier",
        "pruning",
        "quantization",
        "core",
        "artifact",
        "linear",
    },
    "inspection": {
        "inspection",
        "model_selection",
        "pruning",
        "_base",
        "_version",
        "export",
        "core",
        "artifact",
        "linear",
    },
    "privacy": {"core", "linear"},
    "inputs": {"core", "linear"},
    "shipping": {"artifact", "linear"},
    "persistence": {"_base", "linear"},
    "onnx_converters": {"distillation", "pruning", "quantization", "model_selection", "linear"},
}
"""What each part of the package may import of the package; parts that are not listed are at the top."""

ORDER = {
    "core": """
        . linalg
        | checks row_blocks grids.box subset.rounding_error
        | gram grids.grid
        | grids moments systems
        | quadratic
        | resampling units unseen rounding.hessian subset.curvature
        | rounding.integer_least_squares subset.forward subset.relaxation
        | rounding.elementwise rounding.nearest_plane subset.backward subset.swap_state
        | rounding.descent subset.block_moves subset.columns
        | rounding.lattice subset.blocks subset.stacked
        | rounding.exact subset.problem
        | rounding subset.profile
        | scales subset.nested subset.swap
        | scale_search subset.exact
        | codebooks subset subset.signed
        | sharing substitutes subset.signed_columns
        | budget subset.signed_units
        | options
        | quantizing selection
        | criterion pruned
        | pruning
    """,
    "linear": """
        . lineage losses rows state transformers.graph
        | transformers.registry view
        | containers transformers.columnwise transformers.encoders transformers.expansions transformers.pipelines
          transformers.texts
        | column_names curvature fitting integer_inputs integer_training transformers
        | compacting problem soft_labels
        | distil newton row_warnings
        | nest rounds teaching
        | distil_step multinomial quantizing_step sizing
        | pruning_step
    """,
    "artifact": """
        analysis categories format format.budget format.streams links terms.kind terms.text weights
        | format.range_coder reading terms.category terms.numbers terms.spline terms.words
        | format.coders format.string_coder one_row terms
        | format.sink format.source parts
        | analysis.limits format.packed_weights plan
        | analysis.anatomy format.packed
        | analysis.turning
        | analysis.golden
        | compact
        | files
        | .
    """,
    "export": """
        expressions onnx.graph python.preamble sql.dialects
        | lowering
        | normal_form
        | base_printer sql.magnitudes
        | c.printer onnx.operators python.module sql.printer
        | c.integers onnx.model python sql.layers
        | c.source onnx sql.query
        | c sql
        | .
    """,
    "scorecard": """
        columns points
        | encoder
        | card lines
        | classifier
        | .
    """,
    "model_selection": """
        fold_moments sweep
        | choosing held_out
        | folds
        | sizes
        | compressed_cv
        | search
        | .
    """,
    "inspection": """
        . cohorts drawing rendering row_metrics stability worst_case.boxes
        | coefficient_display path_display report worst_case.interactions
        | worst_case.together
        | worst_case.max_change
        | change worst_case
    """,
}
"""The modules of a part in groups: each imports only from groups left of its own. The dot is the part's own face.

A part that is added here has all its modules named, and none of them calls an underscore member of another.
"""

LONGEST = {"artifact": 350, "core": 350, "export": 350, "linear": 350}
"""How many lines a module of a part may have; 400 in parts that are not listed."""

OUTSIDE = {
    "core": {"numpy", "scipy"},
    "artifact": {"numpy"},
    "linear": {"numpy", "scipy", "sklearn", "pandas"},
}
"""What the lower parts may import beside the standard library."""


SHARED = {
    *("_replace", "_asdict", "_fields", "_make"),  # of a NamedTuple, so that they are no fields
    *("_version", "_base", "_classifier"),  # modules
    "_init_callback_context",  # of scikit-learn's searches
}
"""Names with an underscore that are no underscore members of another module."""


def part_of(path):
    """The part of the package that a module belongs to: a folder, or a module at the top."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def name_of(path):
    """The absolute name of a module."""
    parts = ["skcompress", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in MODULES}


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def import_statements(path):
    """What a module imports anywhere in it: the absolute name, the names taken from it, and the dots it began with."""
    package = ["skcompress", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, [], 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module, [alias.name for alias in node.names], node.level


def imports_of(path):
    """Absolute names of the modules that a module imports anywhere in it."""
    for module, names, level in import_statements(path):
        if level and module == "skcompress":
            yield from (f"skcompress.{name}" for name in names)
        else:
            yield module


def own_imports_of(path):
    """Absolute names of the package's modules that a module imports: ``from .format import packed`` is packed."""
    for module, names, _ in import_statements(path):
        inside = {f"{module}.{name}" for name in names} & PATHS.keys()
        yield from inside
        if module in PATHS and (not names or len(inside) < len(names)):
            yield module


def groups_of(part):
    """The absolute names of the modules of a part, group by group."""
    face = f"skcompress.{part}"
    return [[face if name == "." else f"{face}.{name}" for name in group.split()] for group in ORDER[part].split("|")]


ORDERED = [path for path in MODULES if part_of(path) in ORDER]
ORDERED_IDS = [str(path.relative_to(ROOT)) for path in ORDERED]


def circles_of(graph):
    """The sets of modules that import one another, straight or through others."""
    reached = {}
    for module in graph:
        found, waiting = set(), [module]
        while waiting:
            new = graph.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        reached[module] = found
    return {
        frozenset(other for other in graph if module in reached[other] and other in reached[module])
        for module in graph
        if module in reached[module]
    }


def private_of_others(tree):
    """Underscore members that a module takes from elsewhere: imported ones, and attributes that it does not define."""
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            defined.add(node.attr)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (name for name in names if is_private(name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in defined:
            yield node.attr


def is_private(name):
    return name not in SHARED and name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


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


@pytest.mark.parametrize("part", ORDER)
def test_the_order_of_a_part_names_each_of_its_modules_once(part):
    named = sorted(name for group in groups_of(part) for name in group)
    assert named == sorted(name for name, path in PATHS.items() if part_of(path) == part)


@pytest.mark.parametrize("path", ORDERED, ids=ORDERED_IDS)
def test_module_imports_only_what_is_left_of_it_in_the_order_of_its_part(path):
    groups, name = groups_of(part_of(path)), name_of(path)
    place = next(place for place, group in enumerate(groups) if name in group)
    left = {other for group in groups[:place] for other in group}
    inside = {other for other in own_imports_of(path) if part_of(PATHS[other]) == part_of(path)}
    assert inside <= left


def test_no_modules_import_one_another():
    graph = {name: set(own_imports_of(path)) - {name} for name, path in PATHS.items()}
    assert circles_of(graph) == set()
    # What would be found, and that a module that imports its own package is no circle of two.
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == {frozenset("bc")}


def test_no_module_name_recurs_more_than_once():
    # Twice: the same concept in two languages, or in two parts of the package. Thrice, a name says nothing.
    folders = defaultdict(list)
    for path in MODULES:
        if path.stem != "__init__":
            folders[path.stem].append(str(path.parent.relative_to(ROOT)))
    assert {stem: where for stem, where in folders.items() if len(where) > 2} == {}


@pytest.mark.parametrize("path", ORDERED, ids=ORDERED_IDS)
def test_no_module_calls_an_underscore_member_of_another(path):
    assert list(private_of_others(tree_of(path))) == []


def test_underscore_members_of_others_are_found():
    module = """
from .other import _name
from ._hidden import shown
class Own:
    def __init__(self):
        self._mine = 1
    def _method(self):
        return self._mine + other._theirs + self.__class__.__name__
"""
    assert list(private_of_others(ast.parse(module))) == ["_name", "_hidden", "_theirs"]


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
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sklearn":
            private += [node.module] if any(part.startswith("_") for part in node.module.split(".")) else []
            private += [alias.name for alias in node.names if alias.name.startswith("_")]
        elif isinstance(node, ast.Import):
            private += [a.name for a in node.names if a.name.startswith("sklearn.") and "._" in a.name]
    assert private == []


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_module_is_short_and_documented(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST.get(part_of(path), 400)
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
