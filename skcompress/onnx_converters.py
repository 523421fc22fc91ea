"""Converters of the wrappers for skl2onnx, so that a Pipeline around them converts as a whole.

A fitted wrapper predicts with the estimator inside it, whose weights it has written: its graph is that estimator's
graph. `to_onnx` is smaller and exact, and is the way to go for whatever `compact` takes; this is for pipelines with
steps that it does not take, such as PCA.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import is_classifier

from .distillation import DistilledClassifier, DistilledRegressor
from .linear.integer_inputs import reader_of
from .model_selection import CompressedClassifierCV, CompressedRegressorCV
from .pruning import PrunedClassifier, PrunedRegressor
from .quantization import QuantizedClassifier, QuantizedRegressor

WRAPPERS: tuple[type, ...] = (
    CompressedClassifierCV,
    CompressedRegressorCV,
    DistilledClassifier,
    DistilledRegressor,
    PrunedClassifier,
    PrunedRegressor,
    QuantizedClassifier,
    QuantizedRegressor,
)


def register_skl2onnx() -> None:
    """Teach skl2onnx the wrappers of this package (needs ``pip install 'skcompress[onnx]'``).

    After it ``skl2onnx.to_onnx(pipeline, X)`` converts any Pipeline in which they stand, as far as skl2onnx knows the
    other steps and the base. Options of a classifier, such as ``zipmap``, are those of skl2onnx.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    to_onnx : Smaller and exact, for whatever `compact` takes.

    Examples
    --------
    With skl2onnx installed::

        register_skl2onnx()
        graph = skl2onnx.to_onnx(make_pipeline(PCA(4), PrunedRegressor()).fit(X, y), X[:1])
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError:
        raise ImportError("register_skl2onnx needs skl2onnx: pip install 'skcompress[onnx]'") from None
    for wrapper in WRAPPERS:
        options = None
        if "Classifier" in wrapper.__name__:
            options = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]}
        update_registered_converter(
            wrapper, f"Skcompress{wrapper.__name__}", _shapes, _convert, options=options, overwrite=True
        )


def _shapes(operator: Any) -> None:
    """Give the outputs of the wrapper the shapes that skl2onnx gives those of its kind."""
    from skl2onnx.common.data_types import guess_tensor_type

    model = operator.raw_operator
    n_rows = operator.inputs[0].get_first_dimension()
    number = guess_tensor_type(operator.inputs[0].type)
    if is_classifier(model):
        from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

        calculate_linear_classifier_output_shapes(operator)
        return
    number.shape = [n_rows, 1 if model.coef_.ndim == 1 else model.coef_.shape[0]]
    operator.outputs[0].type = number


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Let the estimator inside the wrapper be converted, and hand its outputs on."""
    from skl2onnx._parse import _parse_sklearn

    model = operator.raw_operator
    if reader_of(model) is not None:
        name = type(model).__name__
        raise ValueError(f"{name} has input_bits, which skl2onnx cannot convert: use skcompress.to_onnx")
    if is_classifier(model) and hasattr(model, "predict_proba"):
        for place in (scope, container):
            place.add_options(id(model.estimator_), options={"zipmap": False})
    inside = _parse_sklearn(scope, model.estimator_, list(operator.inputs))
    one_score = is_classifier(model) and not hasattr(model, "predict_proba") and len(model.classes_) == 2
    for place, (made, wanted) in enumerate(zip(inside, operator.outputs, strict=True)):
        if one_score and place == 1:
            _both_signs(scope, container, made.full_name, wanted.full_name)
            continue
        name = scope.get_unique_operator_name("same")
        container.add_node("Identity", made.full_name, wanted.full_name, name=name)


def _both_signs(scope: Any, container: Any, score: str, wanted: str) -> None:
    """Write the scores of two classes, of which there is one: -s and s."""
    other = scope.get_unique_variable_name("other")
    container.add_node("Neg", score, other, name=scope.get_unique_operator_name("neg"))
    container.add_node("Concat", [other, score], wanted, axis=1, name=scope.get_unique_operator_name("both"))
