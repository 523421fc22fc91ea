"""What the printers share: names that can be written, inverse links, and arithmetic as most languages write it.

Inverse links in every language are in the table `LINKS` (see `skcompress.artifact.links` for the formulas).
SQL is an expression in {x}, the name of a linear predictor; exponents are kept within +-700, where they neither
overflow nor underflow, since some databases make an error of those. C changes the array `out` of {m} numbers in place.
Python is a list in terms of the list `etas`. ONNX is a function of (graph, tensor of the linear predictors).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from .expressions import Expr, Minus, Number, Over, Plus, Product, Ref, Times, Where
from .normal_form import NormalForm


def require_writable(text: str, what: str, target: str) -> str:
    """Return a text that can stand in a file of UTF-8.

    Parameters
    ----------
    text : str
        The text.
    what : str
        What it is, for the message: "input", "column", "category", ...
    target : str
        Name of the language, for the message.

    Raises
    ------
    ValueError
        If it holds a zero byte or half of a surrogate pair.
    """
    if "\0" in text:
        raise ValueError(f"the {what} {text!r} cannot be written in {target}: it holds a zero byte, which ends a text")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"the {what} {text!r} cannot be written in {target}: it holds half of a surrogate pair")
    return text


def require_name(name: str, what: str, target: str) -> str:
    """Return a text that can be a name, which is not empty either (see `require_writable`)."""
    if not name:
        raise ValueError(f"the {what} {name!r} cannot be written in {target}: a name must not be empty")
    return require_writable(name, what, target)


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


class BasePrinter(ABC):
    """Prints the expressions of one normal form.

    A kind of expression is printed by the method of its name in lower case, with an underscore. A language adds those
    that need more than arithmetic.

    Parameters
    ----------
    form : NormalForm
        The model.
    """

    def __init__(self, form: NormalForm):
        self.form = form

    @abstractmethod
    def number(self, value: float) -> str:
        """Return a number as a constant, in brackets if it has a sign."""

    @abstractmethod
    def column(self, column: int) -> str:
        """Return what a column is called where it is read as a number."""

    @abstractmethod
    def choice(self, test: str, yes: str, no: str) -> str:
        """Return what is one thing where a condition holds, and another where it does not."""

    def is_marker(self, x: str, marker: float) -> str:
        """Return the condition that a number is the marker of missing values, which may be NaN."""
        return f"{x} != {x}" if marker != marker else f"{x} == {self.number(marker)}"

    def of(self, expr: Expr) -> str:
        """Return an expression, in brackets where it needs them.

        Raises
        ------
        ValueError
            If the language has no words for one of its kind.
        """
        kind = type(expr).__name__
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise ValueError(f"{kind} cannot be written in {self.form.target}")
        return method(expr)

    def _number(self, expr: Number) -> str:
        return self.number(expr.value)

    def _ref(self, expr: Ref) -> str:
        return self.column(expr.column)

    def _times(self, expr: Times) -> str:
        return f"{self.number(expr.factor)} * {self.of(expr.part)}"

    def _minus(self, expr: Minus) -> str:
        return f"({self.of(expr.part)} - {self.number(expr.offset)})"

    def _over(self, expr: Over) -> str:
        return f"({self.of(expr.part)} / {self.number(expr.divisor)})"

    def _plus(self, expr: Plus) -> str:
        return f"({self.of(expr.part)} + {self.number(expr.shift)})"

    def _product(self, expr: Product) -> str:
        return f"({' * '.join(map(self.column, expr.factors))})"

    def _where(self, expr: Where) -> str:
        x = self.column(expr.column)
        no = x if expr.no is None else self.of(expr.no)
        return self.choice(self.is_marker(x, expr.marker), self.number(expr.yes), no)
