"""drop_unused_inputs: fit a pipeline again on only the inputs, categories and words that its pruned model uses.

    used       features of the linear model with a weight that is not zero in any output, or kept by name
    needs      goes back through the steps, from features to raw inputs (`skcompress.linear.transformers`)
    narrowed   goes forward again: each step is made anew for the inputs that there are
    fit        the whole is fitted on the narrowed rows

Wrappers on the way keep their parameters, those that speak of features in the new numbering. A budget other than a
number of units would prune once more: it becomes the share of the weights that are kept now.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from .core.linalg import Indices, Mask
from .linear.column_names import Columns
from .linear.containers import container_of, find_leaf, inside_of, is_search, is_wrapper
from .linear.fitting import require_fitted
from .linear.integer_inputs import IntegerModel
from .linear.transformers import Notes, narrow_mapping, narrowed_steps, steps_wanted
from .linear.view import read


def drop_unused_inputs(pipeline: Any, X: Any, y: Any, *, return_inputs: bool = False, **fit_params: Any) -> Any:
    """Fit a pruned pipeline again on only the inputs, categories and words that its weights use.

    The new pipeline is quick to fit, reads fewer columns and makes a small artifact. What it drops:

    - raw columns that no weight uses, and transformers of a ColumnTransformer or FeatureUnion that are left without;
    - the words of a CountVectorizer or TfidfVectorizer: the kept ones become its ``vocabulary``;
    - the levels of a OneHotEncoder with ``handle_unknown="ignore"``: the kept ones become its ``categories``;
    - the entries of a DictVectorizer that reads the rows themselves;
    - a feature selection that has been made: it becomes "passthrough".

    Parameters
    ----------
    pipeline : estimator
        A fitted Pipeline whose model is linear, usually pruned; also a wrapper around one, a
        TransformedTargetRegressor, or a search, of which the best estimator is fitted again. It stays as it is.
    X : {array-like, sparse matrix, dataframe}, or a sequence of texts or mappings
        Rows to fit on, with all inputs of `pipeline`.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    return_inputs : bool, default=False
        Whether the inputs that are left are returned too.
    **fit_params
        Passed to the fit.

    Returns
    -------
    refitted : estimator
        It predicts from the inputs that are left: ``refitted.predict(X[inputs])`` for a frame,
        ``X[:, inputs]`` for an array. Texts and mappings are given as they are.
    inputs : ndarray of str, or of int
        Only with `return_inputs`: names of the columns where X was a frame, else their places.

    Warns
    -----
    UserWarning
        If a step that gives more than is used could not be narrowed; the message names it and says why. It is left as
        it was, and so is everything that it reads.

    Raises
    ------
    ValueError
        If the model uses no input, or holds something frozen, or X has not the columns that it was fitted on.

    See Also
    --------
    compact : Compiles the same model to what it uses, without fitting again.

    Notes
    -----
    What is computed over a whole row changes with the row. ``TfidfVectorizer(norm="l2")`` divides a text's weights by
    their norm over its vocabulary: over the kept words alone the norm is smaller, so that the same weights would
    predict something else; the refitted weights make up for it. The idf of a word depends on how many texts have it,
    and stays. Tokens are cut as before, so that an n-gram is found though its single words are not in the
    vocabulary. With ``norm=None`` the columns that are left are what they were.

    A wrapper that prunes or quantizes does so again, on the narrowed columns.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from skcompress import PrunedClassifier, drop_unused_inputs
    >>> texts = ["cash flow rose", "profit fell", "cash and profit rose", "it rained", "the wind rose", "snow fell"]
    >>> topic = ["money", "money", "money", "weather", "weather", "weather"]
    >>> model = make_pipeline(CountVectorizer(), PrunedClassifier(n_nonzero=2)).fit(texts, topic)
    >>> small = drop_unused_inputs(model, texts, topic)
    >>> len(model[0].vocabulary_), small[0].get_feature_names_out().tolist()
    (11, ['cash', 'profit'])
    """
    require_fitted(pipeline, "pipeline", "drop_unused_inputs")
    leaf = find_leaf(pipeline)
    used = (read(leaf.estimator)[0] != 0).any(axis=0) | _kept_by_name(pipeline, len(read(leaf.estimator)[0].T))
    if not used.any():
        raise ValueError("no weight of the model is other than zero, so it uses no input: there is nothing to fit")
    needed = _needs(pipeline, used)
    if leaf.frozen or (not needed.all() and _frozen_teacher(pipeline)):
        raise ValueError(
            "a FrozenEstimator inside the pipeline cannot be fitted again, and reads the inputs that it was fitted on: "
            "give the estimator inside it"
        )
    notes = Notes(_first_of(pipeline))
    model, _ = _rebuilt(pipeline, needed, used, notes)
    for reason in notes.left:
        warnings.warn(f"drop_unused_inputs leaves as it was: {reason}", UserWarning, stacklevel=2)
    names = getattr(pipeline, "feature_names_in_", None)
    model.fit(_narrow_rows(X, needed, names, notes), y, **fit_params)
    if not return_inputs:
        return model
    return model, np.flatnonzero(needed) if names is None else np.asarray(names)[needed]


def _wrappers(model: Any) -> list[Any]:
    """Return the wrappers of this package inside a model, the outermost first."""
    found = []
    while model is not None:
        found += [model] if is_wrapper(model) else []
        model = inside_of(model)
    return found


def _kept_by_name(model: Any, n_features: int) -> Mask:
    """Return which features of the leaf a wrapper's `keep` protects, whatever their weights."""
    kept = np.zeros(n_features, dtype=bool)
    for wrapper in _wrappers(model):
        if getattr(wrapper, "keep", None) is not None:
            kept |= _columns_of(wrapper, n_features).select(wrapper.keep, "keep")
    return kept


def _columns_of(wrapper: Any, n_features: int) -> Columns:
    return Columns.of(wrapper.estimator_, find_leaf(wrapper), n_features)


def _frozen_teacher(model: Any) -> bool:
    return any(isinstance(getattr(wrapper, "teacher", None), FrozenEstimator) for wrapper in _wrappers(model))


def _needs(model: Any, used: Mask) -> Mask:
    """Return which inputs of a fitted model the used features of its leaf need."""
    inside = inside_of(model)
    needed = used if inside is None else _needs(inside, used)
    return steps_wanted(model.steps[:-1], needed)[0] if isinstance(model, Pipeline) else needed


def _first_of(model: Any) -> Any:
    """Return the step that reads the rows as they are given."""
    if isinstance(model, Pipeline):
        return _first_of(model.steps[0][1])
    if isinstance(model, FeatureUnion) and len(model.transformer_list) == 1:
        return _first_of(model.transformer_list[0][1])
    inside = inside_of(model)
    return model if inside is None else _first_of(inside)


def _rebuilt(model: Any, given: Mask, used: Mask, notes: Notes) -> tuple[Any, Mask]:
    """Return a fitted model unfitted and narrowed, and which of the leaf's features it will have."""
    inside = inside_of(model)
    if inside is None:
        return clone(model), given
    if (is_search(model) and not is_wrapper(model)) or isinstance(model, IntegerModel):
        return _rebuilt(inside, given, used, notes)
    if isinstance(model, Pipeline):
        steps, given = narrowed_steps(model.steps[:-1], given, _needs(inside, used), notes)
        last, features = _rebuilt(inside, given, used, notes)
        return clone(model).set_params(steps=[*steps, (model.steps[-1][0], last)]), features
    made, features = _rebuilt(inside, given, used, notes)
    if is_wrapper(model):
        return clone(model).set_params(estimator=made, **_narrowed_parameters(model, features)), features
    container = container_of(model)
    assert container is not None
    return clone(model).set_params(**{container.place.rstrip("_"): made}), features


def _narrowed_parameters(wrapper: Any, features: Mask) -> dict[str, Any]:
    """Return the parameters of a pruning wrapper that speak of features, for those that are left."""
    if not hasattr(wrapper, "support_") or not hasattr(wrapper, "max_loss"):
        return {}
    columns = _columns_of(wrapper, len(features))
    changed: dict[str, Any] = {}
    groups = wrapper.feature_groups
    if groups is not None and not isinstance(groups, str):
        changed["feature_groups"] = columns.labels(groups)[features]
    if wrapper.keep is not None:
        changed["keep"] = np.flatnonzero(columns.select(wrapper.keep, "keep")[features]).tolist()
    if wrapper.monotonic_cst is not None:
        changed["monotonic_cst"] = columns.signs(wrapper.monotonic_cst, "monotonic_cst")[features].astype(int)
    if not isinstance(wrapper.n_nonzero, (int, np.integer)):
        # The weights that were kept, whether or not a wrapper around this one rounds some of them to zero.
        support = wrapper.state_.support[:, features]
        whole = wrapper.feature_groups is not None
        share = float(support.any(axis=0).mean() if whole else support.mean())
        changed.update(n_nonzero=share, threshold=None, max_loss=None)
    return changed


def _narrow_rows(X: Any, needed: Mask, names: Any, notes: Notes) -> Any:
    """Return the rows with the needed inputs alone, in the form that they have."""
    if notes.entries is not None:
        first: DictVectorizer = notes.first
        return [narrow_mapping(row, notes.entries, first.separator) for row in X]
    if needed.all():
        return X
    if hasattr(X, "columns") and names is not None:
        missing = [name for name in names if name not in list(X.columns)]
        if missing:
            raise ValueError(f"X lacks the column {missing[0]!r}, which the pipeline was fitted on")
        return X[[str(name) for name in np.asarray(names)[needed]]]
    return _take_columns(X, np.flatnonzero(needed), len(needed))


def _take_columns(X: Any, places: Indices, n_inputs: int) -> Any:
    array = X if hasattr(X, "shape") else np.asarray(X)
    if array.shape[1] != n_inputs:
        raise ValueError(f"X has {array.shape[1]} columns, but the pipeline was fitted on {n_inputs}")
    if hasattr(array, "iloc"):
        return array.iloc[:, places]
    return array.tocsc()[:, places].tocsr() if hasattr(array, "tocsc") else array[:, places]
