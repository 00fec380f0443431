"""Engines of the tests: clusters of two processes on this machine."""

import os
import secrets
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "PYSPARK_PYTHON": sys.executable,
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # otherwise Ray writes a token into the home folder
    "RAY_USAGE_STATS_ENABLED": "0",
}


@pytest.fixture(scope="package", autouse=True)
def environment():
    """Let worker processes find the package and the helpers of the tests, and use one thread each."""
    paths = [str(ROOT), str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(paths)}).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="package")
def dask_client(environment):
    """Client of two dask workers, each a process with one thread."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    options["dashboard_address"] = ":0"  # any free port, for runs of the tests side by side
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="package")
def ray(environment):
    """The package ray, with a local cluster of two CPUs and two GPUs that do not exist."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",  # not a cluster that runs already
        num_cpus=2,
        num_gpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100_000_000,
    )
    yield ray
    ray.shutdown()
