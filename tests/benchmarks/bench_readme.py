"""The numbers behind "Why not Lasso, SelectFromModel, float16?" in docs/benchmarks.md: loan rates, held out.

    python tests/benchmarks/bench_readme.py

For each way to select, a sweep over its size; inputs and R2 are means over five folds. "enough" is the fewest inputs
with a score within one standard error of the model on all inputs.
"""

import importlib.util
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline

from skcompress import PrunedRegressor, QuantizedRegressor, compact

EXAMPLE = Path(__file__).parents[2] / "examples" / "plot_loan_pricing.py"
INPUTS = 8
WEIGHTS = [3, 6, 9, 12, 15, 20, 25, 30, 40, 50, 60, 83]


def load_example():
    """Return the module of the example, which has the data and the columns."""
    spec = importlib.util.spec_from_file_location("plot_loan_pricing", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def used_inputs(pipeline):
    """Return how many raw inputs the weights of a fitted pipeline use; selectors may stand before the last step."""
    columns = pipeline[0]
    kept = np.arange(len(columns.get_feature_names_out()))
    for step in pipeline[1:-1]:
        kept = kept[step.get_support()]
    kept = kept[pipeline[-1].coef_ != 0]
    origin = []
    for _, part, sources in columns.transformers_:
        if part == "drop":
            continue
        levels = [len(c) for c in part.categories_] if hasattr(part, "categories_") else [1] * len(sources)
        origin += [source for source, count in zip(sources, levels, strict=True) for _ in range(count)]
    return len({origin[i] for i in kept})


def sweep(models, X, y, folds):
    """Return mean inputs and the scores, one row a model."""
    inputs, scores = [], []
    for model in models:
        one_inputs, one_scores = [], []
        for train, test in folds.split(X):
            fitted = clone(model).fit(X.iloc[train], y.iloc[train])
            one_scores.append(fitted.score(X.iloc[test], y.iloc[test]))
            pipeline = fitted.estimator_ if isinstance(fitted, PrunedRegressor) else fitted
            one_inputs.append(used_inputs(pipeline))
        inputs.append(np.mean(one_inputs))
        scores.append(one_scores)
    return np.array(inputs), np.array(scores)


def in_half_precision(model):
    """Return a fitted pipeline with its weights rounded to float16."""
    rounded = clone(model)
    rounded.steps = list(model.steps)
    last = clone(model[-1])
    last.__dict__.update(model[-1].__dict__)
    last.coef_ = model[-1].coef_.astype(np.float16).astype(np.float64)
    rounded.steps[-1] = (rounded.steps[-1][0], last)
    return rounded


def main():
    """Print two tables."""
    example = load_example()
    X, y = example.load_loans()
    columns = example.pipeline(Ridge())[0]

    def selected(selector):
        return make_pipeline(clone(columns), selector, Ridge())

    alphas = np.geomspace(0.01, 0.8, 16)
    ways = {
        "Lasso": [example.pipeline(Lasso(alpha)) for alpha in alphas],
        "SelectFromModel(Lasso), Ridge": [selected(SelectFromModel(Lasso(alpha), threshold=1e-10)) for alpha in alphas],
        "SelectFromModel(Ridge), Ridge": [
            selected(SelectFromModel(Ridge(), threshold=-np.inf, max_features=k)) for k in WEIGHTS
        ],
        "RFE(Ridge), Ridge": [selected(RFE(Ridge(), n_features_to_select=k)) for k in WEIGHTS],
        "PrunedRegressor, by input": [example.pruned(n_nonzero=k) for k in range(1, 21)],
    }
    full = sweep([example.pipeline(Ridge())], X, y, example.FOLDS)[1][0]
    lowest = full.mean() - full.std(ddof=1) / np.sqrt(len(full))
    print(f"all inputs: {full.mean():.3f}, one standard error below: {lowest:.3f}")
    print(f"{'way to select':32} {f'R2, <= {INPUTS} inputs':>18} {'inputs enough':>14}")
    for name, models in ways.items():
        inputs, scores = sweep(models, X, y, example.FOLDS)
        mean = scores.mean(axis=1)
        best = np.argmax(np.where(inputs <= INPUTS, mean, -np.inf))
        error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
        enough = inputs[mean >= lowest].min()
        print(f"{name:32} {f'{mean[best]:.3f} ± {error:.3f}':>18} {enough:14.1f}")

    print(f"\n{'weights as':32} {'held-out R2':>18} {'bytes of weights':>17}")
    plain = example.pipeline(Ridge())
    folds = list(example.FOLDS.split(X))
    kinds = {"float64": lambda m: m, "float16": in_half_precision}
    for name, change in kinds.items():
        scores = [change(clone(plain).fit(X.iloc[a], y.iloc[a])).score(X.iloc[b], y.iloc[b]) for a, b in folds]
        width = 8 if name == "float64" else 2
        print(f"{name:32} {np.mean(scores):18.3f} {width * 84:17}")
    for bits in (8, 4, 3):
        model = QuantizedRegressor(plain, bits=bits)
        scores = [clone(model).fit(X.iloc[a], y.iloc[a]).score(X.iloc[b], y.iloc[b]) for a, b in folds]
        shipped = compact(model.fit(X, y))
        print(f"{f'QuantizedRegressor, {bits} bits':32} {np.mean(scores):18.3f} {shipped.nbytes:17}")


if __name__ == "__main__":
    main()
