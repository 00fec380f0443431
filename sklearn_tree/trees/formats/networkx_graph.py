"""Directed graphs of networkx that are arborescences: trees with edges pointing away from the root.

The label of a node is its attribute ``label``, or the node itself; its attribute ``value`` and the ``label``
of the edge to it are kept. Children are in the order in which their edges were added.
"""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.leaves import to_value
from sklearn_tree.trees.formats.node import Part, TreeNode
from sklearn_tree.trees.formats.registry import register_lazily


def read_graph(graph: Any) -> TreeNode:
    """Read the root of a directed graph that is a tree."""
    import networkx

    if not graph.is_directed():
        raise ValueError(
            "a networkx graph must be directed away from the root, got an undirected graph: convert it with "
            "networkx.bfs_tree(graph, root)"
        )
    if not len(graph) or not networkx.is_arborescence(graph):
        raise ValueError(
            "a networkx graph must be an arborescence: one root and one edge to each other node; got "
            f"{len(graph)} nodes, {graph.number_of_edges()} edges and "
            f"{sum(degree == 0 for _, degree in graph.in_degree)} nodes without an edge to them"
        )

    def read(name: Any) -> TreeNode:
        data = graph.nodes[name]
        children = [
            Part(child, read, _get_edge_label(graph, name, child)) for child in graph.successors(name)
        ]
        return TreeNode(str(data.get("label", name)), children, to_value(data.get("value")))

    return read(next(name for name, degree in graph.in_degree if degree == 0))


def _get_edge_label(graph: Any, parent: Any, child: Any) -> str | None:
    data = graph.get_edge_data(parent, child)
    if graph.is_multigraph():
        data = next(iter(data.values()))
    label = data.get("label")
    return None if label is None else str(label)


register_lazily("networkx.Graph", read_graph)
