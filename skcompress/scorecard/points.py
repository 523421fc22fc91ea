"""Integer points and their multiplier, by descent on the log loss.

    log-odds = intercept + multiplier x (sum of the points of the lines that hold)

Rows that answer all lines alike are one row with a weight, so that a trial costs some hundred operations whatever the
number of rows. Start: float weights rounded at many multipliers. Moves: one line's points by one, or two lines' points
by one each, the intercept and the multiplier re-solved by Newton's method at each trial (as the auxiliary loss of
FasterRisk; Liu et al., NeurIPS 2022). Best improvement, until none is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MULTIPLIERS = 40
_STARTS = 3
_NEWTON = 30


class Patterns(NamedTuple):
    """Distinct rows of 0/1 lines, shape (m, k), and the weight of both classes in each, shape (m,)."""

    rows: Floats
    bad: Floats
    all: Floats


class Card(NamedTuple):
    """Points, shape (k,), the multiplier, the intercept and the mean log loss."""

    points: Ints
    multiplier: float
    intercept: float
    loss: float


def patterns_of(lines: Floats, y: Floats, weight: Floats) -> Patterns:
    """Gather the rows that answer all lines alike."""
    rows, place = np.unique(lines, axis=0, return_inverse=True)
    place = place.ravel()
    bad = np.bincount(place, weight * y, minlength=len(rows)).astype(np.float64)
    return Patterns(rows, bad, np.bincount(place, weight, minlength=len(rows)).astype(np.float64))


def fit_line(patterns: Patterns, total: Floats, start: tuple[float, float]) -> tuple[float, float, float]:
    """Return (intercept, multiplier, mean log loss) with the least loss for these totals, the multiplier not negative.

    Parameters
    ----------
    patterns : Patterns
        The rows.
    total : ndarray of shape (m,)
        Sum of the points of each pattern.
    start : (intercept, multiplier)
        Where Newton's method begins.
    """
    size = patterns.all.sum()

    def loss_of(b: float, s: float) -> float:
        eta = b + s * total
        return float((patterns.all @ np.logaddexp(0.0, eta) - patterns.bad @ eta) / size)

    b, s = start
    loss = loss_of(b, s)
    for _ in range(_NEWTON):
        p = expit(b + s * total)
        residual, curve = patterns.all * p - patterns.bad, patterns.all * p * (1.0 - p)
        g0, g1 = residual.sum(), residual @ total
        h0, h1, h2 = curve.sum(), curve @ total, curve @ total**2
        determinant = h0 * h2 - h1 * h1
        if determinant > 1e-12 * h0 * h2:
            step = (-(h2 * g0 - h1 * g1) / determinant, -(h0 * g1 - h1 * g0) / determinant)
        else:
            step = (-g0 / max(h0, 1e-300), 0.0)
        for _ in range(20):
            new = loss_of(b + step[0], s + step[1])
            if new <= loss:
                break
            step = (step[0] / 2, step[1] / 2)
        else:
            break
        b, s, gain, loss = b + step[0], s + step[1], loss - new, new
        if gain < 1e-12:
            break
    if s < 0.0:
        # Points that point the wrong way carry nothing.
        rate = patterns.bad.sum() / size
        b = float(np.log(rate / (1.0 - rate)))
        return b, 0.0, loss_of(b, 0.0)
    return b, s, loss


def integer_points(
    patterns: Patterns, weights: Floats, intercept: float, low: Ints, high: Ints, *, max_sweeps: int = 100
) -> Card:
    """Return the points within [low, high] that descent finds from float weights.

    Parameters
    ----------
    patterns : Patterns
        The rows.
    weights : ndarray of shape (k,)
        Float log-odds of the lines.
    intercept : float
        Their intercept.
    low, high : ndarray of shape (k,), integers
        Least and greatest points of each line.
    max_sweeps : int, default=100
        Most moves.
    """
    largest, span = np.abs(weights).max(initial=0.0), int(max(high.max(initial=0), -low.min(initial=0), 1))
    if largest == 0.0:
        b, _, loss = fit_line(patterns, np.zeros(len(patterns.all)), (intercept, 0.0))
        return Card(np.zeros(len(weights), dtype=np.int64), 1.0, b, loss)
    cards: dict[bytes, Card] = {}
    for multiplier in largest / span * np.geomspace(0.6, 2.5, _MULTIPLIERS):
        points = np.clip(np.rint(weights / multiplier), low, high).astype(np.int64)
        if points.tobytes() not in cards:
            cards[points.tobytes()] = _solved(patterns, points, (intercept, float(multiplier)))
    starts = sorted(cards.values(), key=lambda card: card.loss)[:_STARTS]
    return min((_descended(patterns, card, low, high, max_sweeps) for card in starts), key=lambda card: card.loss)


def _solved(patterns: Patterns, points: Ints, start: tuple[float, float]) -> Card:
    b, s, loss = fit_line(patterns, patterns.rows @ points, start)
    return Card(points, s, b, loss)


def _descended(patterns: Patterns, card: Card, low: Ints, high: Ints, max_sweeps: int) -> Card:
    k = len(card.points)
    unit = np.eye(k, dtype=np.int64)
    single = [sign * unit[j] for j in range(k) for sign in (1, -1)]
    pairs = [a * unit[i] + b * unit[j] for i in range(k) for j in range(i) for a in (1, -1) for b in (1, -1)]
    for _ in range(max_sweeps):
        for moves in (single, pairs):
            best = card
            for move in moves:
                points = card.points + move
                if (points >= low).all() and (points <= high).all():
                    trial = _solved(patterns, points, (card.intercept, card.multiplier))
                    best = trial if trial.loss < best.loss - 1e-12 else best
            if best is not card:
                break
        if best is card:
            break
        card = best
    return card
