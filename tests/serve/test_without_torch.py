"""Scoring works where torch, skorch, captum and pandas are not installed."""

import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from samples import BRACKETS, DENSE, PIXELS, TABLE, TEXTS, TUPLES, WAVES, Y, quick

import sklearn_tree
from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.export import to_onnx

SOURCE = Path(sklearn_tree.__file__).parents[1]
SCRIPT = """
import sys

FORBIDDEN = {"torch", "skorch", "captum", "pandas", "onnx"}


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
"""
SCORE = """
import numpy as np
from sklearn_tree.serve import OnnxClassifier

folder = sys.argv[1]
samples = np.load(f"{folder}/samples.npz", allow_pickle=True)
for name in samples.files:
    model = OnnxClassifier(f"{folder}/{name}.onnx")
    X = samples[name]
    np.save(f"{folder}/{name}.npy", model.predict_proba(X.tolist() if X.dtype == object else X))
assert not FORBIDDEN & set(sys.modules), "a forbidden module was imported"
"""
CASES = {
    "trees": (RecursiveNetClassifier, TUPLES, {}),
    "brackets": (RecursiveNetClassifier, BRACKETS, {"pooling": "max", "bidirectional": True}),
    "texts": (RNNClassifier, TEXTS, {}),
    "series": (CNNClassifier, WAVES, {}),
    "dense": (RNNClassifier, DENSE, {}),
    "table": (RecursiveNetClassifier, TABLE, {}),
    "images": (CNNClassifier, PIXELS, {"input_kind": "image"}),
}


def export_all(folder):
    """Export a net of each kind, and return its probabilities."""
    samples, expected = {}, {}
    for name, (cls, X, params) in CASES.items():
        net = quick(cls, **params).fit(X, Y)
        to_onnx(net, folder / f"{name}.onnx")
        samples[name] = X if isinstance(X, np.ndarray) else np.array([*X, None], dtype=object)[:-1]
        expected[name] = net.predict_proba(X)
    np.savez(folder / "samples.npz", **samples)
    return expected


def run(python, script, *args):
    """Run a script in another process, which finds this package."""
    env = {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(python), "-c", script, *map(str, args)], env=env, capture_output=True, text=True
    )


def check_scores(python, folder):
    expected = export_all(folder)
    result = run(python, SCRIPT + SCORE, folder)
    assert result.returncode == 0, result.stderr
    for name, wanted in expected.items():
        np.testing.assert_allclose(np.load(folder / f"{name}.npy"), wanted, atol=1e-5)


def test_all_kinds_are_scored_without_torch(tmp_path):
    check_scores(sys.executable, tmp_path)


@pytest.mark.parametrize(
    "module", ["sklearn_tree.kinds", "sklearn_tree.decoding", "sklearn_tree.preprocessing"]
)
def test_modules_that_scoring_needs_do_not_import_torch(module):
    assert run(sys.executable, f"{SCRIPT}\nimport {module}").returncode == 0


def test_forbidden_modules_are_detected():
    """Control: the hook makes the import of an estimator fail."""
    result = run(sys.executable, f"{SCRIPT}\nimport sklearn_tree.estimators")
    assert "No module named 'torch'" in result.stderr


@pytest.mark.slow
def test_a_venv_without_torch_is_enough(tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    packages = ["numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "onnxruntime"]
    packages += ["flatbuffers", "protobuf", "packaging", "narwhals", "cloudpickle"]
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "-c",
        SOURCE / "constraints.txt",
        *packages,
    ]
    installed = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"the packages cannot be installed: {installed.stderr[-200:]}")
    assert run(python, "import torch").returncode
    check_scores(python, tmp_path)
