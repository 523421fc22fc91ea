"""From linear predictors to answers in SQL: how a link and a label are written.

Exponents are kept within +-700, where they neither overflow nor underflow: some databases make an error of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..methods import Outputs
from .printer import Printer, balanced_sum, number


def answers_of(outputs: Outputs, etas: Sequence[str], printer: Printer) -> list[str]:
    """Return the answers, from the names of the linear predictors."""
    if outputs.method == "predict" and outputs.model.classes:
        return [_label(etas, outputs.model.classes, printer)]
    if outputs.model.link == "softmax":
        return [_share(etas, k) for k in range(len(etas))]
    answers = [LINKS[outputs.model.link].format(x=eta, small=_bounded(f"-ABS({eta})")) for eta in etas]
    if outputs.method != "predict_proba":
        return answers
    if len(answers) == 1:
        return [LINKS["logit"].format(x=f"(-{etas[0]})", small=_bounded(f"-ABS({etas[0]})")), *answers]
    # Where all of them are next to nothing their ratio is that of the bounds.
    known = " OR ".join(f"{eta} > (-600e0)" for eta in etas)
    total = balanced_sum(answers)
    return [f"CASE WHEN {known} THEN {answer} / ({total}) END" for answer in answers]


def refusal_of(eta: str, link: str) -> str:
    """Return the condition that a linear predictor gives no answer."""
    return f"{eta} IS NULL" + (f" OR {eta} > 700e0" if link in ("log", "log1p") else "")


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
    "log": "CASE WHEN {x} < (-700e0) THEN 0e0 WHEN {x} <= 700e0 THEN EXP({x}) END",
    "log1p": "CASE WHEN {x} < (-700e0) THEN (-1e0) WHEN {x} <= 700e0 THEN EXP({x}) - 1e0 END",
    "sqrt": "({x} * {x})",
    "logit": "CASE WHEN {x} >= 0e0 THEN 1e0 / (1e0 + EXP({small})) ELSE EXP({small}) / (1e0 + EXP({small})) END",
}
"""Inverse links of the linear predictor x; `small` is -|x|, bounded."""
