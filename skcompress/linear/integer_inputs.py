"""Prediction in integers: inputs as codes, one integer dot product, one final scale.

    x_j  ~  offset_j + step_j q_j,     q_j = clip(round((x_j - offset_j) / step_j), -Q, Q),   Q = 2^(input_bits-1) - 1
    w_ij = s_i z_ij / step_j,          z_ij an integer
    eta_i = s_i (sum over j of z_ij q_j) + (b_i + sum over j of w_ij offset_j)

(Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"). The
steps are those of the training rows: offset and step from the least and the greatest value of a column, without offset
for sparse X, where 0 must stay 0. The sum is exact: it is below 2^31 or 2^53 by construction, so that 32 or 64 bit
integers and float64 give the same bits.

`IntegerModel` takes the leaf's place inside the fitted estimator. It reads the codes off the leaf's present weights, so
that whoever changes those changes the prediction.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from ..core.grids import Grid
from ..core.linalg import Floats
from .containers import CONTAINERS, Container, Leaf, inside_of, put_inside
from .state import InputGrid, State
from .view import as_matrix, read, write

EXACT = 2**53
"""Integers below it are exact in float64."""

INTEGER_GRIDS = {"symmetric", "affine", "fixed_point"}


def _leaf_has(method: str) -> Callable[[Any], bool]:
    def check(self: Any) -> bool:
        getattr(self.leaf, method)
        return True

    return check


class IntegerModel(BaseEstimator):
    """A fitted linear model that predicts from the codes of its inputs and weights.

    Parameters
    ----------
    leaf : estimator
        The linear model; its weights lie on the grid.
    inputs : InputGrid
        The codes of the inputs.
    scale : ndarray of shape (m, 1)
        s, what a product of codes is worth in units of the linear predictor.
    """

    def __init__(self, leaf: Any, inputs: InputGrid, scale: Floats):
        self.leaf = leaf
        self.inputs = inputs
        self.scale = scale

    def __getattr__(self, name: str) -> Any:
        if name == "leaf" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.leaf, name)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        return copy.deepcopy(get_tags(self.leaf))

    @property
    def codes(self) -> NDArray[np.int64]:
        """z, shape (m, p)."""
        return codes_of(read(self.leaf)[0], self.inputs, self.scale)

    def linear_predictor(self, X: Any, *, integers: bool = False) -> Floats:
        """Return eta, shape (n, m).

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n, p)
            The leaf's input.
        integers : bool, default=False
            Whether the sums are made in integers of 32 or 64 bits, as a device would; else in float64, which gives the
            same bits and is faster here.
        """
        return self.of_codes(self.inputs.codes(self._checked(X)), integers=integers)

    def of_codes(self, q: Any, *, integers: bool = False) -> Floats:
        """Return eta of rows that are codes already, shape (n, m)."""
        z = self.codes
        if integers:
            kind = accumulator(z, self.inputs.top)
            q, z = q.astype(kind), z.astype(kind)
        else:
            z = z.astype(np.float64)
        weights, intercept = read(self.leaf)
        return np.asarray(q @ z.T) * self.scale[:, 0] + (intercept + weights @ self.inputs.offset)

    def n_clipped_inputs(self, X: Any) -> NDArray[np.intp]:
        """Return how many values of each column, shape (p,), lie beyond the codes and are clipped."""
        return self.inputs.n_clipped_inputs(self._checked(X))

    def _checked(self, X: Any) -> Any:
        return as_matrix(validate_data(self.leaf, X, reset=False, accept_sparse="csr", dtype=np.float64))

    def _answer(self, method: str, X: Any, *args: Any, **kwargs: Any) -> Any:
        """Let the leaf's own method turn the linear predictor into its answer."""
        eta = self.linear_predictor(X).astype(self.leaf.coef_.dtype, copy=False)
        return getattr(_head(self.leaf, eta.shape[1]), method)(eta, *args, **kwargs)

    def predict(self, X: Any) -> Any:
        """Return the leaf's prediction from eta."""
        return self._answer("predict", X)

    def score(self, X: Any, y: Any, **kwargs: Any) -> float:
        """Return the leaf's score of the predictions from eta."""
        return float(self._answer("score", X, y, **kwargs))

    @available_if(_leaf_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """Return eta as the leaf shapes it."""
        return self._answer("decision_function", X)

    @available_if(_leaf_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Return the leaf's probabilities from eta."""
        return self._answer("predict_proba", X)

    @available_if(_leaf_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> Any:
        """Return the leaf's log-probabilities from eta."""
        return self._answer("predict_log_proba", X)


def output_scale(grid: Grid, n_outputs: int) -> Floats:
    """Return what a product of codes is worth in each output, shape (m, 1)."""
    return np.array(np.broadcast_to(grid.row_scale, (n_outputs, 1)))


def codes_of(weights: Floats, inputs: InputGrid, scale: Floats) -> NDArray[np.int64]:
    """Return z of weights that lie on the grid with these scales (m, 1), shape (m, p)."""
    return np.rint(weights * inputs.step / scale).astype(np.int64)


def check_input_bits(input_bits: Any, *, grid: str, granularity: str) -> None:
    """Raise ValueError unless inputs can have so many bits beside weights on this grid."""
    if not isinstance(input_bits, Integral) or isinstance(input_bits, bool) or not 2 <= int(input_bits) <= 16:
        raise ValueError(f"input_bits must be None or an integer from 2 to 16, got {input_bits!r}")
    if grid not in INTEGER_GRIDS:
        raise ValueError(
            f"input_bits={input_bits!r} does not go with grid={grid!r}, whose values are no integers: use one of "
            f"{sorted(INTEGER_GRIDS)}"
        )
    if granularity == "feature":
        raise ValueError(
            f"input_bits={input_bits!r} does not go with granularity='feature': the steps of the inputs are the "
            "features' scales; use 'auto', 'output' or 'tensor'"
        )


def accumulator(codes: NDArray[np.int64], top: int) -> type[np.int32 | np.int64]:
    """Return the smallest integer type in which no sum of these weights' codes times inputs' codes can overflow.

    Raises
    ------
    ValueError
        If a sum could pass 2^53.
    """
    most = int(np.abs(codes).sum(axis=1).max(initial=0)) * top
    if most >= EXACT:
        raise ValueError(f"the integer sums may reach {most:.3g}, beyond 2^53: use fewer bits or input_bits")
    return np.int32 if most < 2**31 else np.int64


def _head(leaf: Any, n_outputs: int) -> Any:
    """Return the leaf as a model of its own linear predictor: weights one, intercept zero."""
    head = copy.copy(leaf)
    head.coef_ = np.empty((n_outputs,) * np.ndim(leaf.coef_), dtype=leaf.coef_.dtype)
    head.n_features_in_ = n_outputs
    head.__dict__.pop("feature_names_in_", None)
    if hasattr(head, "_x_mean"):
        head._x_mean = np.zeros(n_outputs)
    write(head, np.eye(n_outputs), np.zeros(n_outputs))
    return head


def _inside_integer(leaf: Leaf) -> Leaf:
    return replace(leaf, estimator=leaf.estimator.leaf)


CONTAINERS[IntegerModel] = Container("leaf", _inside_integer, lambda reader: None)


def integer_reader(state: State) -> Callable[[Any], IntegerModel] | None:
    """Return what makes the leaf predict from the codes of its inputs, or None where the state has none."""
    if state.inputs is None or state.grid is None:
        return None
    inputs, scale = state.inputs, output_scale(state.grid, len(state.weights))
    return lambda leaf: IntegerModel(leaf, inputs, scale)


def with_reader(model: Any, reader: Callable[[Any], Any] | None) -> Any:
    """Put what `reader` makes of the leaf in the leaf's place inside a fitted model; None: the leaf itself.

    An `IntegerModel` that is there already gives way. Returns the model, changed in place unless it is the leaf.
    """
    inside = inside_of(model)
    if isinstance(model, IntegerModel):
        return with_reader(inside, reader)
    if inside is None:
        return model if reader is None else reader(model)
    put_inside(model, with_reader(inside, reader))
    return model


def leaf_input(model: Any, X: Any) -> Any:
    """Return X as the leaf inside a fitted model sees it when the model predicts."""
    while model is not None:
        if isinstance(model, Pipeline) and len(model) > 1:
            X = model[:-1].transform(X)
        model = inside_of(model)
    return X


def reader_of(model: Any) -> IntegerModel | None:
    """Return the `IntegerModel` inside a fitted model, or None."""
    while model is not None and not isinstance(model, IntegerModel):
        model = inside_of(model)
    return model
