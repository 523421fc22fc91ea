"""Terms that are products of columns, such as the squares and interactions of a polynomial.

Output j is the product of sizes[j] sources; `factors` lists them one output after the other. A power is a source
that comes more than once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .kind import Column, Function, Kept, Mask, Params, TermKind


def _check(params: Params, n_sources: int) -> int:
    sizes, factors = params["sizes"], params["factors"]
    # A size beyond the number of factors could make the sum wrap around.
    if ((sizes < 1) | (sizes > len(factors))).any() or int(sizes.sum()) != len(factors):
        raise ValueError("a product has at least one factor, and as many as its size says")
    if len(factors) and not 0 <= factors.min() <= factors.max() < n_sources:
        raise ValueError("a product has a factor that is no source")
    return len(sizes)


def _prepare(params: Params, name: str) -> Function:
    sizes, factors = params["sizes"], params["factors"]
    starts = np.cumsum(sizes) - sizes
    groups = []
    for size in np.unique(sizes):
        outputs = np.flatnonzero(sizes == size)
        groups.append((outputs, factors[starts[outputs][:, None] + np.arange(size)]))

    def run(columns: Sequence[Column]) -> NDArray[np.float64]:
        X = np.column_stack(columns)
        out = np.empty((len(X), len(sizes)), dtype=X.dtype)
        for outputs, sources in groups:
            product = X[:, sources[:, 0]]
            for place in range(1, sources.shape[1]):
                product = product * X[:, sources[:, place]]
            out[:, outputs] = product
        return out

    return run


def _keep(params: Params, mask: Mask, n_sources: int) -> Kept:
    factors = params["factors"][np.repeat(mask, params["sizes"])]
    used = np.zeros(n_sources, dtype=bool)
    used[factors] = True
    return {"sizes": params["sizes"][mask], "factors": (np.cumsum(used) - 1)[factors]}, used


PRODUCT = TermKind(12, (("sizes", "ints"), ("factors", "ints")), "numbers", _check, _prepare, _keep)
