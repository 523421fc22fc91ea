"""Terms of intervals: which one a number lies in.

With edges e_1 < ... < e_k, number x lies in interval b = the number of edges <= x, one of 0..k.

bins    one column for each slot >= 0: 1 where x lies in an interval of that slot
step    one column: values[b]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .kind import NO_TERM, Column, Function, Kept, Mask, Params, TermKind, number_of_slots, renumbered


def _require_edges(params: Params, per_interval: str, n_sources: int) -> None:
    edges = params["edges"]
    if n_sources != 1 or (np.diff(edges) < 0).any() or len(params[per_interval]) != len(edges) + 1:
        raise ValueError(f"bins read one column and have edges in order, with one of {per_interval} more")


def _interval(x: NDArray[np.float64], edges: NDArray[np.float64], name: str) -> NDArray[np.intp]:
    finite = np.isfinite(x)
    if not finite.all():
        worst = int(np.argmin(finite))
        raise ValueError(f"input {name!r} is {x[worst]} in row {worst}: it must be a finite number")
    return np.searchsorted(edges, x, side="right")


def _check_bins(params: Params, n_sources: int) -> int:
    _require_edges(params, "slots", n_sources)
    return number_of_slots(params["slots"], NO_TERM)


def _prepare_bins(params: Params, name: str) -> Function:
    slots = params["slots"].astype(np.intp)
    return lambda columns: slots[_interval(columns[0], params["edges"], name)]


def _keep_bins(params: Params, mask: Mask, n_sources: int) -> Kept:
    slots = renumbered(params["slots"], mask)
    # Neighbours that do the same become one interval.
    parted = np.diff(slots) != 0
    return {"edges": params["edges"][parted], "slots": slots[np.append(True, parted)]}, np.ones(1, dtype=bool)


def _check_step(params: Params, n_sources: int) -> int:
    _require_edges(params, "values", n_sources)
    return 1


def _prepare_step(params: Params, name: str) -> Function:
    def run(columns: Sequence[Column]) -> NDArray[np.float64]:
        stairs: NDArray[np.float64] = params["values"][_interval(columns[0], params["edges"], name)][:, None]
        return stairs

    return run


def _keep_step(params: Params, mask: Mask, n_sources: int) -> Kept:
    return dict(params), np.ones(1, dtype=bool)


BINS = TermKind(9, (("edges", "floats"), ("slots", "ints")), "numbers", _check_bins, _prepare_bins, _keep_bins, "one")
STEP = TermKind(10, (("edges", "floats"), ("values", "floats")), "numbers", _check_step, _prepare_step, _keep_step)
