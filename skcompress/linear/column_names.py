"""Turn what users say about columns (names, indices, labels) into arrays over the leaf's features.

A name may be a feature of the leaf ("onehot__term_36") or a raw input ("term"): a raw name stands for every feature
that is made of that input.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.linalg import Floats, Indices, Mask
from .containers import Leaf
from .lineage import Origins, feature_names, raw_origins

_SHOWN = 8


@dataclass(frozen=True)
class Columns:
    """The leaf's features and the raw inputs that they come from.

    Attributes
    ----------
    leaf : Leaf
        The fitted leaf.
    n_features : int
        Number of features of the leaf, p.
    inputs : ndarray of str
        Names of the raw inputs: those of the frame, else x0, x1, ...
    """

    leaf: Leaf
    n_features: int
    inputs: NDArray[Any]

    @classmethod
    def of(cls, fitted: Any, leaf: Leaf, n_features: int) -> Columns:
        """Return the columns of a fitted model with this leaf."""
        inputs = getattr(fitted, "feature_names_in_", None)
        if inputs is None:
            inputs = np.array([f"x{index}" for index in range(getattr(fitted, "n_features_in_", 1))], dtype=object)
        return cls(leaf, n_features, np.asarray(inputs, dtype=object))

    @cached_property
    def names(self) -> NDArray[Any]:
        """Names of the leaf's features, shape (p,)."""
        names = getattr(self.leaf.estimator, "feature_names_in_", None)
        if names is None:
            names = feature_names(self.leaf.steps, self.inputs)
        if len(names) != self.n_features:
            return np.array([f"x{index}" for index in range(self.n_features)], dtype=object)
        return np.asarray(names, dtype=object)

    @cached_property
    def origins(self) -> Origins:
        """For each feature the raw inputs that it is made of."""
        return raw_origins(self.leaf.steps, len(self.inputs), self.n_features)

    def select(self, wanted: Any, parameter: str) -> Mask:
        """Return a mask of the features that names, indices or a boolean mask stand for, shape (p,).

        Raises
        ------
        ValueError
            If a name or an index is no column, or a mask has another length than p.
        """
        mask = np.zeros(self.n_features, dtype=bool)
        listed = listed_columns(wanted, parameter)
        if listed and all(isinstance(item, (bool, np.bool_)) for item in listed):
            if len(listed) != self.n_features:
                raise ValueError(
                    f"{parameter} as a mask must have {self.n_features} entries, one for each feature of "
                    f"{type(self.leaf.estimator).__name__}; got {len(listed)}"
                )
            return np.array(listed, dtype=bool)
        for item in listed:
            mask[self.positions(item, parameter)] = True
        return mask

    def kept(self, wanted: Any, free: Mask) -> Mask:
        """Return a mask of the features in `keep`, and warn of those without a free weight, (m, p), to be kept."""
        mask = self.select(wanted, "keep")
        listed = listed_columns(wanted, "keep")
        lost = [item for item in listed if isinstance(item, str) and not len(self.positions(item, "keep"))]
        if lost:
            warnings.warn(
                f"keep holds {', '.join(map(repr, lost[:_SHOWN]))}, of which a step before the model leaves no "
                "feature: there is no weight to be kept",
                UserWarning,
                stacklevel=2,
            )
        absent = mask & ~free.any(axis=0)
        if absent.any():
            warnings.warn(
                f"keep holds {self.told(absent)}, which the estimator inside has at zero already: there is no weight "
                "to be kept",
                UserWarning,
                stacklevel=2,
            )
        return mask

    def told(self, chosen: Mask | Indices) -> str:
        """Return the names of some features, by a mask (p,) or places, as a message shows them."""
        names = self.names[chosen].tolist()
        return ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")

    def positions(self, item: Any, parameter: str) -> Indices:
        """Return the features that one name or index stands for."""
        if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            if not -self.n_features <= item < self.n_features:
                raise ValueError(f"{parameter} names feature {item}, but the model has {self.n_features} features")
            return np.array([int(item) % self.n_features])
        found = self.names == item
        raw = np.flatnonzero(self.inputs == item)
        if len(raw):
            found = found | np.array([raw[0] in origin for origin in self.origins], dtype=bool)
        elif not found.any():
            raise ValueError(f"{parameter} names {item!r}, which is no column: {self._known()}")
        return np.flatnonzero(found)

    def signs_beside(self, given: Floats, asked: Any) -> Floats:
        """Return the signs of `monotonic_cst` where it asks for one, and else those given, (m, p).

        Raises
        ------
        ValueError
            If it asks for the other sign than the one given.
        """
        signs = np.broadcast_to(self.signs(asked, "monotonic_cst"), given.shape)
        against = np.flatnonzero((signs * given < 0).any(axis=0))
        if len(against):
            place = int(against[0])
            raise ValueError(
                f"monotonic_cst asks for the sign {int(signs[0, place]):+d} of {self.names[place]!r}, and the "
                "estimator inside holds the other one, by positive=True or by its own monotonic_cst: use 0 for it, or "
                "change the estimator"
            )
        return np.where(signs != 0, signs, given)

    def signs(self, wanted: Any, parameter: str) -> Floats:
        """Return the sign of each feature, -1, 0 or 1, from an array of them or a dict from columns to signs.

        Raises
        ------
        ValueError
            If a sign is another number, a name is no column, the array has another length than p, or one feature
            gets both signs.
        """
        signs = np.zeros(self.n_features)
        if isinstance(wanted, Mapping):
            for item, given in wanted.items():
                places = self.positions(item, parameter)
                sign = _sign(given, f"{parameter}[{item!r}]")
                both = places[signs[places] * sign < 0]
                if len(both):
                    raise ValueError(f"{parameter} gives both signs to {self.names[both[0]]!r}: a feature can have one")
                signs[places] = np.where(signs[places] != 0, signs[places], sign)
            return signs
        listed = list(wanted) if np.ndim(wanted) == 1 else None
        if listed is None or len(listed) != self.n_features:
            got = f"{len(listed)} entries" if listed is not None else repr(wanted)
            raise ValueError(
                f"{parameter} must be a dict from columns to signs, or have {self.n_features} entries, one for each "
                f"feature of {type(self.leaf.estimator).__name__}; got {got}"
            )
        return np.array([_sign(given, f"{parameter}[{place}]") for place, given in enumerate(listed)], dtype=np.float64)

    def labels(self, groups: Any) -> Any:
        """Return None, "feature", or the group label of each feature, shape (p,).

        Raises
        ------
        ValueError
            If `groups` is an unknown word, or names no column, or has another length than p.
        """
        if groups is None or (isinstance(groups, str) and groups == "feature"):
            return groups
        check_groups(groups)
        if isinstance(groups, str):
            self._warn_of_no_steps()
            return self._numbered(list(self.origins))
        if isinstance(groups, Mapping):
            return self._numbered(self._from_mapping(groups))
        labels = groups(self.names) if callable(groups) else groups
        if isinstance(labels, str) or not isinstance(labels, Iterable):
            raise ValueError(f"feature_groups as a callable must return labels, one for each feature; got {labels!r}")
        labels = list(labels)
        if len(labels) != self.n_features:
            raise ValueError(
                f"feature_groups must give {self.n_features} labels, one for each feature of "
                f"{type(self.leaf.estimator).__name__}; got {len(labels)}"
            )
        _require_labels(labels)
        return self._numbered(labels)

    def _warn_of_no_steps(self) -> None:
        if not self.leaf.steps:
            warnings.warn(
                "feature_groups='input' groups nothing here: each column that the wrapper gets counts as one input. "
                "To group the features of one raw column, put the transformers inside the wrapper: "
                "PrunedRegressor(make_pipeline(columns, Ridge()), feature_groups='input')",
                UserWarning,
                stacklevel=2,
            )

    def _from_mapping(self, groups: Mapping[Any, Any]) -> list[Hashable]:
        """Read {label: columns}; a column in no group is a group of its own."""
        labels: list[Hashable] = [("single", index) for index in range(self.n_features)]
        for label, members in groups.items():
            for index in np.flatnonzero(self.select(members, f"feature_groups[{label!r}]")):
                taken = labels[index]
                if isinstance(taken, tuple) and taken[0] == "group" and taken[1] != label:
                    raise ValueError(
                        f"feature_groups puts {self.names[index]!r} into both {taken[1]!r} and {label!r}: "
                        "a feature can be in one group"
                    )
                labels[index] = ("group", label)
        return labels

    def _numbered(self, labels: list[Any]) -> Indices:
        numbers: dict[Any, int] = {}
        # A missing label is one label, though NaN does not equal itself.
        same = (None if isinstance(label, Real) and label != label else label for label in labels)
        return np.array([numbers.setdefault(label, len(numbers)) for label in same], dtype=np.intp)

    def _known(self) -> str:
        known = list(dict.fromkeys([*self.inputs, *self.names]))
        shown = ", ".join(map(repr, known[:_SHOWN]))
        return f"the columns are {shown}" + (f", ... ({len(known)} in all)" if len(known) > _SHOWN else "")


def listed_columns(wanted: Any, parameter: str) -> list[Any]:
    """Return names, indices or a mask as a list.

    Raises
    ------
    ValueError
        If this is neither a name or an index nor several of them.
    """
    if isinstance(wanted, (str, Integral)) and not isinstance(wanted, bool):
        return [wanted]
    listed = list(wanted) if isinstance(wanted, Iterable) else None
    if listed is None or not all(isinstance(item, (str, Integral, np.bool_)) for item in listed):
        raise ValueError(f"{parameter}={wanted!r} must be a name or an index of a column, a list of them, or a mask")
    return listed


def check_groups(groups: Any) -> None:
    """Raise ValueError unless this may be groups of columns, whatever the columns are."""
    if groups is None or callable(groups) or isinstance(groups, Mapping):
        return
    if groups not in ("feature", "input") if isinstance(groups, str) else not isinstance(groups, Iterable):
        raise ValueError(
            f"feature_groups must be None, 'feature', 'input', labels, a dict or a callable; got {groups!r}"
        )
    if not isinstance(groups, str):
        _require_labels(groups)


def _require_labels(labels: Iterable[Any]) -> None:
    for label in labels:
        try:
            hash(label)
        except TypeError:
            raise ValueError(
                f"feature_groups has the label {label!r}: a label must be hashable, such as a name or a number"
            ) from None


def _sign(given: Any, told: str) -> float:
    if isinstance(given, Real) and not isinstance(given, (bool, np.bool_)) and given in (-1, 0, 1):
        return float(given)
    raise ValueError(f"{told}={given!r} must be -1 (not positive), 0 (any sign) or 1 (not negative)")
