"""Scorecards: integer points for a few conditions on raw columns."""

from .classifier import ScorecardClassifier
from .encoder import StepEncoder

__all__ = ["ScorecardClassifier", "StepEncoder"]
