"""NormalForm: a compact model as expressions, ready to be printed in any language.

    eta_i = scale_i * (sum of integer terms) + (sum of float terms) + intercept_i

Terms are integers where the weights are codes with one scale for the output and the column that they multiply holds
whole numbers: indicators, intervals, counts of steps, inputs that are read as codes. All sums of them are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifact import CompactLinear
from ..artifact.analysis.golden import METHODS
from ..artifact.links import require_probabilities
from ..artifact.plan import make_plan
from ..artifact.terms import TERMS
from ..artifact.terms.numbers import FLOOR, RINT, SIGN
from .expressions import (
    Call,
    Clip,
    Entry,
    Expr,
    Lookup,
    Minus,
    Number,
    Product,
    Readers,
    Ref,
    Steps,
    Times,
    Where,
    columns_of,
    merged,
    times,
)
from .lowering import LOWERINGS


def compacted(model: Any) -> CompactLinear:
    """Return a model itself if it is compact, else what `skcompress.compact` makes of it, which needs scikit-learn."""
    if isinstance(model, CompactLinear):
        return model
    from ..linear.compacting import compact

    return compact(model)


__all__ = ["METHODS", "NormalForm", "Outputs", "Total", "outputs_of"]


@dataclass(frozen=True)
class Total:
    """A linear predictor.

    Attributes
    ----------
    scale : float
        What the integer terms are multiplied by.
    integers, floats : list of Expr
        The terms.
    intercept : float
        Added in the end.
    most : int
        The largest that the absolute sum of the integer terms can be.
    """

    scale: float
    integers: list[Expr]
    floats: list[Expr]
    intercept: float
    most: int


class NormalForm:
    """A model as expressions.

    Parameters
    ----------
    model : CompactLinear, or anything that compact() takes
        What is to be printed.
    target : str
        The name of the language, for messages.

    Attributes
    ----------
    model : CompactLinear
        The compact model.
    n_columns : int
        Number of inputs and of all that blocks make.
    columns : dict of int to Expr
        The block outputs that are read by others, in the order in which they can be made.
    offset : dict of int to float
        What is subtracted from each input that has terms of its own.
    intercept : ndarray of shape (m,)
        Intercepts, with all other offsets taken up.
    totals : list of Total
        One for each output.

    Raises
    ------
    ValueError
        If a term cannot be printed; the message names it and its input.
    """

    def __init__(self, model: Any, target: str):
        self.model = compacted(model)
        self.target = target
        self._require_printable()
        self.n_columns = len(self.names) + sum(block.n_out for block in self.model.blocks)
        self.columns: dict[int, Expr] = {}
        read = {source for block in self.model.blocks for source in block.sources}
        self.columns.update({column: self.made(column) for column in sorted(read) if column >= len(self.names)})
        # All terms of an input take the offset of the first of them, and the intercept takes up all other offsets.
        plan = make_plan(self.model, np.dtype(np.float64))
        offsets = np.zeros(len(plan.raw)) if plan.offset is None else plan.offset
        self.offset: dict[int, float] = dict(zip(plan.raw.tolist(), offsets.tolist(), strict=True))
        self.intercept = plan.intercept
        self.totals = self._all_totals()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self.model.inputs

    @cached_property
    def value_inputs(self) -> dict[int, list[Any]]:
        """The inputs that are read as values, each with the levels that it is compared with."""
        found: dict[int, list[Any]] = {}
        for expr in self.everything():
            if isinstance(expr, (Lookup, Entry)) and expr.column < len(self.names):
                found.setdefault(expr.column, []).extend(expr.levels if isinstance(expr, Lookup) else ())
        return found

    @cached_property
    def number_inputs(self) -> list[int]:
        """The inputs that are read as numbers."""
        read = {
            column for expr in self.everything() if not isinstance(expr, (Lookup, Entry)) for column in columns_of(expr)
        }
        return sorted(column for column in read if column < len(self.names))

    @cached_property
    def entries(self) -> set[int]:
        """The inputs that are read as entries of a mapping."""
        return {expr.column for expr in self.everything() if isinstance(expr, Entry)}

    @cached_property
    def readers(self) -> Readers:
        """Who reads which column."""
        return Readers(self.columns, [term for total in self.totals for term in (*total.integers, *total.floats)])

    def everything(self) -> list[Expr]:
        """Return all expressions, and those inside them that are no factor of one."""
        out = list(self.columns.values())
        for total in self.totals:
            out += [*total.integers, *total.floats]
        return [expr.part if isinstance(expr, Times) else expr for expr in out]

    def _require_printable(self) -> None:
        for block in self.model.blocks:
            if block.kind not in LOWERINGS:
                name = self.names[block.sources[0]]
                raise ValueError(
                    f"the {block.kind!r} terms of input {name!r} cannot be written in {self.target}: texts are split "
                    "and counted; ship the file itself (dump), which needs numpy alone"
                )

    def made(self, column: int) -> Expr:
        """Return the expression of a column that a block makes."""
        if column in self.columns:
            return self.columns[column]
        start = len(self.names)
        for block in self.model.blocks:
            if column < start + block.n_out:
                unit = np.zeros(block.n_out, dtype=np.int64)
                unit[column - start] = 1
                (expr,) = LOWERINGS[block.kind](block.params, block.sources, unit)
                return expr
            start += block.n_out
        raise IndexError(f"there is no column {column}")

    def _all_totals(self) -> list[Total]:
        model = self.model
        coded = self._coded_terms()
        codes = np.zeros((model.n_outputs, self.n_columns), dtype=np.int64)
        if coded.any():
            np.add.at(codes.T, model.columns[coded], (model.weights.codes - model.weights.zero_point).T[coded])
        floats = np.zeros((model.n_outputs, self.n_columns))
        np.add.at(floats.T, model.columns[~coded], model.weights.over(model.divisor).T[~coded])
        scale = np.broadcast_to(model.weights.scale[:, 0], model.n_outputs)
        return [
            self._total(float(scale[i]), codes[i], floats[i], float(self.intercept[i])) for i in range(model.n_outputs)
        ]

    def _coded_terms(self) -> NDArray[np.bool_]:
        """Return which terms are an integer code times a whole number."""
        model = self.model
        held = model.weights
        p = held.shape[1]
        if held.codes is None or held.levels is not None or held.single or held.scale.shape[1] != 1:
            return np.zeros(p, dtype=bool)
        whole = np.zeros(self.n_columns, dtype=bool)
        start = len(self.names)
        for block in model.blocks:
            for place in range(block.n_out):
                unit = np.zeros(block.n_out, dtype=np.int64)
                unit[place] = 1
                made = LOWERINGS[block.kind](block.params, block.sources, unit)
                whole[start + place] = self.bound(made[0]) is not None
                if block.kind in ("category", "bins") and start + place not in self.columns:
                    # All outputs of a table are alike.
                    whole[start : start + block.n_out] = whole[start + place]
                    break
            start += block.n_out
        divided = np.zeros(p, dtype=bool) if model.divisor is None else model.divisor != 1.0
        return whole[model.columns] & ~divided

    def bound(self, expr: Expr) -> int | None:
        """Return the largest absolute value of an expression that holds bounded whole numbers, else None."""
        if isinstance(expr, Number):
            return abs(int(expr.value)) if float(expr.value).is_integer() else None
        if isinstance(expr, Ref):
            return self.bound(self.columns[expr.column]) if expr.column in self.columns else None
        if isinstance(expr, (Steps, Lookup)):
            values = [*expr.values, *((expr.other,) if isinstance(expr, Lookup) else ())]
            known = [value for value in values if value == value]
            if all(float(value).is_integer() for value in known):
                return int(max((abs(value) for value in known), default=0))
        if isinstance(expr, Clip) and float(expr.low).is_integer() and float(expr.high).is_integer():
            inside = self.columns.get(expr.column)
            if inside is not None and (_is_rounded(inside) or self.bound(inside) is not None):
                return int(max(abs(expr.low), abs(expr.high)))
        if isinstance(expr, Where) and expr.no is not None and float(expr.yes).is_integer():
            no = self.bound(expr.no)
            return None if no is None else max(no, abs(int(expr.yes)))
        if isinstance(expr, Times) and isinstance(expr.factor, int):
            part = self.bound(expr.part)
            return None if part is None else abs(expr.factor) * part
        if isinstance(expr, Call) and expr.function == SIGN:
            return 1
        if isinstance(expr, Product):
            bounds = [self.bound(Ref(column)) for column in expr.factors]
            found = [bound for bound in bounds if bound is not None]
            return int(np.prod(found, dtype=object)) if len(found) == len(bounds) and _small(found) else None
        return None

    def _total(
        self,
        scale: float,
        codes: NDArray[np.int64],
        weights: NDArray[np.float64],
        intercept: float,
    ) -> Total:
        k = len(self.names)
        floats = [
            times(float(weights[j]), Minus(Ref(j), self.offset[j]) if self.offset.get(j) else Ref(j))
            for j in np.flatnonzero(weights[:k]).tolist()
        ]
        integers: list[Expr] = []
        start = k
        for block in self.model.blocks:
            stop = start + block.n_out
            for factors, out in ((codes[start:stop], integers), (weights[start:stop], floats)):
                if factors.any():
                    out += self._summands(start, block, factors)
            start = stop
        integers, floats = merged(integers), merged(floats)
        most = sum(bound or 0 for bound in map(self.bound, integers))
        return Total(scale, integers, floats, intercept, most)

    def _summands(self, start: int, block: Any, factors: NDArray[Any]) -> list[Expr]:
        """Return the weighted outputs of a block; those that have been made already are referred to."""
        if TERMS[block.kind].form != "one" and all(start + j in self.columns for j in np.flatnonzero(factors)):
            return [times(factors[j].item(), Ref(start + j)) for j in np.flatnonzero(factors).tolist()]
        return LOWERINGS[block.kind](block.params, block.sources, factors)


def _small(bounds: list[int]) -> bool:
    return float(np.prod(np.array(bounds, dtype=np.float64))) < 2**31


def _is_rounded(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function in (FLOOR, RINT)


@dataclass(frozen=True)
class Outputs:
    """What an export gives.

    Attributes
    ----------
    model : CompactLinear
        The model.
    method : str
        A name from `METHODS`.
    names : tuple of str
        Names of what comes out.
    """

    model: CompactLinear
    method: str
    names: tuple[str, ...]

    @property
    def is_linear(self) -> bool:
        """Whether the linear predictors are the answer."""
        plain = self.method == "predict" and not self.model.classes and self.model.link == "identity"
        return plain or self.method == "decision_function"

    @property
    def link(self) -> str:
        """The link that is applied."""
        return "identity" if self.is_linear else self.model.link

    @property
    def sees_all(self) -> bool:
        """Whether each answer depends on all linear predictors."""
        return bool(self.model.classes) and self.method != "decision_function"


def outputs_of(model: CompactLinear, method: str, output: str) -> Outputs:
    """Return what a method gives.

    Raises
    ------
    ValueError
        If the model is no classifier, or one whose scores are no log-odds, and probabilities are wanted.
    """
    if method == "predict_proba":
        require_probabilities(model.link, model.classes)
        return Outputs(model, method, tuple(f"{output}_{label}" for label in model.classes))
    if model.n_outputs == 1 or (method == "predict" and model.classes):
        return Outputs(model, method, (output,))
    ends = model.classes or range(model.n_outputs)
    return Outputs(model, method, tuple(f"{output}_{end}" for end in ends))
