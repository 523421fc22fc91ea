"""The wrappers, alone and in one another, that the tests of workflows and of data go through."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from skcompress import DistilledRegressor, PrunedRegressor, QuantizedRegressor

TREE = DecisionTreeRegressor(max_depth=3, random_state=0)

WRAPPERS = {
    "pruned": lambda base=None: PrunedRegressor(base, n_nonzero=3),
    "quantized": lambda base=None: QuantizedRegressor(base, bits=4),
    "both": lambda base=None: QuantizedRegressor(PrunedRegressor(base, n_nonzero=3), bits=4),
    "distilled": lambda base=None: DistilledRegressor(base, teacher=TREE, alpha=0.5, cv=2),
    "all": lambda base=None: DistilledRegressor(
        QuantizedRegressor(PrunedRegressor(base, n_nonzero=3), bits=4), teacher=TREE, alpha=0.5, cv=2
    ),
}
every_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


class Exposed(Ridge):
    """A Ridge on y per unit of exposure, which its fit takes for each row."""

    def fit(self, X, y, sample_weight=None, exposure=None, scale=1.0):
        if exposure is not None:
            assert len(exposure) == X.shape[0]
            y = y / exposure
        return super().fit(X, np.asarray(y) * scale, sample_weight)


KNOWS_POLARS = pytest.mark.skipif(
    not hasattr(Ridge().fit(pl.DataFrame({"a": [1.0, 2.0]}), [1.0, 2.0]), "feature_names_in_"),
    reason="this scikit-learn does not see the column names of this polars",
)
