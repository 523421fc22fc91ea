"""Terms: what stands between the inputs and the dot product, table `TERMS`.

A model is a list of *columns*: first its inputs, then the outputs of its blocks, one after the other. A `Block`
reads columns that come before it and adds `n_out` columns of its own; an input that is used as it is needs no
block (the linear term). Weights then pick columns:

    eta = sum over terms t of  weight_t * (column_t - offset_t) / divisor_t  +  intercept

A kind of block is one entry of `TERMS`: its number in the byte format, the names and types of its parameters,
and pure functions of them. Adding one touches this table only.

Parameter types, as the byte format knows them: "int", "ints" and "floats" (arrays), "scalars" (a tuple of str,
int, float, bool, None or NaN), "strings" (a tuple).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import categories

Params = Mapping[str, Any]
Column = Any
"""A number column: an ndarray of shape (n,). A value column: a list of n category keys."""
Function = Callable[[Sequence[Column]], NDArray[Any]]


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
    prepare : callable(params, name) -> callable(columns) -> ndarray
        The function of the source columns, made once for each model; `name` is the first source's name, for
        messages. It returns the columns that come out, shape (n, n_out); or, if `indicators`, the number of the
        one column that is 1 in each row, -1 for none, shape (n,).
    keep : callable(params, mask) -> params
        The same block with only the outputs of the mask.
    indicators : bool
        Whether the outputs are 0/1 and at most one of them is 1.
    """

    code: int
    fields: tuple[tuple[str, str], ...]
    reads: str
    check: Callable[[Params, int], int]
    prepare: Callable[[Params, str], Function]
    keep: Callable[[Params, NDArray[np.bool_]], dict[str, Any]]
    indicators: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """A block: a kind, the columns that it reads and its parameters.

    Attributes
    ----------
    kind : str
        A key of `TERMS`.
    sources : tuple of int
        Numbers of the columns that it reads.
    params : dict
        Parameters, by the names in the kind's `fields`.
    n_out : int
        Number of columns that it adds.
    """

    kind: str
    sources: tuple[int, ...]
    params: Params
    n_out: int

    @classmethod
    def make(cls, kind: str, sources: Sequence[int], params: Params) -> Block:
        """Check the parameters and return the block."""
        if kind not in TERMS:
            raise ValueError(f"kind must be one of {sorted(TERMS)}, got {kind!r}")
        held = {name: _held(params[name], form) for name, form in TERMS[kind].fields}
        return cls(kind, tuple(int(s) for s in sources), held, TERMS[kind].check(held, len(sources)))

    def keep(self, mask: NDArray[np.bool_]) -> Block:
        """Return the block with only some of its outputs."""
        return Block.make(self.kind, self.sources, TERMS[self.kind].keep(self.params, mask))

    def moved(self, number: Mapping[int, int]) -> Block:
        """Return the block with its sources renumbered."""
        return Block(self.kind, tuple(number[s] for s in self.sources), self.params, self.n_out)


def _held(value: Any, form: str) -> Any:
    if form == "int":
        return int(value)
    if form in ("ints", "floats"):
        array = np.array(value, dtype=np.int64 if form == "ints" else np.float64).ravel()
        array.flags.writeable = False
        return array
    return tuple(value)


def _renumber(slots: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return slots in the numbering of the kept outputs; dropped ones become `NO_TERM`."""
    number = np.where(mask, np.cumsum(mask) - 1, categories.NO_TERM)
    return np.where(slots >= 0, number[np.maximum(slots, 0)], slots) if len(mask) else np.asarray(slots)


def _check_category(params: Params, n_sources: int) -> int:
    slots, other = params["slots"], params["other"]
    n_out = int(max(slots.max(initial=-1), other)) + 1
    known = {categories.key_of(level) for level in params["levels"]}
    if n_sources != 1 or len(slots) != len(params["levels"]) or len(known) != len(slots):
        raise ValueError("a category block reads one column and has one slot for each of its distinct levels")
    if slots.min(initial=0) < categories.NO_TERM or other < categories.REFUSED:
        raise ValueError("a category block has a slot that is no term")
    if n_out > len(slots) + 1:
        raise ValueError("a category block has terms that nothing reaches")
    return n_out


def _prepare_category(params: Params, name: str) -> Function:
    table = categories.build_table(params["levels"], params["slots"])
    return lambda columns: categories.slots_of(table, params["other"], columns[0], name)


def _keep_category(params: Params, mask: NDArray[np.bool_]) -> dict[str, Any]:
    slots = _renumber(params["slots"], mask)
    other = int(_renumber(np.array([params["other"]]), mask)[0])
    # A level that does the same as an unlisted value need not be listed.
    listed = slots != other
    levels = [level for level, wanted in zip(params["levels"], listed, strict=True) if wanted]
    return {"levels": levels, "slots": slots[listed], "other": other}


TERMS: dict[str, TermKind] = {
    "category": TermKind(
        1,
        (("other", "int"), ("slots", "ints"), ("levels", "scalars")),
        "values",
        _check_category,
        _prepare_category,
        _keep_category,
        indicators=True,
    ),
}
