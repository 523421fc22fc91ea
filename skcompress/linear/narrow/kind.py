"""Narrow fitted transformers to what a model uses: which inputs they need, and an unfitted copy that gives no more.

A model goes back from its leaf: `needs` turns the wanted outputs of a step into the inputs that it needs for them. Then
it goes forward: `narrowed` gives a copy of the step for the inputs that there are, and which of the old outputs that
copy will give, in order, when it is fitted. A step that is not in the table `KINDS` needs all its inputs and gives all
its outputs, and so everything before it stays too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from ...core.linalg import Mask


@dataclass
class Notes:
    """What is found out on the way.

    Attributes
    ----------
    first : object
        The step that reads the rows as they are given.
    left : list of str
        Steps that were left as they were, each with the reason.
    entries : frozenset of str or None
        Names of the entries that rows of mappings keep; None: all, or the rows are no mappings.
    """

    first: Any
    left: list[str] = field(default_factory=list)
    entries: frozenset[str] | None = None

    def leave(self, step: Any, reason: str) -> None:
        """Remember a step that could not be narrowed."""
        self.left.append(f"{type(step).__name__} ({reason})")


class Narrowed(NamedTuple):
    """An unfitted step, and which of the old outputs it gives when it is fitted."""

    step: Any
    outputs: Mask


class Kind(NamedTuple):
    """How a kind of step is narrowed.

    Attributes
    ----------
    needs : callable(step, wanted) -> mask of the inputs
        The inputs that the wanted outputs are made of.
    narrowed : callable(step, given, wanted, notes) -> Narrowed
        The step for inputs of which some, at least the needed ones, are given.
    """

    needs: Callable[[Any, Mask], Mask]
    narrowed: Callable[[Any, Mask, Mask, Notes], Narrowed]


def is_absent(step: Any) -> bool:
    """Return whether a step passes its inputs on as they are."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def needs(step: Any, wanted: Mask) -> Mask:
    """Return which inputs a fitted step needs for the wanted ones of its outputs."""
    if is_absent(step):
        return wanted
    return kind_of(step).needs(step, wanted)


def narrowed(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    """Return a fitted step unfitted and narrowed to the given inputs and the wanted outputs."""
    if is_absent(step):
        return Narrowed(step, given)
    return kind_of(step).narrowed(step, given, wanted, notes)


def kind_of(step: Any) -> Kind:
    """Return how a step is narrowed."""
    return next((KINDS[kind] for kind in type(step).__mro__ if kind in KINDS), OTHER)


def n_inputs(step: Any) -> int:
    """Return the number of inputs of a fitted step: 1 for what reads texts or mappings, and does not say so."""
    return int(getattr(step, "n_features_in_", 1))


def needs_all(step: Any, wanted: Mask) -> Mask:
    """Return that all inputs are needed, if any output is wanted."""
    return np.full(n_inputs(step), bool(wanted.any()))


def left(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    """Return the step as it was, and make a note of it."""
    if not wanted.all():
        notes.leave(step, "its outputs cannot be had one by one")
    return Narrowed(clone(step), np.ones_like(wanted))


OTHER = Kind(needs_all, left)

KINDS: dict[type, Kind] = {}
"""Filled by `skcompress.linear.narrow.steps` and `skcompress.linear.narrow.containers`."""
