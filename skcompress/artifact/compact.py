"""CompactLinear: a linear model as it ships: inputs -> terms -> dot product -> link.

    prediction = link( sum over terms t of weight_t (column_t - offset_t) / divisor_t + intercept )

See `skcompress.artifact.terms` for columns and blocks, `skcompress.artifact.weights` for the weights,
`skcompress.artifact.format.packed` for the bytes. A model never changes once it is built, so that threads may share it.
It needs numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .analysis import golden
from .analysis.limits import rows_outside
from .format import packed
from .links import predictions, probabilities, require_probabilities
from .one_row import REQUIRED, OneRow, as_numbers, from_mapping, used_of
from .parts import Parts
from .plan import Dot, dot_of, linear_predictor, plan_of
from .reading import Table

_FLOAT64 = np.dtype(np.float64)
_NDARRAY = np.ndarray
_UNBOUNDED = 2**63


class CompactLinear(Parts):
    """A linear model that needs numpy alone.

    It is built by `skcompress.compact` or `from_bytes`, seldom by hand.

    Parameters
    ----------
    weights : Weights
        Weights of shape (m, p): m outputs, p terms.
    intercept : array-like of shape (m,)
        Intercepts.
    inputs : Inputs
        Names and places of the k inputs that are read.
    blocks : sequence of Block, default=()
        How the columns beyond the inputs are made.
    columns : array-like of shape (p,), default=None
        The column of each term. None: the first p.
    offset, divisor : array-like of shape (p,), default=None
        What is subtracted from each term's column, and what divides the rest. None: 0 and 1.
    link : str, default="identity"
        A key of `LINKS`.
    flat : bool, default=True
        Whether predictions have one dimension (with one output).
    classes : sequence of scalars, default=()
        Labels of a classifier: two for one output, else one for each output.
    n_terms_all : int, default=None
        How many terms the folded model had. None: p.
    metadata : dict, default=None
        Anything that JSON can hold. It is no part of the model's identity.

    See Also
    --------
    compact : Makes one of a fitted model.
    load : Reads one from a file.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import CompactLinear, compact
    >>> small = compact(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    >>> again = CompactLinear.from_bytes(small.to_bytes())
    >>> print(f"{again.predict([[10.0]])[0]:.3f}", again.model_id == small.model_id)
    21.000 True
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return _unpickled, (self.to_bytes(),)

    def __repr__(self) -> str:
        form = "floats" if self.weights.codes is None else f"{self.weights.bits or 16}-bit codes"
        return (
            f"<CompactLinear {self.model_id}: {len(self.reads)} of {self.reads.n_all} inputs, "
            f"{int(self.weights.nonzero().sum())} weights as {form}, {self.link} link>"
        )

    @property
    def model_id(self) -> str:
        """First 12 hex digits of the SHA-256 of the decoded model, without names and metadata."""
        return packed.digest(self).hex()[:12]

    @property
    def nbytes(self) -> int:
        """Bytes that the weights take in a file: codes or floats, scales and intercepts."""
        return packed.section_sizes(self)["weights"]

    def linear_predictor(self, X: Any) -> NDArray[Any]:
        """Return what goes into the link, shape (n, m).

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            With the columns of `inputs`, or all those of the folded model in their order.

        Raises
        ------
        ValueError
            If columns are missing, an input is NaN or infinite, or a category is unknown and not ignored.
        """
        return linear_predictor(self, Table(X, self.reads))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predictions, shape (n,) or (n, m); for a classifier the labels.

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            With the columns of `inputs`, or all those of the folded model in their order.
        """
        return self._answer(self.linear_predictor(X))

    def _answer(self, eta: NDArray[Any]) -> NDArray[Any]:
        if self.classes:
            chosen = (eta[:, 0] > 0).astype(np.intp) if self.n_outputs == 1 else eta.argmax(axis=1)
            return np.asarray(np.array(self.classes)[chosen])
        answer = predictions(self.link, eta)
        return answer[:, 0] if self.flat else answer

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return a classifier's scores, shape (n,) for two classes, else (n, n_classes)."""
        eta = self.linear_predictor(X)
        return eta[:, 0] if self.n_outputs == 1 else eta

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return a classifier's probabilities, shape (n, n_classes).

        Raises
        ------
        ValueError
            If the model is no classifier, or one whose scores are no log-odds.
        """
        require_probabilities(self.link, self.classes)
        return probabilities(self.link, self.linear_predictor(X))

    def predict_one(self, row: Any, *, missing: Any = REQUIRED) -> Any:
        """Return the prediction for one row: a float, an array of shape (m,), or a label.

        Parameters
        ----------
        row : sequence or mapping
            The values of `inputs` in their order, or of all inputs of the folded model; or values by name: whatever
            has ``keys``, such as a dict or a row of a pandas frame.
        missing : scalar or mapping, default=error
            What an absent key of a mapping stands for: one value, or one for each name.

        Raises
        ------
        ValueError
            If a key is absent and `missing` does not give it, or a value cannot be used.
        """
        dense, shape, offset, vector, constant = self.memo.get("dot") or self._prepare_one()
        if type(row) is not _NDARRAY:
            has_keys = type(row) is dict or (type(row) is not list and hasattr(row, "keys"))
            if has_keys and self.reads.rows == "table":
                by_name = isinstance(row, Mapping) or self.reads.labels is not None
                row = from_mapping(row, self.reads, missing) if by_name else list(row)
            if dense:
                row = np.array(row)
        if dense:
            if row.dtype is not _FLOAT64:
                row = as_numbers(row)
            if row.shape != shape:
                row = used_of(row, self.reads)
            if vector is not None:
                eta = float((row if offset is None else row - offset).dot(vector)) + constant
                if isfinite(eta):
                    return eta
        if self.reads.rows != "table":
            return self.predict([row])[0]
        return self._answer(linear_predictor(self, OneRow(used_of(row, self.reads), self.reads)))[0]

    def _prepare_one(self) -> Dot:
        self.memo["dot"] = dot = dot_of(self, plan_of(self, _FLOAT64))
        return dot

    def n_clipped_rows(self, X: Any) -> int:
        """Return how many rows have an input beyond the range at which the model caps it.

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            With the columns of `inputs`, or all those of the folded model in their order.
        """
        return rows_outside(self, X)

    def golden_rows(self, X: Any, *, refused: bool = True) -> dict[str, NDArray[Any]] | list[dict[str, Any]]:
        """Return rows on which another system should be checked before it serves the model.

        Parameters
        ----------
        X : array, frame, mapping of columns or sparse matrix, n rows
            Some rows, for values that are usual.
        refused : bool, default=True
            Whether rows are among them for which the model has no prediction, such as one with a missing value. False:
            all rows can be given to `predict`.

        Returns
        -------
        rows : dict of ndarray, or list of dict
            Input -> values, for `predict`, or ``pandas.DataFrame(rows)``; one dict a row where the model reads
            mappings. A few of the rows of X, and one of them with one input changed at a time: to its ends, to the
            edges of bins and caps, also behind a scaler, and the floats right below them, to each level, an unseen
            level, and a missing value.

        Raises
        ------
        ValueError
            If the model reads texts, X has no rows, or no row has a prediction where such are asked for.
        """
        return golden.golden_rows(self, X, refused)

    def verify(self, scores: Any, X: Any, *, method: str = "predict", tolerance: float = 1e-9) -> float:
        """Check the scores that another system gives for rows.

        Parameters
        ----------
        scores : array-like of shape (n,) or (n, m)
            What the other system gives; NaN or None where it has no prediction.
        X : array, frame, mapping of columns or sparse matrix, n rows
            The rows, such as `golden_rows`.
        method : {"predict", "predict_proba", "decision_function"}, default="predict"
            What the scores are.
        tolerance : float, default=1e-9
            The most that a score may be off, relative to 1 + its size; 1e-5 for a system of float32.

        Returns
        -------
        largest : float
            The largest difference, relative to 1 + the size of the score.

        Raises
        ------
        ValueError
            If scores differ, or one of the two has no prediction where the other has; the message shows the worst row.
        """
        golden.require_method(method)
        if method == "predict_proba":
            require_probabilities(self.link, self.classes)
        return golden.verify(self, scores, X, getattr(self, method), tolerance, self.model_id)

    def report(self) -> dict[str, Any]:
        """Return what the model holds and what it takes.

        Returns
        -------
        report : dict
            ``names`` of the inputs, ``inputs`` and ``inputs_dropped``, ``terms`` and ``terms_dropped``, ``weights``
            (not zero), ``bits`` and ``codes`` (None for floats), ``outputs``, ``link``, ``model_id``, and ``bytes``: a
            dict from the parts of the file to their bytes, with ``total`` and ``total_without_names``.
        """
        sizes = packed.section_sizes(self)
        p = self.weights.shape[1]
        return {
            "model_id": self.model_id,
            "names": list(self.inputs),
            "inputs": len(self.reads),
            "inputs_dropped": self.reads.n_all - len(self.reads),
            "terms": p,
            "terms_dropped": self.n_terms_all - p,
            "outputs": self.n_outputs,
            "weights": int(self.weights.nonzero().sum()),
            "bits": self.weights.bits,
            "codes": self.weights.codes,
            "link": self.link,
            "bytes": {
                **sizes,
                "total": sum(sizes.values()),
                "total_without_names": len(self.to_bytes(names=False, metadata=False)),
            },
        }

    def to_bytes(self, *, names: bool = True, metadata: bool = True) -> bytes:
        """Return the model in the format of `skcompress.artifact.format.packed`.

        Parameters
        ----------
        names : bool, default=True
            Whether the names of the inputs go along. Without them they are x0, x1, ... on reading.
        metadata : bool, default=True
            Whether `metadata` goes along.
        """
        return packed.write(self, names=names, metadata=metadata)

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int | None = None) -> Self:
        """Read a model. Nothing in the bytes is ever executed.

        Parameters
        ----------
        data : bytes
            What `to_bytes` gave.
        max_bytes : int, default=None
            The memory that reading may take, see `skcompress.load`.

        Raises
        ------
        FormatError
            If the bytes are no such model, are damaged, or ask for more than `max_bytes`.
        """
        return packed.read(data, cls, max_bytes=max_bytes)


def _unpickled(data: bytes) -> CompactLinear:
    """Read what `CompactLinear.__reduce__` wrote: who unpickles trusts the bytes."""
    return CompactLinear.from_bytes(data, max_bytes=_UNBOUNDED)
