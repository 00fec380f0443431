"""Trees over the tokens of a text without a parser: balanced, or branching to the right."""

from __future__ import annotations

from sklearn_tree.trees.formats import FlatTree

INNER = ""  # inner nodes have no label


def balanced_tree(tokens: list[str]) -> FlatTree:
    """Halve the tokens again and again; the left half is the larger one."""
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    waiting = [(0, len(tokens), -1, 0)]
    while waiting:
        start, stop, parent, depth = waiting.pop()
        i = len(labels)
        parents.append(parent)
        depths.append(depth)
        labels.append(tokens[start] if stop - start == 1 else INNER)
        if stop - start > 1:
            middle = (start + stop + 1) // 2
            waiting += [(middle, stop, i, depth + 1), (start, middle, i, depth + 1)]
    return FlatTree(labels, parents, depths)


def right_tree(tokens: list[str]) -> FlatTree:
    """Split the first token off, again and again: ``(a (b (c d)))``."""
    n = len(tokens)
    if n < 2:
        return FlatTree(tokens or [INNER], [-1], [0])
    labels = [INNER, *[label for token in tokens[:-2] for label in (token, INNER)], *tokens[-2:]]
    parents = [-1, *[2 * k for k in range(n - 1) for _ in "ab"]]
    depths = [0, *[k + 1 for k in range(n - 1) for _ in "ab"]]
    return FlatTree(labels, parents, depths)
