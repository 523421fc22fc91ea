"""Anatomy: a compact model taken apart, so that what it makes of one input can be seen by itself.

Once scalers are folded, most columns depend on one input alone. The linear predictor is then a sum of functions of one
input each (`Curve`), a constant, and terms of several inputs (products).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..categories import ABSENT, key_of
from ..parts import Parts
from ..plan import linear_predictor
from ..reading import Table
from ..terms import TERMS, Block, densified

Floats = NDArray[np.float64]
Values = Floats | list[Any]
"""Values of one input: an array of numbers, or a list that holds levels, None or NaN as well."""


@dataclass(frozen=True)
class Atom:
    """A block with one source, or with one output.

    Attributes
    ----------
    block : Block
        Its sources are numbered from 0.
    sources, columns : tuple of int
        What it reads and what it makes, as columns of the model.
    """

    block: Block
    sources: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def reads_values(self) -> bool:
        """Whether it reads values, not numbers."""
        return TERMS[self.block.kind].reads == "values"

    def run(self, columns: Sequence[Any], name: str = "") -> Floats:
        """Return what it makes, shape (n, n_out); `name` is the input's, for messages."""
        out = TERMS[self.block.kind].prepare(self.block.params, name)(columns)
        return np.asarray(densified(TERMS[self.block.kind].form, out, self.block.n_out), dtype=np.float64)


class Anatomy:
    """The parts of a model.

    Parameters
    ----------
    model : Parts
        Any model.

    Attributes
    ----------
    k : int
        Number of inputs; columns from k on are made by atoms.
    atoms : list of Atom
        In an order in which they can run.
    needs : list of frozenset of int
        For each column the inputs that it depends on.
    weights : ndarray of shape (m, p)
        Weight of each term over its divisor.
    offset : ndarray of shape (p,)
        What is subtracted from each term's column.
    terms, steps, lent : dict
        By the inputs that they depend on: terms, atoms, and columns that terms of several inputs are made of.
    """

    def __init__(self, model: Parts):
        self.model = model
        self.k = len(model.reads)
        self.weights = model.weights.over(model.divisor)
        self.offset = np.zeros(self.weights.shape[1]) if model.offset is None else np.asarray(model.offset)
        self.atoms = list(_atoms(model))
        self.needs: list[frozenset[int]] = [frozenset([place]) for place in range(self.k)]
        self.makers: dict[int, Atom] = {}
        for atom in self.atoms:
            needed = frozenset().union(*(self.needs[source] for source in atom.sources))
            for column in atom.columns:
                self.needs.append(needed)
                self.makers[column] = atom
        self.key = cache(self._key)
        self.terms: dict[frozenset[int], list[int]] = {}
        for term, column in enumerate(model.columns.tolist()):
            self.terms.setdefault(self.needs[column], []).append(term)
        self.steps: dict[frozenset[int], list[Atom]] = {}
        for atom in self.atoms:
            self.steps.setdefault(self.needs[atom.columns[0]], []).append(atom)
        shared = {source for atom in self.atoms if len(self.needs[atom.columns[0]]) > 1 for source in atom.sources}
        self.lent: dict[frozenset[int], list[int]] = {}
        for column in sorted(shared):
            self.lent.setdefault(self.needs[column], []).append(column)

    def shared_terms(self) -> list[int]:
        """Return the terms that depend on several inputs."""
        return [term for needs, terms in self.terms.items() if len(needs) > 1 for term in terms]

    def columns_of(self, place: int, values: Values) -> dict[int, Floats]:
        """Return all columns that depend on one input alone, at values of it.

        Raises
        ------
        ValueError
            If a block refuses a value.
        """
        made: dict[int, Floats] = {place: numbers_of(values)}
        for atom in self.steps.get(frozenset([place]), ()):
            given: list[Any] = [made[source] for source in atom.sources]
            if atom.reads_values:
                raw = values if atom.sources[0] == place else given[0]
                given = [[key_of(value) for value in (raw.tolist() if isinstance(raw, np.ndarray) else raw)]]
            out = atom.run(given, self.model.inputs[place])
            made.update({column: out[:, j] for j, column in enumerate(atom.columns)})
        return made

    def _key(self, column: int) -> tuple[Any, ...]:
        """Return what a column is, alike in two models that make it alike."""
        if column < self.k:
            return ("input", self.model.inputs[column])
        atom = self.makers[column]
        mask = np.zeros(atom.block.n_out, dtype=bool)
        mask[atom.columns.index(column)] = True
        alone = atom.block.keep(mask)
        params = tuple((name, repr(np.asarray(value).tolist())) for name, value in alone.params.items())
        return (alone.kind, params, tuple(self.key(source) for source in atom.sources))


class Curve:
    """The part of the linear predictor that depends on one input alone.

    Parameters
    ----------
    anatomy : Anatomy
        The model.
    place : int
        The input.
    """

    def __init__(self, anatomy: Anatomy, place: int):
        alone = frozenset([place])
        self.anatomy = anatomy
        self.place = place
        self.terms = anatomy.terms.get(alone, [])
        self.atoms = anatomy.steps.get(alone, [])
        self.lent = anatomy.lent.get(alone, [])

    def column(self, column: int, values: Values) -> Floats:
        """Return one column, shape (n,)."""
        return self.anatomy.columns_of(self.place, values)[column]

    def __call__(self, values: Values) -> tuple[Floats, Floats]:
        """Return the sum of the terms and that of their sizes, each of shape (n, m).

        The sum is NaN where a column is none that terms of several inputs read.
        """
        made = self.anatomy.columns_of(self.place, values)
        parts = np.empty((len(values), len(self.terms)))
        for place, term in enumerate(self.terms):
            parts[:, place] = made[int(self.anatomy.model.columns[term])] - self.anatomy.offset[term]
        weights = self.anatomy.weights[:, self.terms].T
        total, size = parts @ weights, np.abs(parts) @ np.abs(weights)
        for column in self.lent:
            total[~np.isfinite(made[column])] = np.nan
        return total, size


def difference(models: Sequence[Anatomy], columns: Mapping[str, Values], n: int) -> Floats:
    """Return the linear predictor of b less that of a, shape (n, m), from columns of the inputs."""
    etas = []
    for anatomy in models:
        model = anatomy.model
        if model.reads.rows == "mappings":
            rows = [{k: v[i] for k, v in columns.items() if v[i] is not ABSENT} for i in range(n)]
            table: Any = rows
        else:
            given = {name: columns[name] for name in model.inputs} if len(model.reads) else {"none": [0.0] * n}
            table = given if model.reads.labels is not None else _positional(given, n)
        etas.append(np.asarray(linear_predictor(model, Table(table, model.reads)), dtype=np.float64))
    return etas[1] - etas[0]


def _positional(given: Mapping[str, Values], n: int) -> NDArray[Any]:
    table = np.empty((n, len(given)), dtype=object)
    for place, column in enumerate(given.values()):
        table[:, place] = list(column)
    return table


def numbers_of(values: Values) -> Floats:
    """Return values as numbers, NaN where they are none."""
    if isinstance(values, np.ndarray):
        return values
    return np.array([float(v) if isinstance(v, (int, float, np.number)) else np.nan for v in values], dtype=np.float64)


def _atoms(model: Parts) -> Any:
    start = len(model.reads)
    for block in model.blocks:
        if len(block.sources) == 1:
            yield _atom(block, tuple(range(start, start + block.n_out)))
        else:
            for place in range(block.n_out):
                mask = np.arange(block.n_out) == place
                yield _atom(block.keep(mask), (start + place,))
        start += block.n_out


def _atom(block: Block, columns: tuple[int, ...]) -> Atom:
    numbered = block.moved({source: j for j, source in enumerate(dict.fromkeys(block.sources))})
    return Atom(numbered, block.sources, columns)
