"""Terms: what stands between the inputs and the dot product, table `TERMS`.

A model is a list of *columns*: first its inputs, then the outputs of its blocks, one after the other. A `Block`
reads columns that come before it and adds `n_out` columns of its own; an input that is used as it is needs no
block (the linear term). Weights then pick columns:

    eta = sum over terms t of  weight_t * (column_t - offset_t) / divisor_t  +  intercept

A kind of block is one entry of `TERMS`: its number in the byte format, the names and types of its parameters,
and pure functions of them (see `skcompress.artifact.terms.kind`). Adding one touches its own file and this table.

Parameter types, as the byte format knows them: "int", "ints" and "floats" (arrays), "scalars" (a tuple of str,
int, float, bool, None or NaN), "strings" (a tuple).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..categories import REFUSED
from .category import CATEGORY, ENTRY, LOOKUP
from .kind import NO_TERM, Entries, Function, Params, TermKind, densified
from .numbers import AFFINE, CLIP, FILL, FUNCTION, MISSING, PRODUCT, SCALED
from .spline import BINS, SPLINE, STEP
from .words import HASH, WORDS

__all__ = ["NO_TERM", "REFUSED", "TERMS", "Block", "Entries", "Function", "Params", "TermKind", "densified"]

TERMS: dict[str, TermKind] = {
    "category": CATEGORY,
    "lookup": LOOKUP,
    "entry": ENTRY,
    "affine": AFFINE,
    "scaled": SCALED,
    "clip": CLIP,
    "fill": FILL,
    "missing": MISSING,
    "function": FUNCTION,
    "bins": BINS,
    "step": STEP,
    "spline": SPLINE,
    "product": PRODUCT,
    "words": WORDS,
    "hash": HASH,
}


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
        """Return the block with only some of its outputs, and without sources that those do not need."""
        params, needed = TERMS[self.kind].keep(self.params, mask, len(self.sources))
        return Block.make(self.kind, [s for s, need in zip(self.sources, needed, strict=True) if need], params)

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
