"""scikit-learn's own checks on the searches."""

import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcompress import CompressedClassifierCV, CompressedRegressorCV

# ElasticNet of scikit-learn 1.6 does not converge on the constant y that a fold of sorted labels has.
SHUFFLED = KFold(2, shuffle=True, random_state=0)

SEARCHES = [
    CompressedRegressorCV(n_nonzero=[1], bits=[4], cv=2),
    CompressedRegressorCV(Ridge(), n_nonzero=[1, 2], bits=[None, 4], cv=2),
    CompressedRegressorCV(ElasticNet(0.01), n_nonzero=[2], bits=[4], cv=SHUFFLED),
    CompressedClassifierCV(LogisticRegression(max_iter=1000), n_nonzero=[2], bits=[4], cv=2),
]


CHECKS = parametrize_with_checks(SEARCHES).mark


# scikit-learn 1.6 passes a generator, which pytest does not take any more.
@pytest.mark.slow
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_check(estimator, check):
    check(estimator)
