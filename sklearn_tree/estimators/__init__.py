"""The estimators."""

from sklearn_tree.estimators.convolutional import CNNClassifier, CNNRegressor
from sklearn_tree.estimators.net_encoder import NetEncoder
from sklearn_tree.estimators.nodes import predict_nodes
from sklearn_tree.estimators.recurrent import RNNClassifier, RNNRegressor
from sklearn_tree.estimators.recursive import RecursiveNetClassifier, RecursiveNetRegressor
from sklearn_tree.estimators.to_device import ToDevice

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "NetEncoder",
    "RNNClassifier",
    "RNNRegressor",
    "RecursiveNetClassifier",
    "RecursiveNetRegressor",
    "ToDevice",
    "predict_nodes",
]
