"""The estimators."""

from sklearn_tree.estimators.recursive import RecursiveNetClassifier

__all__ = ["RecursiveNetClassifier"]
