"""Settings of all tests: one thread, array API checks, reproducible Hypothesis runs."""

import os
import sys
from pathlib import Path

if os.environ.get("WITHOUT_NUMBA"):
    sys.modules["numba"] = None  # as if it were not installed
if not os.environ.get("WITH_GPU") and Path("/dev/nvidia0").exists():
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # most tests compare bits of the CPU
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["SKLEARN_TREE_CACHE"] = str(Path(__file__).parents[1] / ".pytest_cache" / "walks")
os.environ["SCIPY_ARRAY_API"] = "1"  # before scipy is imported; otherwise a check is skipped silently
os.environ["MPLBACKEND"] = "agg"

import pytest
import torch
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

torch.set_num_threads(1)
threadpool_limits(1, "blas")
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


@pytest.fixture
def small_trees():
    """Return 120 trees of two classes that differ in structure only, and the classes."""
    shapes = {"one": "(S (A {}) {} {})", "two": "(S (A {} {}) {})"}
    words = ["p", "q", "r"]
    trees, y = [], []
    for i in range(120):
        kind = ("one", "two")[i % 2]
        trees.append(shapes[kind].format(words[i % 3], words[i // 2 % 3], words[i // 5 % 3]))
        y.append(kind)
    return trees, y
