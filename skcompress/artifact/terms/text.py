"""From a text to its tokens, as scikit-learn's text vectorizers do it, and from tokens to hashes.

`settings` are seven integers: the analyzer (0 words, 1 characters, 2 characters within words, 3 the row is a list of
tokens, 4 the row is a mapping or a list of pairs from token to value), lower case (0, 1), accents (0 kept, 1 stripped
to ASCII, 2 stripped by Unicode), the least and the greatest length of an n-gram, the pattern of a word (see
`PATTERNS`), and whether a token counts once (0, 1).

Patterns are from a fixed table: a regular expression out of a file could run for ever.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORDS, CHARACTERS, WITHIN_WORDS, TOKENS, PAIRS = range(5)

PATTERNS: tuple[str, ...] = (
    r"(?u)\b\w\w+\b",
    r"(?u)\b\w+\b",
    r"\b\w\w+\b",
    r"\b\w+\b",
    r"\w+",
    r"\w\w+",
    r"\S+",
    r"[a-zA-Z]+",
    r"[a-z]+",
    r"(?u)\b[a-zA-Z]{2,}\b",
    r"\b[a-zA-Z]{2,}\b",
    r"[^\s]+",
)

_SPACES = re.compile(r"\s\s+")


def check_settings(settings: Sequence[int], stop_words: Sequence[str]) -> None:
    """Raise ValueError unless the settings of a text block are possible."""
    if len(settings) != 7:
        raise ValueError("a text block has seven settings")
    analyzer, lower, accents, least, greatest, pattern, once = (int(setting) for setting in settings)
    fits = 0 <= analyzer <= PAIRS and lower in (0, 1) and 0 <= accents <= 2 and once in (0, 1)
    if not fits or not 1 <= least <= greatest <= 1000 or not 0 <= pattern < len(PATTERNS):
        raise ValueError("a text block has impossible settings")


def pairs_of(row: Any, name: str) -> Iterator[tuple[str, float]]:
    """Yield the tokens of a mapping or of a list of pairs with their values; zeros are left out."""
    for token, value in row.items() if isinstance(row, Mapping) else row:
        if isinstance(value, str):
            token, value = f"{token}={value}", 1.0
        if not isinstance(token, str):
            raise ValueError(f"input {name!r} has the token {token!r}: tokens must be strings")
        if value != 0:
            yield token, float(value)


def analyzer_of(settings: Sequence[int], stop_words: Iterable[str], name: str) -> Callable[[Any], list[str]]:
    """Return the function from a row to its tokens in order."""
    analyzer, lower, accents, least, greatest, pattern = (int(setting) for setting in settings[:6])
    if analyzer == TOKENS:
        return list
    stopped = frozenset(stop_words)
    word = re.compile(PATTERNS[pattern])

    def analyze(row: Any) -> list[str]:
        if not isinstance(row, str):
            raise ValueError(f"input {name!r} must hold texts, got {row!r}")
        text = row.lower() if lower else row
        text = _strip_accents(text, accents) if accents else text
        if analyzer == WORDS:
            words = word.findall(text)
            words = [w for w in words if w not in stopped] if stopped else words
            return words if greatest == 1 else _runs(words, least, greatest, " ".join)
        text = _SPACES.sub(" ", text)
        if analyzer == CHARACTERS:
            return _runs(text, least, greatest, str)
        return [gram for part in text.split() for gram in _within(f" {part} ", least, greatest)]

    return analyze


def _runs(parts: Any, least: int, greatest: int, join: Callable[[Any], str]) -> list[str]:
    return [
        join(parts[start : start + length])
        for length in range(least, min(greatest, len(parts)) + 1)
        for start in range(len(parts) - length + 1)
    ]


def _within(padded: str, least: int, greatest: int) -> list[str]:
    """Return the n-grams of a padded word; one that is shorter than n counts once as it is."""
    grams: list[str] = []
    for length in range(least, greatest + 1):
        grams += [padded[start : start + length] for start in range(max(1, len(padded) - length + 1))]
        if len(padded) <= length:
            break
    return grams


def _strip_accents(text: str, accents: int) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    if accents == 1:
        return decomposed.encode("ASCII", "ignore").decode("ASCII")
    if text.isascii():
        return text
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def murmur(texts: Sequence[str]) -> NDArray[np.int32]:
    """Return MurmurHash3 of 32 bits, seed 0, of the UTF-8 of each text, as signed integers (Appleby 2011)."""
    coded = [text.encode("utf-8") for text in texts]
    lengths = np.array([len(data) for data in coded], dtype=np.int64)
    hashes = np.empty(len(coded), dtype=np.uint32)
    # Texts with the same number of whole blocks of four bytes go together, padded with zeros to one block more.
    for n_blocks in np.unique(lengths // 4).tolist():
        chosen = np.flatnonzero(lengths // 4 == n_blocks)
        size = 4 * n_blocks + 4
        padded = b"".join(coded[place].ljust(size, b"\0") for place in chosen)
        blocks = np.frombuffer(padded, dtype="<u4").astype(np.uint32).reshape(len(chosen), -1)
        state = np.zeros(len(chosen), dtype=np.uint32)
        for place in range(n_blocks):
            state = _rotated(state ^ _mixed(blocks[:, place]), 13) * np.uint32(5) + np.uint32(0xE6546B64)
        # Mixing zeros gives zero, so that a text without a rest is not changed here.
        state ^= _mixed(blocks[:, n_blocks])
        state ^= lengths[chosen].astype(np.uint32)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            state = (state ^ state >> np.uint32(shift)) * np.uint32(factor)
        hashes[chosen] = state ^ state >> np.uint32(16)
    return hashes.view(np.int32)


def _mixed(block: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return _rotated(block * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)


def _rotated(word: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    return word << np.uint32(bits) | word >> np.uint32(32 - bits)
