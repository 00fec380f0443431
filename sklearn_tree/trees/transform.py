"""Transformations of the shapes of trees: split labels, collapsed chains, binarization and truncation.

All functions are vectorized over the nodes of all trees, so chains and stars of 100,000 nodes are normal
input.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sklearn_tree.trees.array import TreeArray
from sklearn_tree.trees.codes import PAD_ID
from sklearn_tree.trees.formats.leaves import Splitter
from sklearn_tree.trees.rows import reraise_with_row
from sklearn_tree.trees.subtrees import sibling_ranks

SEPARATOR = "+"  # between the labels of a collapsed chain
INTERMEDIATE = "|<>"  # appended to a label for the nodes that binarization inserts


def split_leaves(array: TreeArray, split: Splitter) -> TreeArray:
    """Split the labels of leaves into pieces, which become children.

    Parameters
    ----------
    array : TreeArray
        Trees with a vocabulary.
    split : callable
        ``split(text)`` returns the new label of a leaf and its pieces. It is called once for each distinct
        label of the leaves that have a label and no value.

    Returns
    -------
    TreeArray
        Pieces follow their leaf in preorder and have no value and no edge label. Inner nodes and leaves with
        a value are unchanged.

    Raises
    ------
    TypeError
        If the trees are encoded.
    Exception
        If ``split`` raises an error. The message or a note gives the row.

    Examples
    --------
    >>> from sklearn_tree import TreeArray
    >>> from sklearn_tree.trees.transform import split_leaves
    >>> array = TreeArray.from_trees([("S", ("NP", "New York"), "is")])
    >>> split_leaves(array, lambda text: ("", text.split()) if " " in text else (text, []))[0].to_tuple()
    ('S', ('NP', ('', 'New', 'York')), 'is')
    """
    vocabulary = _get_vocabulary(array)
    leaves = _find_content(array)
    codes, first, entries = np.unique(array.labels[leaves], return_index=True, return_inverse=True)
    rows = np.searchsorted(array.offsets, leaves[first], side="right") - 1
    texts = vocabulary[codes].tolist()
    new = [_split_label(split, text, row) for text, row in zip(texts, rows.tolist(), strict=True)]
    if [(text, []) for text in texts] == new:
        return array
    labels, vocabulary = _encode([label for label, _ in new], vocabulary)
    pieces, vocabulary = _encode([piece for _, of_label in new for piece in of_label], vocabulary)
    sizes = np.array([len(of_label) for _, of_label in new])
    starts = np.cumsum(sizes) - sizes
    column = array.labels.copy()
    column[leaves] = labels[entries]
    parents = np.repeat(leaves, sizes[entries])
    return _insert(
        array.replace(labels=column, vocabulary=vocabulary),
        at=parents + 1,
        labels=pieces[np.repeat(starts[entries], sizes[entries]) + sibling_ranks(parents)],
        depths=array.depths[parents] + 1,
    )


def collapse_unary(array: TreeArray) -> TreeArray:
    """Merge every inner node that is an only child into its parent.

    Afterwards, a node with exactly one child has a leaf as its child. Leaves are not merged. This is
    ``nltk.Tree.collapse_unary(collapsePOS=True, collapseRoot=True)``.

    Parameters
    ----------
    array : TreeArray
        Trees with a vocabulary.

    Returns
    -------
    TreeArray
        A merged node has the labels of its chain joined by "+" (empty labels omitted), the edge label of the
        topmost node, and the value of the topmost node that has one.

    Raises
    ------
    TypeError
        If the trees are encoded.

    Examples
    --------
    >>> from sklearn_tree import TreeArray
    >>> from sklearn_tree.trees.transform import collapse_unary
    >>> print(collapse_unary(TreeArray.from_trees(["(S (VP (VB stop)))"]))[0])
    (S+VP+VB stop)
    """
    vocabulary = _get_vocabulary(array)
    arities, parents = array.arities, array.absolute_parents
    is_merged = (arities > 0) & (parents >= 0) & (arities[parents] == 1)
    if not is_merged.any():
        return array
    # A chain is a run of nodes in preorder: its topmost node, which is kept, and the nodes merged into it.
    kept = np.flatnonzero(~is_merged)
    labels, vocabulary = _join_labels(array.labels, kept, vocabulary)
    depths = array.depths - _sum_paths(is_merged.astype(np.int64), array.subtree_ends)
    return TreeArray(
        labels=labels,
        depths=depths[kept].astype(np.int32),
        offsets=np.searchsorted(kept, array.offsets),
        vocabulary=vocabulary,
        values=None if array.values is None else _find_first_values(array.values, kept),
        edges=None if array.edges is None else array.edges[kept],
        edge_vocabulary=array.edge_vocabulary,
        validate=False,
    )


def binarize(array: TreeArray, factor: str) -> TreeArray:
    """Insert intermediate nodes so that no node has more than two children.

    This is ``nltk.Tree.chomsky_normal_form(factor, horzMarkov=0)``, except that the intermediate nodes of a
    node without a label have no label either.

    Parameters
    ----------
    array : TreeArray
        Trees with a vocabulary.
    factor : {"left", "right"}
        Side of the intermediate nodes: "right" turns ``(S a b c)`` into ``(S a (S|<> b c))``, "left" into
        ``(S (S|<> a b) c)``.

    Returns
    -------
    TreeArray
        Labels, values and edge labels of the original nodes are unchanged. Intermediate nodes have the label
        of the original parent with "|<>" appended, no value and no edge label.

    Raises
    ------
    TypeError
        If the trees are encoded.

    Examples
    --------
    >>> from sklearn_tree import TreeArray
    >>> from sklearn_tree.trees.transform import binarize
    >>> print(binarize(TreeArray.from_trees(["(S a b c d)"]), "right")[0])
    (S a (S|<> b (S|<> c d)))
    """
    vocabulary = _get_vocabulary(array)
    parents = array.absolute_parents
    n_inserted, shifts = _count_insertions(array, parents, factor)
    if not n_inserted.any():
        return array
    depths = array.depths + _sum_paths(shifts, array.subtree_ends)
    # Intermediate nodes precede the first original node below them in preorder.
    next_nodes = np.repeat(np.arange(array.n_nodes), n_inserted)
    ranks = np.arange(len(next_nodes)) - np.repeat(np.cumsum(n_inserted) - n_inserted, n_inserted)
    codes, vocabulary = _label_intermediate(array.labels[parents[next_nodes]], vocabulary)
    return _insert(
        array.replace(depths=depths.astype(np.int32), vocabulary=vocabulary),
        at=next_nodes,
        labels=codes,
        depths=depths[next_nodes] - n_inserted[next_nodes] + ranks,
    )


def truncate(array: TreeArray, max_nodes: int) -> TreeArray:
    """Keep the first nodes of each tree in breadth-first order.

    The top of a tree is kept, and every kept node keeps its parent, label, value and edge label. At the depth
    at which the limit is reached, the leftmost nodes are kept.

    Parameters
    ----------
    array : TreeArray
        Trees with a vocabulary, or encoded trees.
    max_nodes : int
        Maximum number of nodes of a tree, at least 1.

    Returns
    -------
    TreeArray

    Examples
    --------
    >>> from sklearn_tree import TreeArray
    >>> from sklearn_tree.trees.transform import truncate
    >>> print(truncate(TreeArray.from_trees(["(S (NP I) (VP run))"]), 4)[0])
    (S (NP I) VP)
    """
    sizes = array.sizes
    if sizes.max(initial=0) <= max_nodes:
        return array
    trees = np.repeat(np.arange(len(array)), sizes)
    ranks = np.empty(array.n_nodes, dtype=np.int64)  # in breadth-first order within the tree
    ranks[np.lexsort((array.depths, trees))] = np.arange(array.n_nodes) - np.repeat(array.offsets[:-1], sizes)
    kept = ranks < max_nodes
    return TreeArray(
        labels=array.labels[kept],
        depths=array.depths[kept],
        offsets=np.r_[0, np.cumsum(np.minimum(sizes, max_nodes))],
        vocabulary=array.vocabulary,
        values=None if array.values is None else array.values[kept],
        edges=None if array.edges is None else array.edges[kept],
        edge_vocabulary=array.edge_vocabulary,
        n_labels=array.n_labels,
        n_edge_labels=array.n_edge_labels,
        validate=False,
    )


def _get_vocabulary(array: TreeArray) -> np.ndarray:
    if array.vocabulary is None:
        raise TypeError("labels must be str, got ids (int): transform trees before they are encoded")
    return array.vocabulary


def _sum_paths(numbers: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Sum integers over each node and its ancestors, given the ends of subtrees."""
    ended = np.zeros(len(numbers) + 1, dtype=np.int64)
    np.add.at(ended, ends, numbers)
    return np.cumsum(numbers - ended[:-1])


def _count_insertions(array: TreeArray, parents: np.ndarray, factor: str) -> tuple[np.ndarray, np.ndarray]:
    """Count the intermediate nodes before each node in preorder, and those between it and its parent."""
    children = np.argsort(parents, kind="stable")[len(array) :]
    ranks = np.zeros(array.n_nodes, dtype=np.int64)
    n_siblings = np.ones(array.n_nodes, dtype=np.int64)  # the node included
    ranks[children] = sibling_ranks(parents[children])
    n_siblings[children] = array.arities[parents[children]]
    n_levels = np.maximum(n_siblings - 2, 0)  # of intermediate nodes
    if factor == "right":
        return ((ranks > 0) & (ranks <= n_levels)).astype(np.int64), np.minimum(ranks, n_levels)
    return np.where(ranks == 0, n_levels, 0), np.minimum(n_siblings - 1 - ranks, n_levels)


def _insert(array: TreeArray, at: np.ndarray, labels: np.ndarray, depths: np.ndarray) -> TreeArray:
    """Insert nodes without a value and without an edge label before the nodes ``at``, in ascending order."""

    def insert(column: np.ndarray, entries: Any) -> np.ndarray:
        return np.insert(column, at, entries)

    no_edge, edge_vocabulary = PAD_ID, array.edge_vocabulary
    if edge_vocabulary is not None:
        (no_edge,), edge_vocabulary = _encode([""], edge_vocabulary)
    return TreeArray(
        labels=insert(array.labels, labels),
        depths=insert(array.depths, depths),
        offsets=array.offsets + np.searchsorted(at, array.offsets, side="right"),
        vocabulary=array.vocabulary,
        values=None if array.values is None else insert(array.values, np.nan),
        edges=None if array.edges is None else insert(array.edges, no_edge),
        edge_vocabulary=edge_vocabulary,
        validate=False,
    )


def _find_content(array: TreeArray) -> np.ndarray:
    """Return the leaves that have a label and no value."""
    is_content = (array.arities == 0) & (_get_vocabulary(array) != "")[array.labels]
    if array.values is not None:
        is_content &= np.isnan(array.values)
    return np.flatnonzero(is_content)


def _split_label(split: Splitter, text: str, row: int) -> tuple[str, list[str]]:
    try:
        label, pieces = split(text)
    except Exception as error:
        reraise_with_row(error, row, "splitting a label of")
    return label, list(pieces)


def _label_intermediate(labels: np.ndarray, vocabulary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of intermediate nodes, given the labels of their original parents."""
    distinct, inverse = np.unique(labels, return_inverse=True)
    names = [f"{text}{INTERMEDIATE}" if text else text for text in vocabulary[distinct]]
    codes, vocabulary = _encode(names, vocabulary)
    return codes[inverse], vocabulary


def _join_labels(
    labels: np.ndarray, kept: np.ndarray, vocabulary: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of kept nodes, each joined with those of the nodes up to the next kept one."""
    sizes = np.diff(kept, append=len(labels))
    chains = np.flatnonzero(sizes > 1)
    texts = vocabulary[labels].tolist()
    bounds = zip(kept[chains].tolist(), (kept[chains] + sizes[chains]).tolist(), strict=True)
    names = (SEPARATOR.join(filter(None, texts[start:stop])) for start, stop in bounds)
    joined = labels[kept]
    joined[chains], vocabulary = _encode(names, vocabulary)
    return joined, vocabulary


def _find_first_values(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return for each kept node the first value among it and the nodes up to the next kept one."""
    with_value = np.append(np.flatnonzero(~np.isnan(values)), len(values))
    first = with_value[np.searchsorted(with_value, kept)]
    is_found = first < np.append(kept[1:], len(values))
    return np.where(is_found, np.append(values, np.nan)[first], np.nan).astype(values.dtype)


def _encode(texts: Iterable[str], vocabulary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of texts, and the vocabulary extended by the texts that it lacks."""
    numbers = {text: code for code, text in enumerate(vocabulary.tolist())}
    new: dict[str, int] = {}
    codes = []
    for text in texts:
        known = numbers.get(text)
        codes.append(new.setdefault(text, len(vocabulary) + len(new)) if known is None else known)
    added = np.array(list(new), dtype=object)
    return np.array(codes, dtype=np.int32), np.concatenate([vocabulary, added])
