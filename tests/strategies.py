"""Hypothesis strategies for trees: single nodes, chains, stars and random shapes."""

from hypothesis import strategies as st

from sklearn_tree import Tree

WORDS = st.sampled_from(["S", "NP", "VP", "it", "works", "(", ")", "a b", "\\", "", "\\-", "é", "<b>"])


@st.composite
def parent_lists(draw, max_nodes=12):
    """Parents of a tree whose root is 0; every parent precedes its children."""
    n = draw(st.integers(1, max_nodes))
    shape = draw(st.sampled_from(["random", "random", "random", "chain", "star"]))
    if shape == "chain":
        return list(range(-1, n - 1))
    if shape == "star":
        return [-1] + [0] * (n - 1)
    return [-1] + [draw(st.integers(0, i - 1)) for i in range(1, n)]


@st.composite
def trees(draw, max_nodes=12, labels=WORDS):
    parents = draw(parent_lists(max_nodes))
    return Tree([draw(labels) for _ in parents], parents)


@st.composite
def trees_with_values_and_edges(draw, max_nodes=12, labels=WORDS):
    parents = draw(parent_lists(max_nodes))
    values = [draw(st.none() | st.floats(-9, 9)) for _ in parents]
    edges = [draw(st.sampled_from([None, "x", "y"])) for _ in parents]
    return Tree([draw(labels) for _ in parents], parents, values=values, edges=edges)


def forests(max_trees=5, **kwargs):
    return st.lists(trees(**kwargs), min_size=1, max_size=max_trees)
