"""The estimators."""

from sklearn_tree.estimators.recursive import RecursiveNetClassifier, RecursiveNetRegressor

__all__ = ["RecursiveNetClassifier", "RecursiveNetRegressor"]
