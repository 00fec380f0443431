"""Studies of optuna that end unpromising fits early."""

import numpy as np
import pytest
from samples import TEXTS, Y, quick

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, TreeArray

optuna = pytest.importorskip("optuna")
integration = pytest.importorskip("optuna_integration")

TRAIN, VALID = np.arange(len(Y)) % 4 > 0, np.arange(len(Y)) % 4 == 0
ARRAY = np.array(TEXTS, dtype=object)
N_EPOCHS, N_TRIALS = 6, 12


@pytest.fixture(autouse=True)
def quiet():
    """Log warnings of optuna only."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(level)


def make_study(pruner, direction):
    """Return a study with a fixed seed."""
    return optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(0), pruner=pruner)


def count_pruned(study):
    """Return the number of trials that were pruned."""
    return len(study.get_trials(states=[optuna.trial.TrialState.PRUNED]))


# OptunaSearchCV.


def search_with(pruner, estimator, X, monkeypatch):
    """Return a fitted search and the number of epochs it has trained."""
    calls, cls = [], type(estimator)
    partial_fit = cls.partial_fit
    with monkeypatch.context() as patch:
        patch.setattr(
            cls, "partial_fit", lambda self, *args, **kw: calls.append(1) or partial_fit(self, *args, **kw)
        )
        search = integration.OptunaSearchCV(
            estimator,
            {"lr": optuna.distributions.FloatDistribution(1e-6, 0.1, log=True)},
            cv=2,
            enable_pruning=True,
            max_iter=N_EPOCHS,
            n_trials=N_TRIALS,
            scoring="neg_log_loss",
            study=make_study(pruner, "maximize"),
        )
        search.fit(X, Y)
    return search, len(calls)


SAMPLES = {
    "texts": (quick(RNNClassifier, max_epochs=N_EPOCHS), TEXTS),
    "trees": (
        quick(RecursiveNetClassifier, max_epochs=N_EPOCHS),
        TreeArray.from_trees([("S", *text.split()) for text in TEXTS]),
    ),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # optuna calls what it deprecates
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_search_prunes_candidates_after_some_calls_of_partial_fit(kind, monkeypatch):
    estimator, X = SAMPLES[kind]
    pruner = optuna.pruners.MedianPruner(n_startup_trials=3)
    search, n_epochs = search_with(pruner, estimator, X, monkeypatch)
    full, n_full = search_with(optuna.pruners.NopPruner(), estimator, X, monkeypatch)
    assert n_full == 2 * N_EPOCHS * N_TRIALS
    assert n_epochs < n_full
    assert count_pruned(search.study_) > 0
    assert count_pruned(full.study_) == 0
    assert search.trials_[0].params == full.trials_[0].params
    assert search.predict(X).shape == Y.shape


# Callbacks.


def make_objective(epochs, *, is_copied=False):
    """Return an objective that prunes by the validation loss and notes the epochs of each trial."""

    def objective(trial):
        callback = integration.SkorchPruningCallback(trial, "valid_loss")
        net = quick(
            RNNClassifier,
            max_epochs=N_EPOCHS,
            lr=trial.suggest_float("lr", 1e-6, 0.1, log=True),
            callbacks=[callback],
        )
        try:
            net.fit(ARRAY[TRAIN], Y[TRAIN], X_val=ARRAY[VALID], y_val=Y[VALID])
        finally:
            epochs.append(len(trial.study.trials[trial.number].intermediate_values))
        return net.history_["valid_loss"].iloc[-1]

    return objective


def test_a_callback_prunes_trials_by_the_validation_loss():
    epochs, all_epochs = [], []
    study = make_study(optuna.pruners.MedianPruner(n_startup_trials=3), "minimize")
    study.optimize(make_objective(epochs), n_trials=N_TRIALS)
    full = make_study(optuna.pruners.NopPruner(), "minimize")
    full.optimize(make_objective(all_epochs), n_trials=N_TRIALS)
    assert sum(all_epochs) == N_EPOCHS * N_TRIALS
    assert sum(epochs) < sum(all_epochs)
    assert count_pruned(study) > 0
    assert count_pruned(full) == 0
    assert study.trials[0].values == full.trials[0].values


def test_a_pruned_fit_leaves_the_estimator_unfitted():
    study = make_study(optuna.pruners.ThresholdPruner(upper=0.0), "minimize")
    net = quick(RNNClassifier)

    def objective(trial):
        callback = integration.SkorchPruningCallback(trial, "valid_loss")
        return net.set_params(callbacks=[callback]).fit(TEXTS, Y, X_val=TEXTS, y_val=Y)

    study.optimize(objective, n_trials=1)
    assert count_pruned(study) == 1
    assert not hasattr(net, "history_")
    assert hasattr(net.set_params(callbacks=None).fit(TEXTS, Y), "history_")
