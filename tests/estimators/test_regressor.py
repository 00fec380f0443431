"""Methods shared by all regressors."""

import numpy as np
import pytest
from samples import REGRESSORS, TABLE, quick, tree_regressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
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


@pytest.mark.parametrize("cls", REGRESSORS)
def test_the_unit_of_the_targets_does_not_change_the_training(cls):
    y = np.random.RandomState(0).randn(len(TABLE))
    plain, scaled = quick(cls).fit(TABLE, y), quick(cls).fit(TABLE, y * 1024 - 4096)
    np.testing.assert_allclose(scaled.predict(TABLE), plain.predict(TABLE) * 1024 - 4096, rtol=1e-6)
    assert scaled.history_.train_loss.tolist() == pytest.approx(plain.history_.train_loss.tolist())
    assert not np.allclose(plain.predict(TABLE), plain.predict(TABLE)[::-1])  # the control


@pytest.mark.parametrize("cls", REGRESSORS)
@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e170, 1e300])
def test_numbers_whose_squares_under_or_overflow_train_as_others_do(cls, size):
    X, y = TABLE, TABLE[:, 0]
    plain = quick(cls).fit(X, y).predict(X)
    np.testing.assert_allclose(quick(cls).fit(X, y * size).predict(X) / size, plain, rtol=1e-5)
    np.testing.assert_allclose(quick(cls).fit(X * size, y).predict(X * size), plain, rtol=1e-5)
    assert np.ptp(plain) > 1e-3  # the control


@pytest.mark.parametrize("cls", REGRESSORS)
@pytest.mark.parametrize("shape", [(24,), (24, 1), (24, 2)])
def test_predictions_have_the_shape_of_the_targets(cls, shape):
    y = np.random.RandomState(0).randn(*shape)
    reg = quick(cls).fit(TABLE, y)
    assert reg.predict(TABLE).shape == shape
    assert reg.score(TABLE, y) == r2_score(y, reg.predict(TABLE))


def test_an_unfitted_regressor_raises():
    with pytest.raises(NotFittedError, match="not fitted"):
        tree_regressor().predict(TABLE)
