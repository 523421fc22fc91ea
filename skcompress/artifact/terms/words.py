"""Terms of texts: how often words come, looked up in a vocabulary or hashed.

words   for each word of the vocabulary its count c, 1 + log(c) if `sublinear`, times its idf if there are any,
        divided by the row's norm over the whole vocabulary (0 none, 1 sum of absolute values, 2 root of squares)
hash    the same without idf for numbers of MurmurHash3: token -> |h| mod n_features, counted with the sign of h if
        `alternate`; the norm is over all numbers

Slots say which words are columns; a word with slot -1 counts in the norm alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .kind import NO_TERM, Column, Entries, Function, Kept, Mask, Params, TermKind, number_of_slots, renumbered
from .text import Counts, check_settings, counter, murmur

Row = dict[int, float]


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
    number = {word: place for place, word in enumerate(params["words"])}
    idf = params["idf"].tolist() or [1.0] * len(number)
    sublinear = bool(params["sublinear"])

    def weigh(counts: Counts) -> Row:
        row: Row = {}
        for word, count in counts.items():
            if word in number:
                place = number[word]
                row[place] = (1.0 + float(np.log(count)) if sublinear else count) * idf[place]
        return row

    return _entries(params, name, weigh, dict(enumerate(params["slots"].tolist())))


def _entries(params: Params, name: str, weigh: Callable[[Counts], Row], slots: dict[int, int]) -> Function:
    count = counter(params["settings"].tolist(), params["stop_words"], name)
    norm = params["norm"]

    def run(columns: Sequence[Column]) -> Entries:
        starts, found, values = [0], [], []
        for text in columns[0]:
            row = weigh(count(text))
            size = _norm(list(row.values()), norm)
            for place, value in row.items():
                slot = slots.get(place, NO_TERM)
                if slot >= 0:
                    found.append(slot)
                    values.append(value / size)
            starts.append(len(found))
        return Entries(np.array(starts), np.array(found, dtype=np.intp), np.array(values, dtype=np.float64))

    return run


def _norm(values: list[float], norm: int) -> float:
    if norm == 0 or not values:
        return 1.0
    array = np.array(values)
    size = float(np.abs(array).sum() if norm == 1 else np.sqrt(array @ array))
    return size or 1.0


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
    n_features, alternate = params["n_features"], bool(params["alternate"])
    once = bool(params["settings"][6])

    def weigh(counts: Counts) -> Row:
        row: Row = {}
        for token, count in counts.items():
            hashed = murmur(token)
            # As scikit-learn has it for the one integer without a positive counterpart.
            place = (2**31 - n_features if hashed == -(2**31) else abs(hashed)) % n_features
            row[place] = row.get(place, 0.0) + (-count if alternate and hashed < 0 else count)
        return dict.fromkeys(row, 1.0) if once else row

    slots: dict[int, int] = {int(number): slot for slot, number in enumerate(params["numbers"])}
    return _entries(params, name, weigh, slots)


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
