"""What holds other transformers, part by part: Pipeline, ColumnTransformer, FeatureUnion, FrozenEstimator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from ...core.linalg import Mask
from ..lineage import ColumnPart, column_parts
from .graph import Column, Graph
from .registry import (
    KINDS,
    Kind,
    Narrowed,
    Notes,
    compiled,
    is_absent,
    left,
    n_inputs,
    narrowed,
    needs,
    needs_all,
    register_transformer,
)

_READS = "(it reads"
_SHOWN = 8


def compile_pipeline(pipeline: Pipeline, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile the steps one after the other."""
    for _, step in pipeline.steps:
        columns = compiled(step, columns, graph)
    return list(columns)


def compile_union(union: FeatureUnion, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile each part on all the columns, side by side."""
    weights = union.transformer_weights or {}
    out: list[Column] = []
    for name, part in union.transformer_list:
        if part is None or (isinstance(part, str) and part == "drop"):
            continue
        factor = weights.get(name, 1.0)
        made = compiled(part, columns, graph)
        out += [column.scaled(factor) for column in made] if factor != 1.0 else made
    return out


def compile_columns(transformer: ColumnTransformer, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile each part on its own columns, side by side."""
    out: list[Column] = []
    for part in column_parts(transformer):
        try:
            out += compiled(part.transformer, [columns[place] for place in part.places], graph)
        except ValueError as error:
            if _READS in str(error):
                raise
            names = getattr(transformer, "feature_names_in_", range(transformer.n_features_in_))
            told = ", ".join(repr(names[place]) for place in part.places[:_SHOWN])
            more = ", ..." if len(part.places) > _SHOWN else ""
            raise ValueError(f"{error} {_READS} {told}{more})") from error
    return out


def compile_frozen(frozen: FrozenEstimator, columns: Sequence[Column], graph: Graph) -> list[Column]:
    """Compile what is frozen."""
    return compiled(frozen.estimator, columns, graph)


def steps_wanted(steps: Sequence[tuple[str, Any]], wanted: Mask) -> list[Mask]:
    """Return the wanted outputs of each of the steps, and before them the inputs that are needed."""
    masks = [wanted]
    for _, step in reversed(steps):
        masks.insert(0, needs(step, masks[0]))
    return masks


def _pipeline(step: Pipeline, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    steps, outputs = narrowed_steps(step.steps, given, wanted, notes)
    return Narrowed(clone(step).set_params(steps=steps), outputs)


def narrowed_steps(
    steps: Sequence[tuple[str, Any]], given: Mask, wanted: Mask, notes: Notes
) -> tuple[list[tuple[str, Any]], Mask]:
    """Return steps that come one after the other unfitted and narrowed, and the outputs of the last."""
    made = []
    for (name, step), asked in zip(steps, steps_wanted(steps, wanted)[1:], strict=True):
        step, given = narrowed(step, given, asked, notes)
        made.append((name, step))
    return made, given


def _parts(step: ColumnTransformer) -> list[ColumnPart]:
    """Return the parts, those that pass their columns on as the words that were given."""
    given_as = {name: transformer for name, transformer, _ in step.transformers}
    given_as["remainder"] = step.remainder
    return [
        part._replace(transformer="passthrough") if is_absent(given_as.get(part.name, part.transformer)) else part
        for part in column_parts(step)
    ]


def _columns_need(step: ColumnTransformer, wanted: Mask) -> Mask:
    needed = np.zeros(step.n_features_in_, dtype=bool)
    for part in _parts(step):
        if wanted[part.outputs].any():
            needed[np.array(part.places)[needs(part.transformer, wanted[part.outputs])]] = True
    return needed


def _columns(step: ColumnTransformer, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    names = getattr(step, "feature_names_in_", None)
    number = np.cumsum(given) - 1
    outputs = np.zeros_like(wanted)
    read = np.zeros_like(given)
    parts: list[tuple[str, Any, Any]] = []
    remainder: Any = "drop"
    for part in _parts(step):
        asked = wanted[part.outputs]
        if not asked.any():
            continue
        needed = needs(part.transformer, asked)
        made = narrowed(part.transformer, needed, asked, notes)
        outputs[part.outputs] = made.outputs
        places = np.array(part.places)[needed]
        read[places] = True
        if part.name == "remainder":
            remainder = made.step
            continue
        chosen = [names[place] if names is not None else int(number[place]) for place in places]
        alone = isinstance(part.columns, str) or (np.ndim(part.columns) == 0 and not isinstance(part.columns, slice))
        parts.append((part.name, made.step, chosen[0] if alone else chosen))
    if not (isinstance(remainder, str) and remainder == "drop") and (given & ~read).any():
        idle = np.flatnonzero(given & ~read)
        taken = {name for name, _, _ in step.transformers}
        free = next(name for name in chain(["unused"], (f"unused{i}" for i in count())) if name not in taken)
        parts.append((free, "drop", [names[i] if names is not None else int(number[i]) for i in idle]))
    copy = clone(step).set_params(transformers=parts, remainder=remainder)
    _keep_weights(copy, [*(name for name, _, _ in parts), "remainder"])
    return Narrowed(copy, outputs)


def _keep_weights(container: Any, names: list[str]) -> None:
    """Leave out the weights of parts that have gone."""
    if container.transformer_weights is not None:
        weights = {name: value for name, value in container.transformer_weights.items() if name in names}
        container.set_params(transformer_weights=weights or None)


def _union_parts(union: FeatureUnion) -> list[tuple[str, Any, slice]] | None:
    """Return the parts of a union with their places among the outputs; None if one does not tell how many it has."""
    parts: list[tuple[str, Any, slice]] = []
    start = 0
    for name, part in union.transformer_list:
        if isinstance(part, str) and part == "drop":
            continue
        try:
            size = n_inputs(union) if is_absent(part) else len(part.get_feature_names_out())
        except (AttributeError, TypeError, ValueError):
            return None
        parts.append((name, part, slice(start, start + size)))
        start += size
    return parts


def _union_needs(step: FeatureUnion, wanted: Mask) -> Mask:
    parts = _union_parts(step)
    if parts is None or parts[-1][2].stop != len(wanted):
        return needs_all(step, wanted)
    asked = [needs(part, wanted[place]) for _, part, place in parts if wanted[place].any()]
    return np.any(asked, axis=0) if asked else needs_all(step, wanted)


def _union(step: FeatureUnion, given: Mask, wanted: Mask, notes: Notes) -> Narrowed:
    parts = _union_parts(step)
    if parts is None or parts[-1][2].stop != len(wanted):
        return left(step, given, wanted, notes)
    outputs = np.zeros_like(wanted)
    kept = []
    for name, part, place in parts:
        if wanted[place].any():
            made = narrowed(part, given, wanted[place], notes)
            outputs[place] = made.outputs
            kept.append((name, made.step))
    copy = clone(step).set_params(transformer_list=kept)
    _keep_weights(copy, [name for name, _ in kept])
    return Narrowed(copy, outputs)


register_transformer(Pipeline, compile_pipeline)
register_transformer(FeatureUnion, compile_union)
register_transformer(ColumnTransformer, compile_columns)
register_transformer(FrozenEstimator, compile_frozen)

KINDS.update(
    {
        Pipeline: Kind(lambda step, wanted: steps_wanted(step.steps, wanted)[0], _pipeline),
        ColumnTransformer: Kind(_columns_need, _columns),
        FeatureUnion: Kind(_union_needs, _union),
    }
)
