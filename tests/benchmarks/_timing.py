"""Time rival calls in one run: interleaved repeats, medians of ratios, a fixed number of BLAS threads.

Every repeat calls each rival once, so that whatever else the machine does hits all of them alike. A ratio is taken
within a repeat and the median over repeats is reported, for wall time and for the CPU time of this process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Timing:
    """Seconds of each repeat, shape (repeats,)."""

    wall: np.ndarray
    cpu: np.ndarray

    @property
    def seconds(self) -> float:
        """Median wall time."""
        return float(np.median(self.wall))

    def ratio(self, base: Timing) -> float:
        """Median over repeats of the wall time relative to `base`."""
        return float(np.median(self.wall / base.wall))

    def cpu_ratio(self, base: Timing) -> float:
        """Median over repeats of the CPU time relative to `base`."""
        return float(np.median(self.cpu / base.cpu))


def interleave(calls: dict[str, Callable[[], Any]], *, repeats: int, threads: int, loops: int = 1) -> dict[str, Timing]:
    """Time each call `repeats` times, in turn, after one call to warm up.

    Parameters
    ----------
    calls : dict of str to callable
        The rivals.
    repeats : int
        How often each is timed.
    threads : int
        BLAS and OpenMP threads.
    loops : int, default=1
        Calls that are timed together, for calls of microseconds.
    """
    wall: dict[str, list[float]] = {name: [] for name in calls}
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    with threadpool_limits(threads):
        for call in calls.values():
            call()
        for repeat in range(repeats):
            shift = repeat % len(names)
            for name in names[shift:] + names[:shift]:
                call = calls[name]
                wall_start, cpu_start = time.perf_counter(), time.process_time()
                for _ in range(loops):
                    call()
                wall[name].append((time.perf_counter() - wall_start) / loops)
                cpu[name].append((time.process_time() - cpu_start) / loops)
    return {name: Timing(np.array(wall[name]), np.array(cpu[name])) for name in names}


def race(
    calls: dict[str, Callable[[], Any]], *, repeats: int, budget: float = np.inf
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Call rivals in turn on one thread; return what each gave, and its CPU seconds, shape (calls made,).

    A rival that has used up its budget of seconds is not called again.
    """
    answers: dict[str, Any] = {}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    with threadpool_limits(1):
        for repeat in range(repeats):
            shift = repeat % len(names)
            for name in names[shift:] + names[:shift]:
                if sum(seconds[name]) > budget:
                    continue
                start = time.process_time()
                answers[name] = calls[name]()
                seconds[name].append(time.process_time() - start)
    return answers, {name: np.array(spent) for name, spent in seconds.items()}


def median_ratio(seconds: np.ndarray, base: np.ndarray) -> float:
    """Median of the ratios of the repeats that both have made."""
    both = min(len(seconds), len(base))
    return float(np.median(seconds[:both] / base[:both]))
