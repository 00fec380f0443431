"""Scoring of exported nets without torch: numpy, scikit-learn and ONNX Runtime are enough."""

from sklearn_tree.serve.models import OnnxClassifier, OnnxRegressor, open_onnx

__all__ = ["OnnxClassifier", "OnnxRegressor", "open_onnx"]
