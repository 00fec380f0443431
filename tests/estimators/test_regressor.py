"""Methods shared by all regressors."""

import numpy as np
import pytest
from samples import tree_regressor
from sklearn.model_selection import GridSearchCV


def test_a_regressor_is_searched_stopped_early_and_validated(words_counted):
    X, counts = words_counted
    y = counts[:, 0] * 10.0
    search = GridSearchCV(tree_regressor(max_epochs=3), {"hidden_size": [4, 8]}, cv=2, n_jobs=2)
    assert np.isfinite(search.fit(X, y).best_score_)
    reg = tree_regressor(early_stopping=True).fit(X, y)
    assert reg.history_.valid_score.iloc[-1] > 0.5
    given = tree_regressor(max_epochs=30).fit(X, y, X_val=X, y_val=y)
    assert given.history_.valid_score.iloc[-1] == pytest.approx(given.score(X, y), abs=1e-4)
    net = tree_regressor().make_net(X, y)
    assert net.fit(X, y[:, None].astype(np.float32) / 10).score(X, y[:, None] / 10) > 0.5
