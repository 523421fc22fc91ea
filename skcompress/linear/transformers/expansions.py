"""Compile what makes several columns out of numbers: KBinsDiscretizer, SplineTransformer, PolynomialFeatures."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures, SplineTransformer

from ...artifact.terms import NO_TERM, TERMS
from ...artifact.terms.spline import CONSTANT as ENDS
from ...artifact.terms.spline import CONTINUE, ERROR, LINEAR, PERIODIC
from .graph import CONSTANT, Column, Graph
from .registry import KINDS, LOCAL, cannot_compile, register_transformer

EXTRAPOLATIONS = {"continue": CONTINUE, "constant": ENDS, "linear": LINEAR, "periodic": PERIODIC, "error": ERROR}


def compile_bins(binner: KBinsDiscretizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the intervals between the inner edges: indicators, or their number."""
    out: list[Column] = []
    for column, edges in zip(graph.as_nodes(columns), binner.bin_edges_, strict=True):
        inner = np.asarray(edges, dtype=np.float64)[1:-1]
        if binner.encode == "ordinal":
            out += graph.add("step", [column], {"edges": inner, "values": np.arange(len(inner) + 1.0)})
        else:
            out += graph.add("bins", [column], {"edges": inner, "slots": np.arange(len(inner) + 1)})
    return out


def compile_spline(splines: SplineTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the basis functions of each column."""
    out: list[Column] = []
    every = [_spline_params(splines, place) for place in range(len(columns))]
    _require_same_values(splines, every)
    for column, params in zip(graph.as_nodes(columns), every, strict=True):
        out += graph.add("spline", [column], params)
    return out


def _spline_params(splines: SplineTransformer, place: int) -> dict[str, Any]:
    function = splines.bsplines_[place]
    slots = np.arange(function.c.shape[1])
    if not splines.include_bias:
        slots[-1] = NO_TERM
    return {
        "degree": splines.degree,
        "extrapolation": EXTRAPOLATIONS[splines.extrapolation],
        "missing": int(getattr(splines, "handle_missing", "error") == "zeros"),
        "knots": np.array(function.t, dtype=np.float64),
        "slots": slots,
    }


def _require_same_values(splines: SplineTransformer, every: Sequence[dict[str, Any]]) -> None:
    """Refuse the straight lines that scikit-learn begins at a wrong knot: degree 0 or 1, from the second column on."""
    if splines.extrapolation != "linear" or splines.degree > 1:
        return
    ends = np.array([[p["knots"][splines.degree], p["knots"][-splines.degree - 1]] for p in every]).T
    width = ends[1] - ends[0]
    probe = np.vstack([ends[0] - width, ends[0] + width / 64, ends[1] - width / 64, ends[1] + width])
    ours = [TERMS["spline"].prepare(p, "")([probe[:, place]]) for place, p in enumerate(every)]
    with warnings.catch_warnings():
        # The probe has no column names.
        warnings.simplefilter("ignore", UserWarning)
        theirs = splines.transform(probe)
    if not np.allclose(np.hstack(ours), theirs.toarray() if hasattr(theirs, "toarray") else theirs):
        raise cannot_compile(
            splines,
            "of degree 0 or 1 scikit-learn begins the straight lines of all columns but the first at a wrong knot; "
            "use degree=2, or one SplineTransformer for each column",
        )


def compile_polynomial(polynomial: PolynomialFeatures, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the products; of first degree the columns themselves, of degree 0 the constant."""
    varying = [place for place, column in enumerate(columns) if column.node != CONSTANT]
    nodes = dict(zip(varying, graph.as_nodes([columns[place] for place in varying]), strict=True))
    number = {place: source for source, place in enumerate(varying)}
    out: list[Column | None] = []
    sizes: list[int] = []
    factors: list[int] = []
    scales: list[float] = []
    for places in _combinations(polynomial, len(columns)):
        bent = [number[place] for place in places if place in number]
        scale = float(np.prod([columns[place].value() for place in places if place not in number]))
        if not bent:
            out.append(Column.constant(scale))
        elif len(places) == 1:
            out.append(columns[places[0]])
        else:
            out.append(None)
            sizes.append(len(bent))
            factors += bent
            scales.append(scale)
    sources = [nodes[place] for place in varying]
    made = graph.add("product", sources, {"sizes": sizes, "factors": factors}) if sizes else []
    products = iter([c.scaled(scale) if scale != 1.0 else c for c, scale in zip(made, scales, strict=True)])
    return [next(products) if column is None else column for column in out]


def _combinations(polynomial: PolynomialFeatures, n_columns: int) -> Iterator[tuple[int, ...]]:
    """Yield the columns of each output, in scikit-learn's order: by degree, then in lexicographic order."""
    degree = polynomial.degree
    least, greatest = (0, degree) if isinstance(degree, (int, np.integer)) else degree
    choose = itertools.combinations if polynomial.interaction_only else itertools.combinations_with_replacement
    if polynomial.include_bias:
        yield ()
    for size in range(max(1, least), greatest + 1):
        yield from choose(range(n_columns), size)


register_transformer(KBinsDiscretizer, compile_bins)
register_transformer(SplineTransformer, compile_spline)
register_transformer(PolynomialFeatures, compile_polynomial)

KINDS.update({KBinsDiscretizer: LOCAL, SplineTransformer: LOCAL, PolynomialFeatures: LOCAL})
