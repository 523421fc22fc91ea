"""DistilledClassifier: let a strong model teach a linear classifier its probabilities."""

from __future__ import annotations

from typing import Any

from ._classifier import ClassifierCompressor
from .distillation import Distilling


class DistilledClassifier(ClassifierCompressor, Distilling):
    """Fit a linear classifier on the labels and on the probabilities of a stronger teacher.

    As `DistilledRegressor`, on the log-odds scale: the student's weights are ``(1 - alpha) w_y + alpha w_T``, w_y
    fitted on the labels and w_T on the teacher's probabilities, each row repeated once a class with the probability as
    its weight.

    Parameters
    ----------
    estimator : estimator, default=None
        The student: a linear classifier whose fit takes sample_weight, one of the wrappers of this package, or a
        Pipeline ending in one. A penalty chosen by cross-validation is chosen on the labels. None:
        LogisticRegression().
    teacher : estimator, default=None
        Any classifier with predict_proba, or a FrozenEstimator that holds a fitted one. None:
        HistGradientBoostingClassifier().
    alpha : float or "auto", default="auto"
        As in `DistilledRegressor`; judged by the log loss, or the hinge loss where the student's has no curvature.
    debias : bool, default=True
        With unlabelled rows, correct w_T by one Newton step on what the labels say against the teacher's out-of-fold
        probabilities. Students whose loss has no curvature are not corrected.
    temperature : float, default=1.0
        By which the teacher's log-odds are divided for the fit; the student's are multiplied by it again. Above 1 the
        student cares more for rows where the teacher is sure. Needs a student that predicts log-odds.
    cv, representation, n_components, n_jobs, random_state
        As in `DistilledRegressor`; the folds are stratified.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    estimator_, teacher_, alpha_, coef_, intercept_, base_coef_, base_intercept_
        As in `DistilledRegressor`.
    loss_increase_, prediction_change_, steps_
        As in `DistilledRegressor`.

    See Also
    --------
    DistilledRegressor : The same for regressors.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skcompress import DistilledClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> student = make_pipeline(StandardScaler(), LogisticRegression())
    >>> teacher = ExtraTreesClassifier(n_estimators=20, random_state=0)
    >>> model = DistilledClassifier(student, teacher=teacher, alpha=0.5, cv=3)
    >>> model = model.fit(X[:100], y[:100], X_unlabeled=X[100:])
    >>> bool(model.score(X[100:], y[100:]) > 0.9)
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        teacher: Any = None,
        alpha: float | str = "auto",
        debias: bool = True,
        temperature: float = 1.0,
        cv: Any = 5,
        representation: Any = None,
        n_components: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        super().__init__(
            estimator,
            teacher=teacher,
            alpha=alpha,
            debias=debias,
            cv=cv,
            representation=representation,
            n_components=n_components,
            n_jobs=n_jobs,
            random_state=random_state,
        )
        self.temperature = temperature

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags
