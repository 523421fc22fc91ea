"""scikit-learn's own checks on the classifiers' wrappers around many bases, and on the search."""

import pytest
from sklearn import linear_model as lm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import has_fit_parameter
from test_common import EXPECTED_FAILURES as OF_REGRESSORS
from test_common import NO_WEIGHTS, NOISE, name_of

from skcompress import (
    CompressedClassifierCV,
    DistilledClassifier,
    PrunedClassifier,
    QuantizedClassifier,
)

BASES = [
    None,
    lm.LogisticRegression(C=0.5, max_iter=1000),
    LinearSVC(random_state=0),
    lm.RidgeClassifier(),
    lm.SGDClassifier(random_state=0),
    lm.SGDClassifier(loss="log_loss", random_state=0),
    lm.Perceptron(random_state=0),
    LinearDiscriminantAnalysis(),
    make_pipeline(Normalizer(), lm.LogisticRegression()),
]
WRAPPERS = {
    "pruned": lambda base: PrunedClassifier(base, n_nonzero=2),
    "quantized": lambda base: QuantizedClassifier(base, rounding="gptq", scale="max"),
    "distilled": lambda base: DistilledClassifier(base, teacher=GaussianNB(), alpha=0.5, cv="in_sample"),
}
# A student is fitted on weighted rows, and this one takes no weights: refused, see test_classifier_bases.
WRAPPED = [
    wrap(base)
    for name, wrap in WRAPPERS.items()
    for base in BASES
    if not (name == "distilled" and isinstance(base, LinearDiscriminantAnalysis))
]
OTHERS = [CompressedClassifierCV(lm.RidgeClassifier(), n_nonzero=[2], bits=[4], cv=2)]

_APPROXIMATE = "the bare base fails it: its solver stops where the order and number of the rows have led it"

EXPECTED_FAILURES = {
    "a base without sample_weight": {
        **OF_REGRESSORS["a base without sample_weight"],
        "check_classifiers_one_label_sample_weights": NO_WEIGHTS,
    },
    "SGDClassifier": dict.fromkeys(OF_REGRESSORS["SGDRegressor"], _APPROXIMATE),
    "Perceptron": dict.fromkeys(OF_REGRESSORS["SGDRegressor"], _APPROXIMATE),
    "LinearSVC": dict.fromkeys(OF_REGRESSORS["SGDRegressor"], _APPROXIMATE),
}
"""Checks that fail, with the reason, by the class of the base or by what it lacks."""


def expected_failures(estimator):
    base = getattr(estimator, "estimator", None)
    if base is None:
        return {}
    weighted = has_fit_parameter(base, "sample_weight") or hasattr(base, "steps")
    listed = EXPECTED_FAILURES.get(type(base).__name__ if weighted else "a base without sample_weight", {})
    # A teacher that takes no sparse X has it refused, as the check asks.
    dense_only = isinstance(estimator, DistilledClassifier)
    return {name: reason for name, reason in listed.items() if not (dense_only and "sparse" in name)}


CHECKS = parametrize_with_checks(WRAPPED + OTHERS).mark


CONVERGENCE = pytest.mark.filterwarnings("ignore:Maximum number of iteration:sklearn.exceptions.ConvergenceWarning")


# scikit-learn 1.6 passes a generator, which pytest does not take any more.
@pytest.mark.slow
@NOISE
@CONVERGENCE
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_check(estimator, check):
    reason = expected_failures(estimator).get(name_of(check))
    if reason is None:
        check(estimator)
        return
    with pytest.raises((AssertionError, ValueError)):
        check(estimator)
    pytest.xfail(reason)


WEIGHTED = [base for base in BASES[1:] if not isinstance(base, LinearDiscriminantAnalysis)]


@CONVERGENCE
@pytest.mark.parametrize("base", WEIGHTED, ids=lambda base: type(base).__name__)
def test_no_expected_failure_is_a_check_that_the_bare_base_passes(base):
    listed = expected_failures(PrunedClassifier(base))
    for estimator, check in estimator_checks_generator(base):
        if name_of(check) in listed:
            with pytest.raises((AssertionError, ValueError)):
                check(estimator)
