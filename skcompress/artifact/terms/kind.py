"""What a kind of block is: `TermKind`, and how blocks of one output for each source work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Params = Mapping[str, Any]
Mask = NDArray[np.bool_]
Column = Any
"""A number column: an ndarray of shape (n,). A value column: a list of n keys of `categories.key_of`."""
Function = Callable[[Sequence[Column]], Any]
Kept = tuple[dict[str, Any], Mask]

NO_TERM = -1


class Entries(NamedTuple):
    """Outputs as a sparse matrix by rows: row i has `values` at `slots` from starts[i] to starts[i + 1]."""

    starts: NDArray[np.intp]
    slots: NDArray[np.intp]
    values: NDArray[np.float64]

    def dense(self, n_out: int) -> NDArray[np.float64]:
        """Return the matrix, shape (n, n_out)."""
        out = np.zeros((len(self.starts) - 1, n_out))
        np.add.at(out, (np.repeat(np.arange(len(out)), np.diff(self.starts)), self.slots), self.values)
        return out

    def dot(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Return the matrix times weights of shape (n_out, m)."""
        terms = weights[self.slots] * self.values[:, None]
        out = np.zeros((len(self.starts) - 1, weights.shape[1]))
        filled = np.diff(self.starts) > 0
        if len(terms):
            out[filled] = np.add.reduceat(terms, self.starts[:-1][filled], axis=0)
        return out


class TermKind(NamedTuple):
    """A kind of block.

    Attributes
    ----------
    code : int
        Number in the byte format.
    fields : tuple of (name, type)
        Parameters, in the order in which they are written.
    reads : "numbers" or "values"
        Form in which the source columns are wanted.
    check : callable(params, n_sources) -> int
        Raise ValueError unless the parameters fit together; return the number of columns that come out.
    prepare : callable(params, name) -> callable(columns) -> output
        The function of the source columns, made once for each model; `name` is the first source's name, for
        messages. Its output has the kind's `form`.
    keep : callable(params, mask, n_sources) -> (params, mask of the sources)
        The same block with only the outputs of the mask, and the sources that it still needs.
    form : "dense", "one" or "entries"
        dense: ndarray of shape (n, n_out). one: the outputs are indicators of which at most one is 1, and what
        comes is its number, or -1, shape (n,). entries: `Entries`.
    hides_infinity : bool
        Whether it can make a finite number of an infinite one, so that the sources have to be checked.
    """

    code: int
    fields: tuple[tuple[str, str], ...]
    reads: str
    check: Callable[[Params, int], int]
    prepare: Callable[[Params, str], Function]
    keep: Callable[[Params, Mask, int], Kept]
    form: str = "dense"
    hides_infinity: bool = False


def densified(form: str, out: Any, n_out: int) -> NDArray[np.float64]:
    """Return any form of output as an array of shape (n, n_out)."""
    if form == "entries":
        dense: NDArray[np.float64] = out.dense(n_out)
        return dense
    if form == "one":
        dense = np.zeros((len(out), n_out))
        rows = np.flatnonzero(out >= 0)
        dense[rows, out[rows]] = 1.0
        return dense
    return np.asarray(out)


def renumbered(slots: NDArray[Any], mask: Mask) -> NDArray[np.int64]:
    """Return slots in the numbering of the kept outputs; dropped ones become `NO_TERM`."""
    if not len(mask):
        return np.asarray(slots)
    number = np.where(mask, np.cumsum(mask) - 1, NO_TERM)
    return np.where(slots >= 0, number[np.maximum(slots, 0)], slots)


def number_of_slots(slots: NDArray[Any], least: int, *others: int) -> int:
    """Return how many outputs these slots point to.

    Raises
    ------
    ValueError
        If a slot is below `least`, or an output has no slot.
    """
    found = np.unique(np.append(slots, others))
    found = found[found >= 0]
    if min([*others, int(slots.min(initial=0))]) < least or not np.array_equal(found, np.arange(len(found))):
        raise ValueError("a block has a slot that is no term, or a term that nothing reaches")
    return len(found)


def one_for_each(
    code: int,
    fields: tuple[tuple[str, str], ...],
    by_source: tuple[str, ...],
    function: Callable[..., NDArray[Any]],
    fits: Callable[[Params], bool] = lambda params: True,
    *,
    hides_infinity: bool = False,
) -> TermKind:
    """Return a kind with one output for each source.

    Parameters
    ----------
    code, fields
        See `TermKind`.
    by_source : tuple of str
        The parameters that have one number for each source.
    function : callable(X, **params) -> ndarray
        From the sources, shape (n, k), to the outputs.
    fits : callable(params) -> bool, default=always
        Whether the other parameters are possible.
    hides_infinity : bool, default=False
        See `TermKind`.
    """

    def check(params: Params, n_sources: int) -> int:
        if any(len(params[name]) != n_sources for name in by_source) or not n_sources:
            raise ValueError(f"a block of {n_sources} sources needs {n_sources} numbers in each of {by_source}")
        if not fits(params):
            raise ValueError(f"a block has impossible parameters: {dict(params)}")
        return n_sources

    def prepare(params: Params, name: str) -> Function:
        return lambda columns: function(np.column_stack(columns), **params)

    def keep(params: Params, mask: Mask, n_sources: int) -> Kept:
        kept = {name: value[mask] if name in by_source else value for name, value in params.items()}
        return kept, mask

    return TermKind(code, fields, "numbers", check, prepare, keep, hides_infinity=hides_infinity)
