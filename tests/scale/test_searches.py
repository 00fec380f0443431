"""Searches whose fits run in the processes of dask and Ray."""

import os

import joblib
import numpy as np
import pytest
from samples import BRACKETS, TEXTS, Y, quick
from scale_helpers import ProcessRecorder
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, TreeArray

SAMPLES = {
    "trees": (RecursiveNetClassifier, TreeArray.from_trees(BRACKETS)),
    "texts": (RNNClassifier, TEXTS),
}
GRID = {"hidden_size": [4, 8], "lr": [0.01, 0.1]}
SEARCHES = {
    "grid": lambda net: GridSearchCV(net, GRID, cv=2),
    "halving": lambda net: HalvingGridSearchCV(
        net, GRID, cv=2, resource="max_epochs", max_resources=4, factor=2, random_state=0
    ),
}


CASES = [("dask", name, kind) for name in SEARCHES for kind in SAMPLES]
CASES += [("ray", "grid", "texts")]


@pytest.fixture
def backend(request):
    """Context in which joblib uses the engine of the parameter."""
    if request.param == "dask":
        request.getfixturevalue("dask_client")
    else:
        request.getfixturevalue("ray")
        from ray.util.joblib import register_ray

        register_ray()
    return lambda: joblib.parallel_config(request.param, n_jobs=-1)


def scores_of(search):
    """Return the columns of ``cv_results_`` that do not depend on the clock."""
    return {name: np.asarray(x).tolist() for name, x in search.cv_results_.items() if "time" not in name}


@pytest.mark.parametrize(("backend", "name", "kind"), CASES, indirect=["backend"])
def test_searches_on_engines_have_the_bits_of_a_serial_search(name, kind, backend):
    cls, X = SAMPLES[kind]
    search = SEARCHES[name](quick(cls))
    serial = clone(search).fit(X, Y)
    with backend():
        search.fit(X, Y)
    assert scores_of(search) == scores_of(serial)
    assert search.best_params_ == serial.best_params_
    np.testing.assert_array_equal(search.predict_proba(X), serial.predict_proba(X))
    other = SEARCHES[name](quick(cls, random_state=1)).fit(X, Y)
    assert not np.array_equal(other.predict_proba(X), serial.predict_proba(X))


@pytest.mark.parametrize("backend", ["dask", "ray"], indirect=True)
def test_fits_run_in_two_other_processes(backend, tmp_path):
    search = GridSearchCV(ProcessRecorder(folder=tmp_path), {"number": range(8)}, cv=2, refit=False)
    search.fit(TEXTS, Y)
    assert {path.name for path in tmp_path.iterdir()} == {str(os.getpid())}
    with backend():
        search.fit(TEXTS, Y)
    assert len(list(tmp_path.iterdir())) == 3


def test_ray_runs_a_search_in_the_calling_process_unless_n_jobs_is_given(ray, tmp_path):
    from ray.util.joblib import register_ray

    register_ray()
    with joblib.parallel_config("ray"):
        GridSearchCV(ProcessRecorder(folder=tmp_path), {"number": range(4)}, refit=False).fit(TEXTS, Y)
    assert {path.name for path in tmp_path.iterdir()} == {str(os.getpid())}
