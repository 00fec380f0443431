"""Trees drawn by Hypothesis: single nodes, chains, stars, anything between; ids shuffled."""

from hypothesis import strategies as st

from sklearn_tree import Tree

WORDS = st.sampled_from(["S", "NP", "VP", "it", "works", "(", ")", "a b", "\\", "", "\\-", "é", "<b>"])


@st.composite
def parent_lists(draw, max_nodes=12):
    """Parents in which 0 is the root and every parent comes before its children."""
    n = draw(st.integers(1, max_nodes))
    shape = draw(st.sampled_from(["any", "any", "any", "chain", "star"]))
    if shape == "chain":
        return list(range(-1, n - 1))
    if shape == "star":
        return [-1] + [0] * (n - 1)
    return [-1] + [draw(st.integers(0, i - 1)) for i in range(1, n)]


@st.composite
def trees(draw, max_nodes=12, labels=WORDS):
    parents = draw(parent_lists(max_nodes))
    return Tree([draw(labels) for _ in parents], parents)


def forests(max_trees=5, **kwargs):
    return st.lists(trees(**kwargs), min_size=1, max_size=max_trees)


@st.composite
def renumberings(draw, n):
    """A shuffled numbering of n nodes."""
    return draw(st.permutations(range(n)))
