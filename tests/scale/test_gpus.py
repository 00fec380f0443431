"""One GPU per worker, with GPUs that do not exist."""

import joblib
import pytest
from samples import BRACKETS, Y, quick
from scale_helpers import visible_gpus
from sklearn.model_selection import GridSearchCV

from sklearn_tree import RecursiveNetClassifier, TreeArray

TREES = TreeArray.from_trees(BRACKETS)


def search():
    """Run a search in the current backend and return its scores."""
    search = GridSearchCV(quick(RecursiveNetClassifier), {"hidden_size": [4, 8]}, cv=2).fit(TREES, Y)
    return search.cv_results_["mean_test_score"].tolist()


def test_each_dask_worker_sees_its_own_gpu():
    distributed = pytest.importorskip("distributed")
    workers = {
        gpu: {
            "cls": distributed.Nanny,
            "options": {"nthreads": 1, "env": {"CUDA_VISIBLE_DEVICES": gpu}},
        }
        for gpu in ("0", "1")
    }
    scheduler = {"cls": distributed.Scheduler, "options": {"dashboard_address": ":0"}}
    with (
        distributed.SpecCluster(workers, scheduler=scheduler) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask"),
    ):
        assert sorted(gpu for _, gpu in client.run(visible_gpus).values()) == ["0", "1"]
        scores = search()
    assert scores == search()


def test_dask_workers_of_a_plain_cluster_see_the_same_gpus(dask_client):
    assert len({gpu for _, gpu in dask_client.run(visible_gpus).values()}) == 1


def test_each_ray_worker_sees_its_own_gpu(ray):
    from ray.util.joblib import register_ray

    register_ray()
    with joblib.parallel_config("ray", n_jobs=2, ray_remote_args={"num_gpus": 1}):
        seen = set(joblib.Parallel()(joblib.delayed(visible_gpus)() for _ in range(24)))
    assert len({process for process, _ in seen}) == 2
    assert sorted(gpu for _, gpu in seen) == ["0", "1"]


def test_ray_workers_see_the_same_gpus_unless_they_ask_for_one(ray):
    from ray.util.joblib import register_ray

    register_ray()
    with joblib.parallel_config("ray", n_jobs=2):
        seen = set(joblib.Parallel()(joblib.delayed(visible_gpus)() for _ in range(24)))
    assert len({process for process, _ in seen}) == 2
    assert len({gpu for _, gpu in seen}) == 1
