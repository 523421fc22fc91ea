"""From linear predictors to answers in SQL: what comes out, what it is called, and how a link is written.

Exponents are kept within +-700, where they neither overflow nor underflow: some databases make an error of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..artifact import CompactLinear
from .sql_printer import Printer, balanced_sum, number

METHODS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class Outputs:
    """What a query gives.

    Attributes
    ----------
    model : CompactLinear
        The model.
    method : str
        A name from `METHODS`.
    names : tuple of str
        Names of the columns that come out.
    """

    model: CompactLinear
    method: str
    names: tuple[str, ...]

    @property
    def is_linear(self) -> bool:
        """Whether the linear predictors are the answer."""
        plain = self.method == "predict" and not self.model.classes and self.model.link == "identity"
        return plain or self.method == "decision_function"

    def in_sql(self, etas: Sequence[str], printer: Printer) -> list[str]:
        """Return the answers, from the names of the linear predictors."""
        if self.method == "predict" and self.model.classes:
            return [_label(etas, self.model.classes, printer)]
        if self.model.link == "softmax":
            return [_share(etas, k) for k in range(len(etas))]
        answers = [LINKS[self.model.link].format(x=eta, small=_bounded(f"-ABS({eta})")) for eta in etas]
        if self.method != "predict_proba":
            return answers
        if len(answers) == 1:
            return [LINKS["logit"].format(x=f"(-{etas[0]})", small=_bounded(f"-ABS({etas[0]})")), *answers]
        total = balanced_sum(answers)
        return [f"{answer} / ({total})" for answer in answers]


def outputs_of(model: CompactLinear, method: str, output: str) -> Outputs:
    """Return what a method gives.

    Raises
    ------
    ValueError
        If the model is no classifier, or one whose scores are no log-odds, and probabilities are wanted.
    """
    if method == "predict_proba" and (not model.classes or model.link == "identity"):
        raise ValueError("this model has no probabilities: it was folded from one without predict_proba")
    if method == "predict_proba":
        return Outputs(model, method, tuple(f"{output}_{label}" for label in model.classes))
    if model.n_outputs == 1 or (method == "predict" and model.classes):
        return Outputs(model, method, (output,))
    ends = model.classes or range(model.n_outputs)
    return Outputs(model, method, tuple(f"{output}_{end}" for end in ends))


def _bounded(x: str) -> str:
    return f"CASE WHEN {x} < (-700e0) THEN (-700e0) WHEN {x} > 700e0 THEN 700e0 ELSE {x} END"


def _share(etas: Sequence[str], k: int) -> str:
    """Return one probability of softmax: 1 / sum over l of exp(eta_l - eta_k)."""
    others = [f"EXP({_bounded(f'({eta} - {etas[k]})')})" for place, eta in enumerate(etas) if place != k]
    return f"1e0 / ({balanced_sum(['1e0', *others])})"


def _label(etas: Sequence[str], classes: Sequence[Any], printer: Printer) -> str:
    labels = [printer.constant(label) for label in classes]
    if len(etas) == 1:
        return (
            f"CASE WHEN {etas[0]} > {number(0.0)} THEN {labels[1]} WHEN {etas[0]} <= {number(0.0)} THEN {labels[0]} END"
        )
    arms = []
    for k, label in enumerate(labels):
        tests = [f"{etas[k]} {'>' if j < k else '>='} {eta}" for j, eta in enumerate(etas) if j != k]
        arms.append(f"WHEN {' AND '.join(tests)} THEN {label}")
    return f"CASE {' '.join(arms)} END"


LINKS: dict[str, str] = {
    "identity": "{x}",
    "log": "EXP(CASE WHEN {x} < (-700e0) THEN (-700e0) ELSE {x} END)",
    "log1p": "EXP(CASE WHEN {x} < (-700e0) THEN (-700e0) ELSE {x} END) - 1e0",
    "sqrt": "({x} * {x})",
    "logit": "CASE WHEN {x} >= 0e0 THEN 1e0 / (1e0 + EXP({small})) ELSE EXP({small}) / (1e0 + EXP({small})) END",
}
"""Inverse links of the linear predictor x; `small` is -|x|, bounded."""
