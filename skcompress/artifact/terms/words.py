"""Terms of texts: how often words come, looked up in a vocabulary or hashed.

words   for each word of the vocabulary its count c, 1 + log(c) if `sublinear`, times its idf if there are any,
        divided by the row's norm over the whole vocabulary (0 none, 1 sum of absolute values, 2 root of squares)
hash    the same without idf for numbers of MurmurHash3: token -> |h| mod n_features, counted with the sign of h if
        `alternate`; the norm is over all numbers

Slots say which words are columns; a word with slot -1 counts in the norm alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kind import NO_TERM, Column, Entries, Function, Kept, Mask, Params, TermKind, number_of_slots, renumbered
from .text import PAIRS, analyzer_of, check_settings, murmur, pairs_of

Row = Mapping[int, float]
"""From the number of a word to how often it comes."""


def _check_words(params: Params, n_sources: int) -> int:
    check_settings(params["settings"], params["stop_words"])
    words = params["words"]
    if n_sources != 1 or len(params["slots"]) != len(words) or len(set(words)) != len(words):
        raise ValueError("a vocabulary reads one column and has one slot for each of its distinct words")
    if len(params["idf"]) not in (0, len(words)) or params["sublinear"] not in (0, 1):
        raise ValueError("a vocabulary has one idf for each of its words, or none")
    _check_norm(params)
    return number_of_slots(params["slots"], NO_TERM)


def _check_norm(params: Params) -> None:
    if params["norm"] not in (0, 1, 2):
        raise ValueError("norm must be 0, 1 or 2")


def _prepare_words(params: Params, name: str) -> Function:
    find = {word: place for place, word in enumerate(params["words"])}.get
    split = analyzer_of(params["settings"].tolist(), params["stop_words"], name)
    once, sublinear, idf = bool(params["settings"][6]), bool(params["sublinear"]), params["idf"]

    def count(texts: Iterable[Any]) -> Iterable[Counter[Any]]:
        for text in texts:
            counts = Counter(map(find, split(text)))
            counts.pop(None, None)
            yield counts

    def weigh(places: NDArray[np.intp], counts: NDArray[np.float64]) -> NDArray[np.float64]:
        counts = np.ones_like(counts) if once else counts
        counts = 1.0 + np.log(counts) if sublinear else counts
        return counts * idf[places] if len(idf) else counts

    return _entries(count, weigh, params["norm"], params["slots"].astype(np.intp).__getitem__)


def _entries(
    count: Callable[[Iterable[Any]], Iterable[Row]],
    weigh: Callable[[NDArray[np.intp], NDArray[np.float64]], NDArray[np.float64]],
    norm: int,
    slot_of: Callable[[NDArray[np.intp]], NDArray[np.intp]],
) -> Function:
    def run(columns: Sequence[Column]) -> Entries:
        starts = [0]
        places: list[int] = []
        counts: list[float] = []
        for row in count(columns[0]):
            places += row.keys()
            counts += row.values()
            starts.append(len(places))
        found = np.array(places, dtype=np.intp)
        values = weigh(found, np.array(counts, dtype=np.float64))
        lengths = np.diff(starts)
        if norm:
            values = values / np.repeat(_norms(values, np.array(starts), norm), lengths)
        slots = slot_of(found)
        rows = np.repeat(np.arange(len(lengths)), lengths)[slots >= 0]
        kept = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(lengths)))])
        return Entries(kept, slots[slots >= 0], values[slots >= 0])

    return run


def _norms(values: NDArray[np.float64], starts: NDArray[np.intp], norm: int) -> NDArray[np.float64]:
    """Return the norm of each row, 1 where it is 0."""
    norms = np.ones(len(starts) - 1)
    filled = np.diff(starts) > 0
    if filled.any():
        sums = np.add.reduceat(np.abs(values) if norm == 1 else values**2, starts[:-1][filled])
        norms[filled] = sums if norm == 1 else np.sqrt(sums)
    return np.where(norms == 0, 1.0, norms)


def _keep_words(params: Params, mask: Mask, n_sources: int) -> Kept:
    slots = renumbered(params["slots"], mask)
    listed = np.ones(len(slots), dtype=bool) if params["norm"] else slots >= 0
    words = [word for word, wanted in zip(params["words"], listed, strict=True) if wanted]
    idf = params["idf"][listed] if len(params["idf"]) else params["idf"]
    return {**params, "slots": slots[listed], "words": words, "idf": idf}, np.ones(1, dtype=bool)


def _check_hash(params: Params, n_sources: int) -> int:
    check_settings(params["settings"], params["stop_words"])
    numbers = params["numbers"]
    if n_sources != 1 or params["alternate"] not in (0, 1) or not 1 <= params["n_features"] < 2**31:
        raise ValueError("hashed words read one column and have 1 to 2^31 - 1 features")
    if (np.diff(numbers) <= 0).any() or (len(numbers) and not 0 <= numbers[0] <= numbers[-1] < params["n_features"]):
        raise ValueError("the numbers of hashed words must increase and be below n_features")
    _check_norm(params)
    return len(numbers)


def _prepare_hash(params: Params, name: str) -> Function:
    settings, n_features, numbers = params["settings"].tolist(), params["n_features"], params["numbers"]
    once, pairs, alternate = bool(settings[6]), settings[0] == PAIRS, bool(params["alternate"])
    split = analyzer_of(settings, params["stop_words"], name)

    def count(rows: Iterable[Any]) -> Iterable[Row]:
        found = [list(pairs_of(row, name)) if pairs else list(Counter(split(row)).items()) for row in rows]
        tokens = list({token: None for row in found for token, _ in row})
        hashes = murmur(tokens).astype(np.int64)
        signs = np.where((hashes < 0) & alternate, -1.0, 1.0)
        # As scikit-learn has it for the one integer without a positive counterpart.
        places = np.where(hashes == -(2**31), 2**31 - n_features, np.abs(hashes)) % n_features
        known = dict(zip(tokens, zip(places.tolist(), signs.tolist(), strict=True), strict=True))
        for row in found:
            counts: dict[int, float] = {}
            for token, value in row:
                place, sign = known[token]
                counts[place] = counts.get(place, 0.0) + sign * value
            yield counts

    def weigh(places: NDArray[np.intp], counts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones_like(counts) if once else counts

    def slot_of(places: NDArray[np.intp]) -> NDArray[np.intp]:
        if not len(numbers):
            return np.full(len(places), NO_TERM)
        found = np.minimum(np.searchsorted(numbers, places), len(numbers) - 1)
        return np.where(numbers[found] == places, found, NO_TERM)

    return _entries(count, weigh, params["norm"], slot_of)


def _keep_hash(params: Params, mask: Mask, n_sources: int) -> Kept:
    return {**params, "numbers": params["numbers"][mask]}, np.ones(1, dtype=bool)


_TEXT: tuple[tuple[str, str], ...] = (("settings", "ints"), ("stop_words", "strings"), ("norm", "int"))

WORDS = TermKind(
    13,
    (*_TEXT, ("sublinear", "int"), ("words", "strings"), ("slots", "ints"), ("idf", "floats")),
    "values",
    _check_words,
    _prepare_words,
    _keep_words,
    "entries",
)
HASH = TermKind(
    14,
    (*_TEXT, ("n_features", "int"), ("alternate", "int"), ("numbers", "ints")),
    "values",
    _check_hash,
    _prepare_hash,
    _keep_hash,
    "entries",
)
