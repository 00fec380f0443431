"""Binary trees over the tokens of a text, built without a parser."""

from __future__ import annotations

from sklearn_tree.trees.formats import FlatTree

INNER = ""  # label of inner nodes


def build_balanced_tree(tokens: list[str]) -> FlatTree:
    """Build a balanced tree by repeated halving; the left half has one token more if their number is odd."""
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    stack = [(0, len(tokens), -1, 0)]
    while stack:
        start, stop, parent, depth = stack.pop()
        i = len(labels)
        parents.append(parent)
        depths.append(depth)
        labels.append(tokens[start] if stop - start == 1 else INNER)
        if stop - start > 1:
            middle = (start + stop + 1) // 2
            stack += [(middle, stop, i, depth + 1), (start, middle, i, depth + 1)]
    return FlatTree(labels, parents, depths)


def build_right_tree(tokens: list[str]) -> FlatTree:
    """Build a right-branching tree, ``(a (b (c d)))``."""
    n = len(tokens)
    if n < 2:
        return FlatTree(tokens or [INNER], [-1], [0])
    labels = [INNER, *[label for token in tokens[:-2] for label in (token, INNER)], *tokens[-2:]]
    parents = [-1, *[2 * k for k in range(n - 1) for _ in range(2)]]
    depths = [0, *[k + 1 for k in range(n - 1) for _ in range(2)]]
    return FlatTree(labels, parents, depths)
