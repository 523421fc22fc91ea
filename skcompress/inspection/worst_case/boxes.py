"""Boxes: which values each input may have, from `bounds`.

A `Side` is a closed interval of numbers, or none, and single values: levels, None, NaN, an absent key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...artifact import CompactLinear
from ...artifact.analysis.anatomy import Anatomy
from ...artifact.categories import ABSENT, NAN_KEY, REFUSED
from ...artifact.reading import Table
from ...artifact.terms.numbers import SIGN
from ...artifact.terms.spline import CONSTANT

FAR = 1e60
"""Where an input is capped, binned or a category, whatever lies beyond is like what lies here."""

_BOUNDED = ("bins", "step", "category", "lookup", "clip", "missing")


@dataclass(frozen=True)
class Side:
    """The values of one input.

    Attributes
    ----------
    interval : tuple (low, high), or None
        Numbers.
    values : tuple
        Single values.
    strict : bool
        Whether a single value that a model refuses is an error; else it is passed over.
    """

    interval: tuple[float, float] | None
    values: tuple[Any, ...]
    strict: bool = False


class Boxes:
    """The sides of the box of two models.

    Parameters
    ----------
    models : two Anatomy
        The models.
    ranges : sequence of dict
        For each model what is known of the range of its inputs in training: name -> (low, high).
    bounds : "observed", "all", dict or rows
        See `max_change`.
    """

    def __init__(self, models: Sequence[Anatomy], ranges: Sequence[Mapping[str, tuple[float, float]]], bounds: Any):
        self.models = models
        self.names = list(dict.fromkeys(name for anatomy in models for name in anatomy.model.inputs))
        self.known = {name: _hull([r[name] for r in ranges if name in r]) for name in self.names}
        self.bounds = bounds
        if isinstance(bounds, str) and bounds not in ("observed", "all"):
            raise ValueError(f"bounds must be 'observed', 'all', a dict or rows, got {bounds!r}")
        given = bounds if isinstance(bounds, Mapping) else {}
        unknown = [name for name in given if name not in self.names]
        if unknown:
            raise ValueError(f"bounds has {unknown[0]!r}, which neither model reads; they read {self.names}")

    def sides(self) -> dict[str, Side]:
        """Return the side of each input.

        Raises
        ------
        ValueError
            If an input has no bounds; the message names all of those.
        """
        found: dict[str, Side] = {}
        open_: list[str] = []
        for name in self.names:
            side = self._side(name)
            if side is None:
                open_.append(name)
            else:
                found[name] = side
        if open_:
            names = ", ".join(map(repr, open_))
            why = (
                "bounds='all' needs every input binned, categorical or capped, and these are not"
                if isinstance(self.bounds, str) and self.bounds == "all"
                else "the range of these inputs in training is not known"
            )
            raise ValueError(
                f"no bounds for {names}: {why}. Give them, as bounds={{{open_[0]!r}: (low, high)}} or as rows "
                "(bounds=X), or cap the models with compact(model, cap=True)"
            )
        return found

    def _side(self, name: str) -> Side | None:
        if isinstance(self.bounds, Mapping):
            if name in self.bounds:
                return self._given(name, self.bounds[name])
        elif not isinstance(self.bounds, str):
            return self._of_rows(name)
        interval: tuple[float, float] | None = None
        if self._reads_numbers(name) and not self._is_closed(name):
            interval = (-FAR, FAR) if self._is_bounded(name) else None
            if not (isinstance(self.bounds, str) and self.bounds == "all"):
                interval = self.known[name] or interval
            if interval is None:
                return None
        return Side(interval, tuple(self._levels(name, interval)))

    def _given(self, name: str, given: Any) -> Side:
        if not self._reads_numbers(name) or self._is_closed(name):
            if isinstance(given, (str, bytes)) or not np.iterable(given):
                raise ValueError(f"bounds[{name!r}] must be a list of levels, got {given!r}")
            return Side(None, tuple(given), strict=True)
        try:
            low, high = (float(end) for end in given)
        except (TypeError, ValueError):
            low, high = np.nan, np.nan
        if not -np.inf < low <= high < np.inf:
            raise ValueError(f"bounds[{name!r}] must be (low, high), two finite numbers in order, got {given!r}")
        return Side((low, high), tuple(self._levels(name, (low, high))))

    def _of_rows(self, name: str) -> Side:
        """Return the values that occur: all of a category's, the range and what is missing of a number's."""
        anatomy, place = self._readers(name)[0]
        table = Table(self.bounds, anatomy.model.reads)
        if not table.n_rows:
            raise ValueError("bounds has no rows")
        if not self._reads_values(name):
            column = np.asarray(table.numbers(place), dtype=np.float64)
            known = column[np.isfinite(column)]
            missing = (float("nan"),) if np.isnan(column).any() else ()
            return Side((float(known.min()), float(known.max())) if len(known) else None, missing, strict=True)
        found = [float("nan") if key is NAN_KEY else key for key in dict.fromkeys(table.values(place))]
        if not self._is_open(name):
            return Side(None, tuple(_distinct(found)), strict=True)
        numbers = [float(value) for value in found if _is_number(value) and value == value]
        rest = [value for value in found if not _is_number(value) or value != value]
        return Side((min(numbers), max(numbers)) if numbers else None, tuple(_distinct(rest)), strict=True)

    def _levels(self, name: str, interval: tuple[float, float] | None) -> list[Any]:
        """Return the single values: levels that are no numbers of the interval, one unknown, and what is missing."""
        levels = _distinct(
            level
            for anatomy in self.models
            for atom in anatomy.atoms
            if atom.sources[0] < anatomy.k and anatomy.model.inputs[atom.sources[0]] == name
            for level in atom.block.params.get("levels", ())
        )
        if interval is None:
            levels.append(_unknown(levels))
        else:
            levels = [level for level in levels if not _is_number(level)]
        missing: list[Any] = [float("nan"), None] if self._reads_values(name) else [float("nan")]
        if self.models[0].model.reads.rows == "mappings":
            missing.append(ABSENT)
        return [*levels, *(value for value in missing if not any(_same(value, level) for level in levels))]

    def _readers(self, name: str) -> list[tuple[Anatomy, int]]:
        return [(a, a.model.inputs.index(name)) for a in self.models if name in a.model.inputs]

    def _reads_numbers(self, name: str) -> bool:
        for anatomy, place in self._readers(name):
            if (anatomy.model.columns == place).any():
                return True
            if any(place in a.sources and (not a.reads_values or a.block.kind == "entry") for a in anatomy.atoms):
                return True
        return False

    def _reads_values(self, name: str) -> bool:
        return any(
            place in atom.sources and atom.reads_values
            for anatomy, place in self._readers(name)
            for atom in anatomy.atoms
        )

    def _is_open(self, name: str) -> bool:
        """Whether an input that is read as a value may be any number: an entry of a mapping."""
        return not any(
            place in atom.sources and atom.block.kind in ("category", "lookup")
            for anatomy, place in self._readers(name)
            for atom in anatomy.atoms
        )

    def _is_closed(self, name: str) -> bool:
        """Whether a model refuses all but its levels."""
        return any(
            place in atom.sources and atom.block.params.get("other") == REFUSED
            for anatomy, place in self._readers(name)
            for atom in anatomy.atoms
        )

    def _is_bounded(self, name: str) -> bool:
        """Whether no term grows without bounds as the input does."""
        for anatomy, place in self._readers(name):
            bounded = {column: place not in needs for column, needs in enumerate(anatomy.needs)}
            for atom in anatomy.atoms:
                kind, params = atom.block.kind, atom.block.params
                done = kind in _BOUNDED or (kind == "spline" and (params["extrapolation"] == CONSTANT))
                done = done or (kind == "function" and params["function"] == SIGN)
                for column in atom.columns:
                    bounded[column] = done or all(bounded[source] for source in atom.sources)
            if not all(bounded[column] for column in anatomy.model.columns.tolist()):
                return False
        return True


def ranges_of(model: Any, small: CompactLinear) -> dict[str, tuple[float, float]]:
    """Return what a model knows of the range of its inputs in training.

    That is the attribute ``input_range_`` of a wrapper, or the range at which a compact model caps an input.
    """
    found: dict[str, tuple[float, float]] = {}
    for block in small.blocks:
        if block.kind == "clip":
            for place, source in enumerate(block.sources):
                if source < len(small.reads):
                    found[small.inputs[source]] = (
                        float(block.params["low"][place]),
                        float(block.params["high"][place]),
                    )
    limits = getattr(model, "input_range_", None)
    if limits is not None:
        names = getattr(model, "feature_names_in_", [f"x{place}" for place in range(np.shape(limits)[1])])
        for name, low, high in zip(map(str, names), *np.asarray(limits).tolist(), strict=True):
            if np.isfinite([low, high]).all():
                found[name] = (low, high)
    return found


def _hull(ranges: list[tuple[float, float]]) -> tuple[float, float] | None:
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number))


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and (a == b or (a != a and b != b)))


def _distinct(values: Any) -> list[Any]:
    kept: dict[Any, Any] = {}
    for value in values:
        kept.setdefault(NAN_KEY if isinstance(value, float) and value != value else value, value)
    return list(kept.values())


def _unknown(levels: list[Any]) -> Any:
    """Return a value that is none of the levels."""
    numbers = [level for level in levels if _is_number(level) and level == level]
    if numbers and not any(isinstance(level, str) for level in levels):
        return float(np.floor(max(numbers)) + 1)
    name = "(another)"
    while name in levels:
        name += "'"
    return name
