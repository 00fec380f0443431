"""Exports in tests: estimators with large random weights, and models that score with their files."""

import numpy as np
import onnxruntime
import torch
from samples import quick

from sklearn_tree.estimators.classifier import NetClassifierMixin
from sklearn_tree.export import to_onnx
from sklearn_tree.serve import OnnxClassifier, OnnxRegressor

CHANGED = {"running_mean", "weight", "bias", "bigram_weight"}  # buffers of normalizations and linear models


def shake(estimator, scale=0.5):
    """Replace the weights of a fitted estimator by large random ones, so that errors are visible."""
    generator = torch.Generator().manual_seed(0)
    module = estimator.net_.module_
    with torch.no_grad():
        for name, x in [*module.named_parameters(), *module.named_buffers()]:
            if name.endswith("running_var"):
                x.copy_(0.5 + torch.rand(x.shape, generator=generator, dtype=x.dtype))
            elif name.rpartition(".")[2] in CHANGED or isinstance(x, torch.nn.Parameter):
                x.copy_(scale * torch.randn(x.shape, generator=generator, dtype=x.dtype))
    return estimator


def shaken(cls, X, y, **params):
    """Fit a small estimator and replace its weights."""
    return shake(quick(cls, **{"embedding_dim": 5, **params}).fit(X, y))


def serve(estimator, path):
    """Export an estimator and open the file."""
    to_onnx(estimator, path)
    is_classifier = isinstance(getattr(estimator, "steps", [("", estimator)])[-1][1], NetClassifierMixin)
    return (OnnxClassifier if is_classifier else OnnxRegressor)(path)


def logits(estimator, X):
    """Return the outputs of the net of an estimator or of an exported model."""
    run = estimator._run
    return run(X) if isinstance(estimator, (OnnxClassifier, OnnxRegressor)) else run(X, "forward")


def assert_close(actual, expected, tolerance=1e-5):
    """Compare outputs relative to their largest number."""
    expected = np.asarray(expected, dtype=np.float64)
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, atol=tolerance * scale, rtol=0)


def open_model(model, n_threads=1):
    """Open a model that is not in a file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
