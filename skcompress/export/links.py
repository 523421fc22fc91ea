"""Inverse links in every language: table `LINKS` (see `skcompress.artifact.links` for the formulas).

SQL is an expression in {x}, the name of a linear predictor; exponents are kept within +-700, where they neither
overflow nor underflow, since some databases make an error of those. C changes the array `out` of {m} numbers in place.
Python is a list in terms of the list `etas`. ONNX is a function of (graph, tensor of the linear predictors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Link(NamedTuple):
    """An inverse link.

    Attributes
    ----------
    sql, c, python : str
        The text in each language; SQL has none for softmax, whose answers each need all predictors.
    onnx : callable(graph, tensor) -> str
        Adds the operators and returns the name of the result.
    is_bounded : bool
        Whether a finite linear predictor always gives a finite prediction; another one is refused.
    """

    sql: str
    c: str
    python: str
    onnx: Callable[[Any, str], str]
    is_bounded: bool = True


SMALLEST, LARGEST = "(-700e0)", "700e0"


def bounded(x: str) -> str:
    """Return an exponent of SQL within its bounds."""
    return f"CASE WHEN {x} < {SMALLEST} THEN {SMALLEST} WHEN {x} > {LARGEST} THEN {LARGEST} ELSE {x} END"


_SMALL = bounded("-ABS({x})")

LINKS: dict[str, Link] = {
    "identity": Link("{x}", "", "etas", lambda g, eta: eta),
    "log": Link(
        f"CASE WHEN {{x}} < {SMALLEST} THEN 0e0 WHEN {{x}} <= {LARGEST} THEN EXP({{x}}) END",
        "for (int i = 0; i < {m}; i++) out[i] = exp(out[i]);",
        "[_exp(eta) for eta in etas]",
        lambda g, eta: g.op("Exp", eta),
        False,
    ),
    "log1p": Link(
        f"CASE WHEN {{x}} < {SMALLEST} THEN (-1e0) WHEN {{x}} <= {LARGEST} THEN EXP({{x}}) - 1e0 END",
        "for (int i = 0; i < {m}; i++) out[i] = expm1(out[i]);",
        "[_expm1(eta) for eta in etas]",
        lambda g, eta: g.op("Sub", g.op("Exp", eta), g.floats(1.0)),
        False,
    ),
    "sqrt": Link(
        "({x} * {x})",
        "for (int i = 0; i < {m}; i++) out[i] *= out[i];",
        "[eta * eta for eta in etas]",
        lambda g, eta: g.op("Mul", eta, eta),
        False,
    ),
    "logit": Link(
        f"CASE WHEN {{x}} >= 0e0 THEN 1e0 / (1e0 + EXP({_SMALL})) ELSE EXP({_SMALL}) / (1e0 + EXP({_SMALL})) END",
        "for (int i = 0; i < {m}; i++) {{\n"
        "    const double small = exp(-fabs(out[i]));\n"
        "    out[i] = (out[i] >= 0 ? 1.0 : small) / (1.0 + small);\n"
        "}}",
        "[_logistic(eta) for eta in etas]",
        lambda g, eta: g.op("Sigmoid", eta),
    ),
    "softmax": Link(
        "",
        "double most = out[0], total = 0.0;\n"
        "for (int i = 1; i < {m}; i++) if (out[i] > most) most = out[i];\n"
        "for (int i = 0; i < {m}; i++) total += out[i] = exp(out[i] - most);\n"
        "for (int i = 0; i < {m}; i++) out[i] /= total;",
        "_softmax(etas)",
        lambda g, eta: g.op("Softmax", eta, axis=1),
    ),
}
