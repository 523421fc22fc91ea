"""membership_audit: a model that leaks by construction is caught, one that cannot is not, and the numbers are right."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.stats import norm
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor, membership_audit
from skcompress.privacy import lira_scores, residual_scores, roc_auc, shadow_samples, signal_of, true_positive_rate


@pytest.fixture
def rows():
    """120 members and 150 others, 40 features, noise as large as the signal."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((270, 40))
    y = X[:, 0] + rng.standard_normal(270)
    return X[:120], y[:120], X[120:], y[120:]


def audit(models, rows, **options):
    return membership_audit(models, *rows, **{"n_shadows": 16, "n_boot": 200, "random_state": 0} | options)


class TestVerdicts:
    def test_a_model_that_remembers_its_rows_is_caught(self, rows):
        memory = KNeighborsRegressor(n_neighbors=1).fit(*rows[:2])
        row = audit({"memory": memory}, rows).loc["memory"]
        for attack in ("residual", "lira"):
            assert row[f"{attack}_auc_low"] > 0.99
            assert row[f"{attack}_tpr_low"] > 0.9

    def test_an_interpolating_linear_model_is_caught(self, rows):
        members, others = (rows[0][:35], rows[1][:35]), rows[2:]
        row = audit({"ols": LinearRegression().fit(*members)}, (*members, *others)).loc["ols"]
        assert row["residual_auc"] == 1.0
        assert row["residual_tpr"] == 1.0

    def test_a_model_that_looks_at_no_row_is_not(self, rows):
        blind = DummyRegressor(strategy="constant", constant=0.0).fit(*rows[:2])
        row = audit({"blind": blind}, rows).loc["blind"]
        for attack in ("residual", "lira"):
            assert row[f"{attack}_auc_low"] < 0.5 < row[f"{attack}_auc_high"]
            assert row[f"{attack}_tpr_low"] < 0.03

    def test_a_blind_classifier_is_not(self):
        X, y = make_classification(200, 5, random_state=0)
        blind = DummyClassifier(strategy="constant", constant=0).fit(X[:100], y[:100])
        row = audit({"blind": blind}, (X[:100], y[:100], X[100:], y[100:])).loc["blind"]
        assert row["lira_auc_low"] <= 0.5 <= row["lira_auc_high"]
        assert row["lira_tpr"] == 0.0

    def test_lira_sees_what_residuals_do_not(self):
        """Rows differ much in how hard they are; only shadows tell hard members from easy others."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((400, 100))
        y = np.where(np.arange(400) % 2, 0.2, 20.0) * rng.standard_normal(400)
        rows = X[:200], y[:200], X[200:], y[200:]
        row = audit({"ols": LinearRegression().fit(*rows[:2])}, rows, n_shadows=32).loc["ols"]
        assert row["lira_auc"] > row["residual_auc"] + 0.04

    def test_a_classifier_with_more_columns_than_rows_is_caught(self):
        X, y = make_classification(160, 100, n_informative=5, flip_y=0.3, random_state=0)
        rows = X[:80], y[:80], X[80:], y[80:]
        models = {
            "probabilities": LogisticRegression(C=100.0, max_iter=1000).fit(*rows[:2]),
            "decisions": LinearSVC(C=10.0).fit(*rows[:2]),
        }
        assert (audit(models, rows)["lira_auc_low"] > 0.6).all()


class TestTable:
    def test_a_wrapper_brings_its_base(self, rows):
        model = QuantizedRegressor(PrunedRegressor(Ridge(), n_nonzero=5), bits=4).fit(*rows[:2])
        table = audit(model, rows)
        assert table.index.tolist() == ["Ridge", "PrunedRegressor", "QuantizedRegressor"]
        assert table.loc["Ridge", "score_members"] == Ridge().fit(*rows[:2]).score(*rows[:2])
        assert table.loc["QuantizedRegressor", "score_others"] == model.score(*rows[2:])

    def test_pruning_leaks_less_than_its_base(self, rows):
        table = audit(PrunedRegressor(n_nonzero=2).fit(*rows[:2]), rows)
        assert table.loc["PrunedRegressor", "lira_auc"] < table.loc["LinearRegression", "lira_auc"] - 0.1

    def test_the_same_seed_gives_the_same_table(self, rows):
        model = {"ridge": Ridge().fit(*rows[:2])}
        with parallel_config(backend="threading"):
            pd.testing.assert_frame_equal(audit(model, rows), audit(model, rows, n_jobs=2))

    def test_intervals_hold_the_estimate_and_widen_with_confidence(self, rows):
        model = {"ols": LinearRegression().fit(*rows[:2])}
        wide, narrow = (audit(model, rows, confidence=level).loc["ols"] for level in (0.99, 0.5))
        for key in ("residual_auc", "lira_auc", "residual_tpr", "lira_tpr"):
            assert wide[f"{key}_low"] <= wide[key] <= wide[f"{key}_high"]
            assert wide[f"{key}_high"] - wide[f"{key}_low"] > narrow[f"{key}_high"] - narrow[f"{key}_low"]

    def test_the_interval_of_the_area_agrees_with_its_formula(self, rows):
        """Hanley and McNeil (1982): the standard error of an area, here with exponential scores."""
        row = audit({"ols": LinearRegression().fit(*rows[:2])}, rows, n_boot=1000).loc["ols"]
        A, n, m = row["residual_auc"], 120, 150
        q1, q2 = A / (2 - A), 2 * A**2 / (1 + A)
        error = np.sqrt((A * (1 - A) + (n - 1) * (q1 - A**2) + (m - 1) * (q2 - A**2)) / (n * m))
        width = row["residual_auc_high"] - row["residual_auc_low"]
        assert width == pytest.approx(2 * 1.96 * error, rel=0.25)

    def test_frames_and_labels_of_text(self):
        X, y = make_classification(120, 4, random_state=0)
        X, y = pd.DataFrame(X, columns=list("abcd")), np.array(["no", "yes"])[y]
        model = LogisticRegression().fit(X[:60], y[:60])
        table = audit({"logistic": model}, (X[:60], y[:60], X[60:], y[60:]))
        assert np.isfinite(table.to_numpy()).all()

    def test_several_outputs(self, rows):
        Y, Z = np.column_stack([rows[1], rows[1]]), np.column_stack([rows[3], rows[3]])
        one = audit({"ols": LinearRegression().fit(*rows[:2])}, rows)
        two = audit({"ols": LinearRegression().fit(rows[0], Y)}, (rows[0], Y, rows[2], Z))
        np.testing.assert_allclose(two["lira_auc"], one["lira_auc"])

    def test_unlabelled_rows_of_a_distilled_model_go_to_its_shadows(self, rows):
        X, y, X_others, y_others = rows
        more = np.random.default_rng(1).standard_normal((500, 40))
        teacher = RandomForestRegressor(5, random_state=0)
        model = DistilledRegressor(Ridge(), teacher=teacher, alpha=1.0, cv=2).fit(X, y, X_unlabeled=more)
        table = audit(model, (X, y, X_others, y_others), n_shadows=8, fit_params={"X_unlabeled": more})
        assert table.index.tolist() == ["Ridge", "DistilledRegressor"]
        assert table.loc["DistilledRegressor", "lira_auc"] < table.loc["Ridge", "lira_auc"]


class TestRefusals:
    def test_too_few_shadows(self, rows):
        with pytest.raises(ValueError, match="n_shadows must be at least 4, got 2"):
            audit({"ridge": Ridge().fit(*rows[:2])}, rows, n_shadows=2)

    def test_a_confidence_that_is_none(self, rows):
        with pytest.raises(ValueError, match="confidence must be between 0 and 1, got 95"):
            audit({"ridge": Ridge().fit(*rows[:2])}, rows, confidence=95)

    def test_a_frozen_model_has_no_shadows(self, rows):
        frozen = PrunedRegressor(FrozenEstimator(Ridge().fit(*rows[:2])), n_nonzero=2).fit(*rows[:2])
        with pytest.raises(ValueError, match="FrozenEstimator, which is not fitted again"):
            audit(frozen, rows)


class TestArithmetic:
    def test_area_is_that_of_scikit_learn_ties_included(self):
        rng = np.random.default_rng(0)
        members, others = rng.integers(0, 9, 50).astype(float), rng.integers(0, 8, 70).astype(float)
        truth = np.r_[np.ones(50), np.zeros(70)]
        assert roc_auc(members, others) == pytest.approx(roc_auc_score(truth, np.r_[members, others]))

    @pytest.mark.parametrize("n_others", [50, 100, 1000])
    def test_true_positive_rate_at_one_percent(self, n_others):
        rng = np.random.default_rng(0)
        members, others = rng.standard_normal(80) + 1, rng.standard_normal(n_others)
        fpr, tpr, _ = roc_curve(np.r_[np.ones(80), np.zeros(n_others)], np.r_[members, others], drop_intermediate=False)
        assert true_positive_rate(members, others) == pytest.approx(tpr[fpr <= 0.01].max())

    def test_equal_scores_catch_nobody(self):
        assert true_positive_rate(np.zeros(50), np.zeros(200)) == 0.0

    def test_lira_is_the_ratio_of_two_normal_densities(self):
        rng = np.random.default_rng(0)
        samples = np.tile([[True, False], [False, True]], (50, 1))
        shadows = rng.standard_normal((100, 2, 1)) + 3 * samples[:, :, None]
        signal = np.array([[0.5], [2.0]])
        inside = [shadows[samples[:, j], j, 0] for j in (0, 1)]
        outside = [shadows[~samples[:, j], j, 0] for j in (0, 1)]
        s_in = np.sqrt(np.mean([values.var(ddof=1) for values in inside]))
        s_out = np.sqrt(np.mean([values.var(ddof=1) for values in outside]))
        expected = [
            norm.logpdf(signal[j, 0], inside[j].mean(), s_in) - norm.logpdf(signal[j, 0], outside[j].mean(), s_out)
            for j in (0, 1)
        ]
        np.testing.assert_allclose(lira_scores(signal, shadows, samples), expected)

    def test_a_row_that_no_shadow_has_seen_borrows_the_mean_gap(self):
        samples = np.array([[True, False, False], [False, True, False]] * 4)
        shadows = np.random.default_rng(0).standard_normal((8, 3, 1))
        assert np.isfinite(lira_scores(np.zeros((3, 1)), shadows, samples)).all()

    @pytest.mark.parametrize("n_others", [20, 50, 200])
    def test_shadow_samples_are_as_large_as_the_members(self, n_others):
        is_member = np.r_[np.ones(50, dtype=bool), np.zeros(n_others, dtype=bool)]
        samples = shadow_samples(is_member, 9, np.random.RandomState(0))
        np.testing.assert_array_equal(samples.sum(axis=1), 50)
        assert samples.shape == (9, 50 + n_others)

    def test_as_many_others_as_members_put_every_row_into_every_second_shadow(self):
        samples = shadow_samples(np.arange(100) < 50, 16, np.random.RandomState(0))
        np.testing.assert_array_equal(samples.sum(axis=0), 8)

    def test_the_signal_of_a_classifier_is_the_log_odds_of_the_rows_class(self):
        X, y = make_classification(60, 4, n_informative=3, n_redundant=0, n_classes=3, random_state=0)
        model = LogisticRegression().fit(X, y)
        p = model.predict_proba(X)[np.arange(60), y]
        np.testing.assert_allclose(signal_of(model, X, y)[:, 0], np.log(p / (1 - p)))
        np.testing.assert_array_equal(residual_scores(model, signal_of(model, X, y)), signal_of(model, X, y)[:, 0])
        margin = signal_of(LinearSVC().fit(X, y), X, y)[:, 0]
        np.testing.assert_array_equal(margin > 0, LinearSVC().fit(X, y).predict(X) == y)
