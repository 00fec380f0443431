"""The estimators."""

from sklearn_tree.estimators.recurrent import RNNClassifier, RNNRegressor
from sklearn_tree.estimators.recursive import RecursiveNetClassifier, RecursiveNetRegressor

__all__ = ["RNNClassifier", "RNNRegressor", "RecursiveNetClassifier", "RecursiveNetRegressor"]
