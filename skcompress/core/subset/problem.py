"""What a search works on: `Problem`, and how a quadratic model is cut into problems.

single weights                             a `ColumnProblem` for each output
columns, one H for all outputs             one `ColumnProblem` with a row of moments for each output
columns, H too large and not shared        one `StackedProblem`
all other groups                           one `BlockProblem`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from ..gram import DenseGram
from ..linalg import Floats, Indices, Mask
from ..quadratic import QuadraticModel
from ..units import Importance, Units
from .backward import EliminationPath
from .blocks import BlockProblem
from .columns import ColumnProblem
from .curvature import Curvature, require
from .relaxation import Relaxation
from .stacked import StackedProblem


class Problem(Protocol):
    """Keep k of n units, for the least loss. Units are numbered 0..n-1 inside a problem.

    Attributes
    ----------
    unit_ids : ndarray of shape (n,)
        The unit that each position stands for.
    kept : ndarray of shape (n,), dtype=bool
        Units that stay.
    empty_loss : float
        Loss with nothing kept, in units of loss; a support's loss is this minus what it explains.
    is_dense : bool
        Whether the whole curvature can be had; else only some of its rows.
    n_rows : int
        Number of outputs.
    n_weights : int
        Number of weights that all units have together.
    """

    unit_ids: Indices
    kept: Mask
    empty_loss: float
    is_dense: bool
    n_rows: int
    n_weights: int

    @property
    def kept_is_independent(self) -> bool:
        """Whether the units that are always kept are independent, or need not be."""

    @property
    def most(self) -> int:
        """Largest size of a support without dependent units, as far as that is known."""

    @property
    def floor(self) -> float:
        """A loss below which no support can get."""

    @property
    def known_floor(self) -> float:
        """The same as far as no rounding error is in it: -inf where the floor has to be computed."""

    @property
    def bounds(self) -> Floats:
        """A loss below which no support of the sizes 0..n can get, shape (n + 1,)."""

    def forward(self, size: int) -> tuple[Indices, Floats]:
        """Return the first `size` units of forward selection, or as many as there are, and their gains."""

    def complete(self, chosen: Indices, size: int, barred: Indices) -> Indices:
        """Add units other than the barred ones by forward selection until there are `size`; ascending."""

    def backward(self, size: int) -> Indices:
        """Return the units that backward elimination by OBS leaves, at most `size`; ascending."""

    def elimination_path(self, importance: Importance | None = None) -> EliminationPath:
        """Return backward elimination by an importance, None: OBS, down to the kept units."""

    def swap(self, chosen: Indices) -> tuple[Indices, float]:
        """Improve a support until no swap lowers the loss; return it and what it explains."""

    def gains_along(self, order: Indices) -> Floats:
        """Return by how much each unit lowers the loss when added in this order."""

    def untouched_loss(self, chosen: Indices) -> float:
        """Return the loss of a support whose weights stay as they are."""

    def untouched_losses(self, order: Indices) -> Floats:
        """Return the losses of all beginnings of an order when the weights stay as they are, shape (len + 1,)."""

    def swap_along(self, order: Indices, sizes: Mask) -> Iterator[tuple[int, Indices, float]]:
        """Improve many beginnings of an order of independent units; yield size, support and what it explains."""

    def scores(self, importance: Importance) -> Floats:
        """Return the score of each unit at the full model, shape (n,)."""

    def relax(self, present: Mask, removable: Mask) -> Relaxation:
        """Return the models on b sets of units, masks of shape (b, n), and what removing more of them costs."""

    def rounding_error(self, rise: float, slope: float = 0.0) -> float:
        """Return how far rounding may have moved the losses of supports that lose at most `rise` above the floor.

        Up to the share `slope` of the largest moment a slope is not told from none.
        """


def problems_of(quadratic: QuadraticModel, units: Units) -> list[Problem]:
    """Cut a quadratic model into independent problems.

    Parameters
    ----------
    quadratic : QuadraticModel
        Its gradient need not be zero: only moments are used, except for the importances that look at the weights
        at hand.
    units : Units
        What is kept or pruned as a whole.
    """
    curved = quadratic.dot(quadratic.centre) if quadratic.centre.any() else np.zeros_like(quadratic.centre)
    moment = curved - quadratic.gradient / 2
    empty = quadratic.loss_at_centre + np.einsum("ij,ij->i", curved - quadratic.gradient, quadratic.centre)
    empty = empty / quadratic.loss_unit
    floor = None if quadratic.gradient[quadratic.free].any() else quadratic.loss_at_centre / quadratic.loss_unit
    if units.per_output:
        return _single_weights(quadratic, units, moment, empty, floor)
    same_free = bool((units.labels == units.labels[:1]).all())
    counts = np.bincount(units.labels[0][units.labels[0] >= 0]) if same_free else np.zeros(0)
    whole, lowest = float(empty.sum()), None if floor is None else float(floor.sum())
    if quadratic.shared and same_free and counts.max(initial=0) <= 1:
        return [_whole_columns(quadratic, units, moment, whole, lowest)]
    single = np.bincount(units.labels.max(axis=0)[units.labels.max(axis=0) >= 0]).max(initial=0) <= 1
    if single and not all(isinstance(gram, DenseGram) for gram in quadratic.grams):
        stacked = _stacked(quadratic, units, moment, empty, floor)
        if not any(part.is_dense for part in stacked.parts):
            return [stacked]
    return [_blocks(quadratic, units, moment, whole, lowest, quadratic.shared and same_free)]


def _single_weights(
    quadratic: QuadraticModel, units: Units, moment: Floats, empty: Floats, floor: Floats | None
) -> list[Problem]:
    problems: dict[int, Problem] = {}
    for outputs, columns in quadratic.systems():
        curvature = Curvature(quadratic, int(outputs[0]), columns, units.kept_columns)
        for output in outputs.tolist():
            root = np.sqrt(quadratic.loss_unit[output])
            ids = units.labels[output, columns]
            problems[output] = ColumnProblem(
                curvature,
                moment[output : output + 1, columns] / (curvature.scale * root),
                quadratic.centre[output : output + 1, columns],
                curvature.scale[None] / root,
                units.kept[ids],
                ids,
                float(empty[output]),
                None if floor is None else float(floor[output]),
            )
    return [problems[output] for output in range(quadratic.n_outputs)]


def _whole_columns(
    quadratic: QuadraticModel, units: Units, moment: Floats, empty: float, floor: float | None
) -> Problem:
    columns = np.flatnonzero(units.labels[0] >= 0)
    curvature = Curvature(quadratic, 0, columns, units.kept_columns)
    root = np.sqrt(quadratic.loss_unit)[:, None]
    ids = units.labels[0, columns]
    return ColumnProblem(
        curvature,
        moment[:, columns] / (curvature.scale * root),
        quadratic.centre[:, columns],
        curvature.scale / root,
        units.kept[ids],
        ids,
        empty,
        floor,
    )


def _stacked(
    quadratic: QuadraticModel, units: Units, moment: Floats, empty: Floats, floor: Floats | None
) -> StackedProblem:
    columns = np.flatnonzero((units.labels >= 0).any(axis=0))
    ids = units.labels[:, columns].max(axis=0, initial=-1)
    parts = []
    for output in range(quadratic.n_outputs):
        curvature = Curvature(quadratic, output, columns, units.kept_columns)
        free = quadratic.free[output, columns]
        curvature.diagonal *= free
        root = np.sqrt(quadratic.loss_unit[output])
        parts.append(
            ColumnProblem(
                curvature,
                np.where(free, moment[output, columns] / (curvature.scale * root), 0.0)[None],
                np.where(free, quadratic.centre[output, columns], 0.0)[None],
                curvature.scale[None] / root,
                units.kept[ids],
                ids,
                float(empty[output]),
                None if floor is None else float(floor[output]),
            )
        )
    return StackedProblem(parts)


def _blocks(
    quadratic: QuadraticModel, units: Units, moment: Floats, empty: float, floor: float | None, shared: bool
) -> Problem:
    columns = np.flatnonzero((units.labels >= 0).any(axis=0))
    unit_of_column = units.labels[:, columns].max(axis=0, initial=-1)
    size = len(columns)
    parts = [np.arange(quadratic.n_outputs)] if shared else [np.array([o]) for o in range(quadratic.n_outputs)]
    require(24 * len(parts) * size**2, f"the curvature of {size} grouped columns")
    matrix = np.empty((len(parts), size, size))
    moments, centre, factors = [], [], []
    for b, outputs in enumerate(parts):
        curvature = Curvature(quadratic, int(outputs[0]), columns, units.kept_columns)
        root = np.sqrt(quadratic.loss_unit[outputs])[:, None]
        free = quadratic.free[np.ix_(outputs, columns)]
        alive = free[0] & (curvature.diagonal > 0)
        matrix[b] = curvature.matrix * np.outer(alive, alive)
        np.fill_diagonal(matrix[b], 1.0)
        moments.append(np.where(alive, moment[np.ix_(outputs, columns)] / (curvature.scale * root), 0.0))
        centre.append(np.where(free, quadratic.centre[np.ix_(outputs, columns)], 0.0))
        factors.append(curvature.scale / root)
    ids, local = np.unique(unit_of_column, return_inverse=True)
    arrays = [np.array(part).reshape(len(parts), -1, size) for part in (moments, centre, factors)]
    return BlockProblem(
        matrix,
        *arrays,
        members=[np.flatnonzero(local.reshape(-1) == unit) for unit in range(len(ids))],
        kept=units.kept[ids],
        kept_columns=units.kept_columns[columns],
        unit_ids=ids,
        empty_loss=empty,
        floor=floor,
        n_weights=int((units.labels >= 0).sum()),
    )
