"""What the printers of expressions share: a method for each kind, and arithmetic as most languages write it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .expressions import Expr, Minus, Number, Over, Plus, Product, Ref, Times, Where
from .normal_form import NormalForm


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
        printed: str = method(expr)
        return printed

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
