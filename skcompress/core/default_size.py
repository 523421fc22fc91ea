"""The size of each problem of a selection by the extended BIC, on a quadratic model.

The deviance of a support on the quadratic is its loss, less what of that is penalty. Without a penalty it can be read
off the curve of losses, and with the bounds of the sizes none that could be the best is left out. With one, the curve
says where to look, and the sizes around that are compared by the deviance itself.
"""

from __future__ import annotations

import numpy as np

from .budget import Choice, by_level
from .criterion import Criterion, lowest_around
from .linalg import Floats
from .selection import Selection
from .subset.profile import EVERY_SIZE, best_size

PERFECT = 1e-9
"""Relative deviance of the full model below which it counts as a perfect fit."""


def by_criterion(selection: Selection, refit: bool) -> Choice:
    """Return for each problem the size with the lowest criterion.

    Parameters
    ----------
    selection : Selection
        What the searches know.
    refit : bool
        Whether the kept weights move to their optimum.

    Raises
    ------
    ValueError
        If the quadratic model does not know its deviance or the number of rows.
    """
    if selection.quadratic.base_loss is None or selection.quadratic.n_samples is None:
        raise ValueError(
            "without a budget an information criterion chooses the size, and this model has no base_loss or no "
            "n_samples for it: set n_nonzero, threshold or max_loss"
        )
    sizes = [_size(selection, place, refit) if p.most else 0 for place, p in enumerate(selection.profiles)]
    return by_level(selection.profiles, sizes)


def _size(selection: Selection, place: int, refit: bool) -> int:
    profile, quadratic = selection.profiles[place], selection.quadratic
    problem = profile.problem
    outputs = np.arange(quadratic.n_outputs) if len(selection.profiles) == 1 else np.array([place])
    assert quadratic.base_loss is not None
    base = float((quadratic.base_loss / quadratic.unit)[outputs].sum())
    n_units = len(problem.kept)
    per_unit = problem.n_weights / max(1, n_units)
    known, null = quadratic.known_dispersion, max(base + problem.empty_loss, np.finfo(np.float64).tiny)
    n_rows = float(quadratic.n_samples or 1.0)
    bearable = n_rows * problem.n_rows / 2
    if not known and base < PERFECT * null and profile.most < n_units:
        bearable = min(bearable, profile.most * per_unit / 2)
    criterion = Criterion(
        n_rows,
        n_units,
        known,
        n_outputs=problem.n_rows,
        largest=max(profile.least * per_unit, bearable),
    )
    # Deviances come in units of loss.
    scale = float(quadratic.unit[outputs].mean()) if known else 1 / null

    def by_curve(size: Floats, loss: Floats) -> Floats:
        return criterion((base + loss) * scale, per_unit * size, size)

    begin = best_size(profile, by_curve, every=EVERY_SIZE, first=True)
    penalized = (quadratic.penalty != 0) | (quadratic.penalty_slope != 0)
    if not penalized[quadratic.free].any() and per_unit == round(per_unit):
        return begin

    def by_deviance(size: int) -> float:
        support = selection.support_of(place, profile.find(size).units)
        weights = np.where(support, quadratic.centre, 0.0)
        if refit:
            weights = quadratic.restrict(support, selection.units.kept_columns).centre
        rise = quadratic.output_losses(weights) - (quadratic.penalties(weights) - quadratic.base_penalty)
        deviance = base + float((rise / quadratic.unit)[outputs].sum())
        return float(criterion(deviance * scale, np.count_nonzero(support), size))

    return lowest_around([begin], profile.least, profile.most, by_deviance)
