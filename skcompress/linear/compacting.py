"""From a fitted model to its compact form, `compact`, and to one line on what that has come to, `summary`.

The model is opened from the outside in: pipelines compile their steps, a TransformedTargetRegressor gives the link,
our own wrappers give the grid of the weights (a fitted wrapper has ``estimator_`` and ``state_``), searches
and frozen estimators step aside. What is left is the leaf, with ``coef_`` and ``intercept_``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor, SGDClassifier, TweedieRegressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import SVC, NuSVC

from ..artifact import CompactLinear, Weights, size_bytes
from ..artifact.analysis.limits import capped, range_of
from ..artifact.categories import scalar_of
from .containers import inside_of, is_search, is_wrapper
from .integer_inputs import IntegerModel
from .state import StepRecord
from .transformers.columnwise import Target, target_of
from .transformers.graph import CONSTANT, Column, Graph
from .transformers.registry import compiled
from .transformers.texts import READS_VALUES, keys_of
from .view import read

RINT = 18  # the number of the function in skcompress.artifact.terms.numbers


@dataclass
class Opened:
    """A model on the way to its leaf.

    Attributes
    ----------
    estimator : estimator
        What is to be opened next; in the end the leaf.
    columns : list of Column
        What it reads.
    grid : object or None
        The grid of the weights, from the outermost wrapper; `has_constraint` says whether there was one.
    target : Target or None
        What a TransformedTargetRegressor does to the prediction, and whether it returns one dimension.
    flat : bool or None
        Whether predictions have one dimension; None: as the leaf has it.
    reader : IntegerModel or None
        What reads the leaf's columns as codes.
    """

    estimator: Any
    columns: list[Column] = field(default_factory=list)
    grid: Any = None
    has_constraint: bool = False
    target: Target | None = None
    flat: bool | None = None
    reader: IntegerModel | None = None


def compact(model: Any, *, cap: Any = None) -> CompactLinear:
    """Compile a fitted model into what ships: the inputs, categories and terms that its weights use.

    Parameters
    ----------
    model : estimator
        A fitted linear model, on its own or inside pipelines, searches, a TransformedTargetRegressor or our
        wrappers; or one with a ``compact_`` of its own, such as ScorecardClassifier; or a CompactLinear, as it is.
    cap : array, frame or sparse matrix, or True, default=None
        Training rows: inputs that are used as numbers are capped at the smallest and largest value in them, so that
        a row from far away is treated like one from the edge. True: at the model's own ``input_range_``.

    Returns
    -------
    compact : CompactLinear
        Its predictions are those of the model to 1e-12, relative.

    Raises
    ------
    ValueError
        If a transformer or the model cannot be compiled; the message names it.

    See Also
    --------
    dump : Writes what ships to a file.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> compact(LinearRegression().fit([[0.0, 1.0], [1.0, 1.0]], [1.0, 3.0])).inputs
    ('x0',)
    """
    if isinstance(model, CompactLinear):
        return model if cap is None else capped(model, _range_of(model, model, cap))
    made = _made_by_itself(model)
    if made is not None:
        return compact(made, cap=cap)
    names, named, rows = _inputs_of(model)
    graph = Graph(names, named, rows)
    opened = _leaf_of(model, graph)
    leaf = opened.estimator
    coef, intercept = read(leaf)
    if isinstance(leaf, (SVC, NuSVC)) and len(leaf.classes_) > 2:
        pairs = f"weights for each pair of its {len(leaf.classes_)} classes: use LinearSVC, which has them for each one"
        raise ValueError(f"{type(leaf).__name__} has {pairs}")
    if coef.shape[1] != len(opened.columns):
        raise ValueError(
            f"{type(leaf).__name__} has {coef.shape[1]} weights for each output, but the steps before it give "
            f"{len(opened.columns)} columns"
        )
    if opened.reader is None:
        weights = _weights(np.asarray(_dense(leaf.coef_)).dtype, coef, opened.grid)
    else:
        opened.columns, weights, intercept = in_integers(opened.reader, opened.columns, graph, opened.grid.bits)
    link = _link_of(leaf, coef.shape[0])
    if opened.target is not None:
        if link != "identity":
            raise ValueError(f"{type(leaf).__name__} has a link of its own: its target cannot be transformed too")
        link = opened.target.link
        weights = weights.scaled(np.broadcast_to(opened.target.factor, len(intercept)))
        intercept = intercept * opened.target.factor + opened.target.shift
    classes = tuple(scalar_of(c) for c in leaf.classes_) if is_classifier(leaf) else ()
    flat = _is_flat(leaf, coef.shape[0]) if opened.flat is None else opened.flat
    small = graph.finish(opened.columns, weights, intercept, link=link, flat=flat, classes=classes)
    return small if cap is None else capped(small, _range_of(model, small, cap))


def _made_by_itself(model: Any) -> CompactLinear | None:
    """Return the compact form that a model, or the one inside a search or FrozenEstimator, makes by itself."""
    while model is not None and not is_wrapper(model):
        if isinstance(getattr(type(model), "compact_", None), property):
            return model.compact_
        if not (is_search(model) or isinstance(model, FrozenEstimator)):
            return None
        model = inside_of(model)
    return None


def _range_of(model: Any, small: CompactLinear, cap: Any) -> NDArray[np.float64]:
    """Return the least and the greatest value of each used input, shape (2, k)."""
    if cap is not True:
        if isinstance(cap, str) or (np.ndim(cap) == 0 and not hasattr(cap, "shape")):
            raise ValueError(f"cap must be True or training rows, got {cap!r}")
        return range_of(small, cap)
    limits = getattr(model, "input_range_", None)
    if limits is None:
        raise ValueError(f"{type(model).__name__} does not keep the range of its inputs: pass cap=X, training rows")
    return np.asarray(limits, dtype=np.float64)[:, small.reads.positions]


def _inputs_of(model: Any) -> tuple[Sequence[str], bool, str]:
    """Return the names of the inputs, whether they are column names, and what X is."""
    for inside in _from_outside(model):
        if isinstance(inside, DictVectorizer):
            return keys_of(inside), True, "mappings"
        if isinstance(inside, READS_VALUES):
            return ["x0"], False, "values"
        names = getattr(inside, "feature_names_in_", None)
        if names is not None:
            return [str(name) for name in names], True, "table"
        if hasattr(inside, "n_features_in_"):
            return [f"x{place}" for place in range(inside.n_features_in_)], False, "table"
    if not hasattr(model, "fit"):
        raise TypeError(f"model must be a fitted estimator or a CompactLinear, got {model!r}")
    raise ValueError(f"{type(model).__name__} is not fitted, or does not say how many inputs it has")


def _from_outside(model: Any) -> Iterator[Any]:
    """Yield a model and what is inside it, in the order in which they read the inputs."""
    yield model
    if isinstance(model, Pipeline):
        for _, step in model.steps:
            yield from _from_outside(step)
    elif isinstance(model, FeatureUnion):
        for _, part in model.transformer_list:
            yield from _from_outside(part)
    elif inside_of(model) is not None:
        yield from _from_outside(inside_of(model))


def _leaf_of(model: Any, graph: Graph) -> Opened:
    """Open a model down to its leaf, compiling the steps on the way."""
    opened = Opened(model, graph.inputs())
    while True:
        inside = opened.estimator
        if hasattr(inside, "state_") and not opened.has_constraint:
            constraint = inside.state_
            opened.grid, opened.has_constraint = getattr(constraint, "grid", None), True
        if isinstance(inside, Pipeline):
            for _, step in inside.steps[:-1]:
                opened.columns = compiled(step, opened.columns, graph)
            opened.estimator = inside.steps[-1][1]
        elif isinstance(inside, TransformedTargetRegressor):
            if opened.target is not None:
                raise ValueError("a TransformedTargetRegressor inside another has no compact form")
            opened.target, opened.flat = target_of(inside.transformer_), getattr(inside, "_training_dim", 1) == 1
            opened.estimator = inside.regressor_
        elif isinstance(inside, IntegerModel):
            opened.reader, opened.estimator = inside, inside.leaf
        elif inside_of(inside) is not None:
            opened.estimator = inside_of(inside)
        elif hasattr(inside, "coef_") and hasattr(inside, "intercept_"):
            return opened
        else:
            raise ValueError(
                f"{type(inside).__name__} has no coef_ and intercept_: only linear models have a compact form"
            )


def _dense(coef: Any) -> Any:
    return coef.toarray() if hasattr(coef, "toarray") else coef


def _weights(dtype: np.dtype[Any], coef: NDArray[np.float64], grid: Any) -> Weights:
    """Return the weights as codes where they lie on the grid, bit for bit, and else as floats."""
    single = dtype == np.float32
    if grid is not None:
        levels = grid.levels
        zero_point = grid.low if levels is not None else 0 if grid.zero_point is None else grid.zero_point
        codes = np.asarray(grid.encode(coef))
        zero_point = np.asarray(zero_point).astype(np.int64)
        coded = Weights.from_codes(codes, grid.scale, zero_point, levels, grid.bits, single)
        if np.array_equal(coded.decode(), coef.astype(dtype)):
            return coded
    return Weights.from_values(coef.astype(np.float32 if single else np.float64))


def _link_of(leaf: Any, n_outputs: int) -> str:
    if isinstance(leaf, (PoissonRegressor, GammaRegressor)):
        return "log"
    if isinstance(leaf, TweedieRegressor):
        chosen = leaf.link
        if chosen == "auto":
            return "identity" if leaf.power <= 0 else "log"
        return str(chosen)
    if isinstance(leaf, LogisticRegression):
        one_against_rest = n_outputs == 1 or getattr(leaf, "multi_class", "auto") == "ovr"
        return "logit" if one_against_rest or leaf.solver == "liblinear" else "softmax"
    if isinstance(leaf, SGDClassifier) and leaf.loss == "log_loss":
        return "logit"
    return "identity"


def _is_flat(leaf: Any, n_outputs: int) -> bool:
    if is_classifier(leaf):
        return True
    if n_outputs != 1:
        return False
    one_dimension = getattr(leaf, "_predict_1d", None)
    if one_dimension is not None:
        return bool(one_dimension)
    # LinearRegression keeps a target of shape (n, 1) as it is; SVR has one row of weights for a flat one.
    return np.ndim(leaf.coef_) == 1 or hasattr(leaf, "dual_coef_")


def in_integers(
    reader: IntegerModel, columns: Sequence[Column], graph: Graph, bits: int
) -> tuple[list[Column], Weights, NDArray[np.float64]]:
    """Return the columns as codes, with the weights and intercepts that go with them.

    Parameters
    ----------
    reader : IntegerModel
        How the leaf reads its columns.
    columns : sequence of p columns
        What it reads.
    graph : Graph
        Gets the blocks that round and clip.
    bits : int
        Bits of a weight.
    """
    inputs, codes = reader.inputs, reader.codes
    weights, intercept = read(reader.leaf)
    out = list(columns)
    used = np.flatnonzero((codes != 0).any(axis=0)).tolist()
    for j in used:
        if columns[j].node == CONSTANT:
            value = (columns[j].value() - inputs.offset[j]) / inputs.step[j]
            out[j] = Column.constant(float(np.clip(np.rint(value), -inputs.top, inputs.top)))
    moving = [j for j in used if columns[j].node != CONSTANT]
    if moving:
        scaled = [columns[j].standardised(inputs.offset[j], inputs.step[j]) for j in moving]
        made = graph.add("function", graph.as_nodes(scaled), {"function": RINT})
        low, high = [-float(inputs.top)] * len(made), [float(inputs.top)] * len(made)
        for j, column in zip(moving, graph.add("clip", made, {"low": low, "high": high}), strict=True):
            out[j] = column
    coded = Weights.from_codes(codes, reader.scale, np.int64(0), None, _bits_of(codes, bits), False)
    return out, coded, intercept + weights @ inputs.offset


def _bits_of(codes: NDArray[np.int64], bits: int) -> int:
    """Return the bits of a weight's code less its zero point, which may need one more than the code itself."""
    return bits if np.abs(codes).max(initial=0) < 2 ** max(1, bits - 1) else bits + 1


def summary(model: Any) -> str:
    """Return the size and the loss of a fitted wrapper as text, and what each step of several has cost.

    Inputs and bytes are left out where the transformers before the base cannot be compiled, and the loss where it is
    not known, as after `partial_fit`.
    """
    weights = np.asarray(model.coef_)
    parts = [f"{np.count_nonzero(weights)} of {weights.size} weights"]
    try:
        shipped = compact(model)
        parts += [f"{len(shipped.inputs)} inputs", f"{size_bytes(shipped)} bytes"]
    except ValueError:
        pass
    if hasattr(model, "loss_increase_"):
        parts += [
            f"loss increased by {model.loss_increase_:.3g} of the null loss",
            f"linear predictor changed by {model.prediction_change_:.3g} (root mean square)",
        ]
    return "; ".join([", ".join(parts), *_taught(model), *_steps(model)])


def _taught(model: Any) -> list[str]:
    if not hasattr(model, "alpha_"):
        return []
    teacher = getattr(model, "teacher_", None)
    name = "the teacher" if teacher is None else type(getattr(teacher, "estimator", teacher)).__name__
    return [f"the share of {name} is {model.alpha_:g}"]


def _steps(model: Any) -> list[str]:
    history = model.state_.history
    return [f"steps: {steps_text(history[1:])}"] if len(history) > 2 else []


def steps_text(history: Sequence[StepRecord]) -> str:
    """Return what each step has come to, as text."""
    told = (f"{row.step} {row.weights} weights of {row.bits} bits, loss {row.loss_increase:.3g}" for row in history)
    return ", ".join(told)


def with_summary(html: str, model: Any) -> str:
    """Return the HTML of an estimator with the summary below it, if it is fitted."""
    if "estimator_" not in model.__dict__:
        return html
    line = escape(f"{type(model).__name__}: {summary(model)}")
    return f'{html}<p class="skcompress-summary" style="font-size: small">{line}</p>'
