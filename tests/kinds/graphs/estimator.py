"""Classifier of graphs."""

from kinds.graphs.kind import Graphs
from kinds.graphs.net import GraphNet

from sklearn_tree import RNNClassifier


class GraphClassifier(RNNClassifier):
    """Graph convolutional classifier; a real one would write its own constructor."""

    _kinds = (Graphs,)
    _module = GraphNet

    def _architecture(self):
        return {"hidden_size": self.hidden_size}
