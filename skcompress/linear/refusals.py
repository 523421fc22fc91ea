"""Why an estimator has no weights that can be written, and what to do about it.

Some predict linearly and yet cannot be compressed as they are: they compute their weights from something else, or hold
several linear models. The message says which it is and names what can take their place.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import MetaEstimatorMixin, is_classifier
from sklearn.ensemble import BaseEnsemble, VotingClassifier, VotingRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB

_LINEAR_IN_LOGS = (MultinomialNB, BernoulliNB, ComplementNB, CategoricalNB)


def require_linear(estimator: Any) -> None:
    """Raise TypeError, naming the class and a way out, unless the fitted estimator has writable weights."""
    reason = _reason(estimator)
    if reason is not None:
        raise TypeError(f"{type(estimator).__name__} {reason}")


def _reason(estimator: Any) -> str | None:
    if isinstance(getattr(type(estimator), "coef_", None), property):
        return _of_a_kernel(estimator)
    if isinstance(estimator, _LINEAR_IN_LOGS):
        return (
            "is linear in its inputs but keeps log probabilities in place of coef_, which cannot be written: use "
            f"LogisticRegression, or distil it into one: {_distilled(estimator)}"
        )
    if _holds_estimators(estimator):
        return _of_several(estimator)
    if not hasattr(estimator, "coef_") or not hasattr(estimator, "intercept_"):
        return (
            "has no coef_ and intercept_, so there are no weights to compress: use a linear base such as "
            f"{_base(estimator)}, or distil it into one: {_distilled(estimator)}"
        )
    return None


def _of_a_kernel(estimator: Any) -> str:
    kernel = getattr(estimator, "kernel", None)
    linear = "LinearSVC" if is_classifier(estimator) else "LinearSVR"
    if kernel is not None and kernel != "linear":
        return (
            f"has kernel={kernel!r} and is not linear in its inputs: use {linear}, or distil it into a linear model: "
            f"{_distilled(estimator)}"
        )
    return (
        "computes its coef_ and does not let it be set: use a base that stores its weights, such as "
        f"{linear if kernel is not None else _base(estimator)}"
    )


def _holds_estimators(estimator: Any) -> bool:
    params = estimator.get_params(False) if hasattr(estimator, "get_params") else {}
    kinds = MetaEstimatorMixin, BaseEnsemble, VotingClassifier, VotingRegressor
    return isinstance(estimator, kinds) and bool({"estimator", "estimators"} & params.keys())


def _of_several(estimator: Any) -> str:
    parameters = estimator.get_params(False)
    if "estimator" not in parameters:
        return (
            "holds several models, whose sum has no coef_ of its own: put a wrapper around each of them, in "
            f"estimators, or distil all into one linear model: {_distilled(estimator)}"
        )
    inside = parameters["estimator"]
    if hasattr(estimator, "estimators_"):
        inside = next(iter(estimator.estimators_), inside)
    if inside is not None and not (hasattr(inside, "coef_") or hasattr(inside, "fit_intercept")):
        return (
            f"holds several models, none of them linear ({type(inside).__name__}): distil it into a linear model: "
            f"{_distilled(estimator)}"
        )
    linear = _base(estimator) if inside is None else type(inside).__name__
    wrapper = "PrunedClassifier" if is_classifier(estimator if inside is None else inside) else "PrunedRegressor"
    return (
        "holds several models, or none to be written: put the wrapper inside it, around the linear one, as in "
        f"{type(estimator).__name__}({wrapper}({linear}())), or distil it into one linear model: "
        f"{_distilled(estimator)}"
    )


def _base(estimator: Any) -> str:
    return "LogisticRegression" if is_classifier(estimator) else "Ridge"


def _distilled(estimator: Any) -> str:
    wrapper = "DistilledClassifier" if is_classifier(estimator) else "DistilledRegressor"
    return f"{wrapper}({_base(estimator)}(), teacher={type(estimator).__name__}(...))"
