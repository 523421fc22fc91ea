"""What reads texts and mappings: the vectorizers, the hashers, TfidfTransformer and DictVectorizer.

CountVectorizer and TfidfVectorizer are narrowed to the words that are used, as their vocabulary. DictVectorizer learns
the entries that the rows have, so that the rows are narrowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)

from ...artifact import Block
from ...artifact.terms import NO_TERM
from ...artifact.terms.text import PAIRS, PATTERNS, TOKENS
from ...core.linalg import Mask
from .graph import Column, Graph
from .registry import KINDS, Kind, Narrowed, Notes, cannot_compile, left, needs_all, register_transformer

READS_VALUES = (CountVectorizer, HashingVectorizer, FeatureHasher)
ANALYZERS = {"word": 0, "char": 1, "char_wb": 2}
ACCENTS = {None: 0, "ascii": 1, "unicode": 2}
NORMS = {None: 0, "l1": 1, "l2": 2}


def _text_params(vectorizer: Any, norm: str | None) -> dict[str, Any]:
    """Return the parameters that all text blocks have."""
    for name in ("preprocessor", "tokenizer"):
        if getattr(vectorizer, name) is not None:
            raise cannot_compile(vectorizer, f"its {name} is a function of yours")
    if vectorizer.analyzer not in ANALYZERS or vectorizer.strip_accents not in ACCENTS:
        raise cannot_compile(vectorizer, "its analyzer or strip_accents is a function of yours")
    if vectorizer.input != "content":
        raise cannot_compile(vectorizer, f"it reads files (input={vectorizer.input!r})")
    by_word = vectorizer.analyzer == "word"
    if by_word and vectorizer.token_pattern not in PATTERNS:
        known = ", ".join(map(repr, PATTERNS))
        raise cannot_compile(vectorizer, f"token_pattern={vectorizer.token_pattern!r} is not one of {known}")
    least, greatest = vectorizer.ngram_range
    settings = [
        ANALYZERS[vectorizer.analyzer],
        int(vectorizer.lowercase),
        ACCENTS[vectorizer.strip_accents],
        least,
        greatest,
        PATTERNS.index(vectorizer.token_pattern) if by_word else 0,
        int(vectorizer.binary),
    ]
    stop_words = sorted(vectorizer.get_stop_words() or ()) if by_word else []
    return {"settings": settings, "stop_words": stop_words, "norm": NORMS[norm]}


def compile_count(vectorizer: CountVectorizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the counts of a vocabulary."""
    return graph.add("words", _one_text(vectorizer, columns), _words(vectorizer, None))


def compile_tfidf(vectorizer: TfidfVectorizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the weighted counts of a vocabulary. With a norm, words without weight stay: they are part of it."""
    params = _words(vectorizer, vectorizer.norm)
    params["sublinear"] = int(vectorizer.sublinear_tf)
    params["idf"] = vectorizer.idf_ if vectorizer.use_idf else []
    return graph.add("words", _one_text(vectorizer, columns), params)


def _words(vectorizer: CountVectorizer, norm: str | None) -> dict[str, Any]:
    words: list[str] = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    slots = np.arange(len(words))
    return {**_text_params(vectorizer, norm), "sublinear": 0, "words": words, "slots": slots, "idf": []}


def _one_text(vectorizer: Any, columns: Sequence[Column]) -> Sequence[Column]:
    if len(columns) != 1 or not columns[0].is_node:
        raise cannot_compile(vectorizer, "it must read one column as it is")
    return columns


def compile_tfidf_transformer(transformer: TfidfTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the weighting into the vocabulary that the columns come from, or if it has no norm into a scale."""
    idf = transformer.idf_ if transformer.use_idf else None
    place = graph.maker(columns)
    if place is not None and graph.blocks[place][1].kind == "words":
        start, block = graph.blocks[place]
        params = dict(block.params)
        if not params["norm"] and not params["sublinear"] and not len(params["idf"]):
            params["norm"] = NORMS[transformer.norm]
            params["sublinear"] = int(transformer.sublinear_tf)
            params["idf"] = [] if idf is None else idf
            graph.blocks[place] = (start, Block.make("words", block.sources, params))
            return list(columns)
    if transformer.norm is not None or transformer.sublinear_tf:
        raise cannot_compile(transformer, "with a norm or sublinear_tf it must come right after a CountVectorizer")
    return [c.scaled(f) for c, f in zip(columns, idf, strict=True)] if idf is not None else list(columns)


def compile_hashing(vectorizer: HashingVectorizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the hashed counts."""
    params = {**_text_params(vectorizer, vectorizer.norm), **_hashed(vectorizer)}
    return graph.add("hash", _one_text(vectorizer, columns), params)


def compile_hasher(hasher: FeatureHasher, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the hashed values of tokens, pairs or mappings."""
    analyzer = TOKENS if hasher.input_type == "string" else PAIRS
    params = {"settings": [analyzer, 0, 0, 1, 1, 0, 0], "stop_words": (), "norm": 0, **_hashed(hasher)}
    return graph.add("hash", _one_text(hasher, columns), params)


def _hashed(hasher: Any) -> dict[str, Any]:
    n_features = hasher.n_features
    return {
        "n_features": n_features,
        "alternate": int(hasher.alternate_sign),
        "numbers": np.arange(n_features),
    }


def keys_of(vectorizer: DictVectorizer) -> list[str]:
    """Return the keys that a DictVectorizer reads, in the order of its features."""
    keys = [name if kind is None else kind[0] for name, kind in _features(vectorizer)]
    return list(dict.fromkeys(keys))


def _features(vectorizer: DictVectorizer) -> list[tuple[str, tuple[str, str] | None]]:
    """Return for each feature its name, and its key and value if it stands for a string."""
    features: list[tuple[str, tuple[str, str] | None]] = []
    for name in vectorizer.feature_names_:
        if not isinstance(name, str):
            raise cannot_compile(vectorizer, f"the key {name!r} is no string")
        key, separator, value = name.partition(vectorizer.separator)
        features.append((name, (key, value) if separator else None))
    return features


def compile_dict(vectorizer: DictVectorizer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile each key into a category of its strings and an entry of its numbers; an absent key is 0 in both."""
    column_of = dict(zip(keys_of(vectorizer), columns, strict=True))
    values: dict[str, list[str]] = {}
    for _, pair in _features(vectorizer):
        if pair is not None:
            values.setdefault(pair[0], []).append(pair[1])
    terms: dict[tuple[str, str | None], Column] = {}
    for key, levels in values.items():
        table = {"levels": levels, "slots": np.arange(len(levels)), "other": NO_TERM}
        made = graph.add("category", [column_of[key]], table)
        terms.update({(key, level): column for level, column in zip(levels, made, strict=True)})
    out = []
    for name, pair in _features(vectorizer):
        out.append(terms[pair] if pair is not None else graph.add("entry", [column_of[name]], {})[0])
    return out


def _vocabulary(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    words = sorted(step.vocabulary_, key=step.vocabulary_.__getitem__)
    return Narrowed(clone(step).set_params(vocabulary=[words[place] for place in np.flatnonzero(wanted)]), wanted)


def _mappings(step: Any, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    if step is not notes.first:
        return left(step, given, wanted, notes)
    names = np.asarray(step.feature_names_, dtype=object)
    notes.entries = frozenset(names[wanted])
    return Narrowed(clone(step), wanted)


def narrow_mapping(row: Mapping[str, Any], entries: frozenset[str], separator: str) -> dict[str, Any]:
    """Return a mapping with only the entries of these names, a string value v of the key k being named k=v."""
    kept: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, str):
            if f"{key}{separator}{value}" in entries:
                kept[key] = value
        elif hasattr(value, "__iter__"):
            some = [v for v in value if f"{key}{separator}{v}" in entries]
            if some:
                kept[key] = some
        elif key in entries:
            kept[key] = value
    return kept


register_transformer(CountVectorizer, compile_count)
register_transformer(TfidfVectorizer, compile_tfidf)
register_transformer(TfidfTransformer, compile_tfidf_transformer)
register_transformer(HashingVectorizer, compile_hashing)
register_transformer(FeatureHasher, compile_hasher)
register_transformer(DictVectorizer, compile_dict)

KINDS.update({CountVectorizer: Kind(needs_all, _vocabulary), DictVectorizer: Kind(needs_all, _mappings)})
