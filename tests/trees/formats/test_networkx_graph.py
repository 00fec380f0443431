"""Graphs of networkx as trees."""

import numpy as np
import pytest

from sklearn_tree import Tree

networkx = pytest.importorskip("networkx")


def test_attributes_of_nodes_and_edges_are_kept():
    graph = networkx.DiGraph()
    graph.add_edge("S", "a", label="x")
    for value in (2, np.float32(2)):
        graph.nodes["a"]["value"] = value
        assert Tree.from_any(graph) == Tree(["S", "a"], [-1, 0], values=[None, 2], edges=[None, "x"])
    assert Tree.from_any(networkx.MultiDiGraph([(0, 1), (0, 2)])) == Tree.from_any("(0 1 2)")


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (networkx.Graph([(0, 1)]), "must be directed away from the root, got an undirected graph"),
        (networkx.DiGraph([(0, 1), (2, 1)]), "3 nodes, 2 edges and 2 nodes without"),
        (networkx.DiGraph([(0, 1), (1, 0)]), "must be an arborescence"),
        (networkx.DiGraph(), "got 0 nodes"),
    ],
)
def test_graphs_that_are_not_trees_are_refused(graph, message):
    with pytest.raises(ValueError, match=message):
        Tree.from_any(graph)
