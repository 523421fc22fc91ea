"""What an export gives: the answer of a method, and the names of what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from ..artifact import CompactLinear
from ..artifact.analysis.golden import METHODS

__all__ = ["METHODS", "UNBOUNDED", "Outputs", "outputs_of"]

UNBOUNDED = ("log", "log1p", "sqrt")
"""Links at which a finite linear predictor may give an infinite prediction, which is refused."""


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
    if method == "predict_proba" and (not model.classes or model.link == "identity"):
        raise ValueError("this model has no probabilities: it was compiled from one without predict_proba")
    if method == "predict_proba":
        return Outputs(model, method, tuple(f"{output}_{label}" for label in model.classes))
    if model.n_outputs == 1 or (method == "predict" and model.classes):
        return Outputs(model, method, (output,))
    ends = model.classes or range(model.n_outputs)
    return Outputs(model, method, tuple(f"{output}_{end}" for end in ends))
