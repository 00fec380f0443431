"""Dependency trees of spaCy: ``Doc``, ``Span`` and ``Token``.

A token is a node labelled with its text; its relation is the edge label. A ``Doc`` or ``Span`` is the tree of
its only sentence, or a node "<text>" whose children are the trees of its sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn_tree.trees.formats.leaves import TEXT
from sklearn_tree.trees.formats.node import Part, TreeNode
from sklearn_tree.trees.formats.registry import register_lazily

# Attributes of a token for the possible labels of its node.
TOKEN_LABELS = {"text": "text", "lemma": "lemma_", "pos": "pos_"}


def read_doc(doc: Any, label: str = "text") -> Any:
    """Read a ``Doc``: the tree of its only sentence, or "<text>" above several."""
    if len(doc) == 0:
        return "", ()
    _check_parse(doc)
    roots = [token for token in doc if token.head.i == token.i]
    return _join(roots, partial(read_token, label=label))


def read_span(span: Any) -> TreeNode:
    """Read a ``Span``: the tree of its words, or "<text>" above several trees if they are not connected."""
    start, end = span.start, span.end
    if start == end:
        return TreeNode("")
    _check_parse(span.doc)
    roots = [token for token in span if token.head.i == token.i or not start <= token.head.i < end]
    return _join(roots, partial(read_token, within=(start, end)))


def read_subtree(token: Any) -> TreeNode:
    """Read a ``Token`` that is given as a tree."""
    _check_parse(token.doc)
    return read_token(token)


def read_token(token: Any, label: str = "text", within: tuple[int, int] | None = None) -> TreeNode:
    """Read a ``Token`` and its dependents, optionally only those with an index in [start, end)."""
    children = token.children
    if within is not None:
        children = [child for child in children if within[0] <= child.i < within[1]]
    edge = None if token.head.i == token.i else token.dep_ or None
    read = partial(read_token, label=label, within=within)
    return TreeNode(
        getattr(token, TOKEN_LABELS[label]), [Part(child, read) for child in children], None, edge
    )


def _check_parse(doc: Any) -> None:
    if not doc.has_annotation("DEP"):
        raise ValueError("a spaCy Doc must have a dependency parse, got none: use a pipeline with a parser")


def _join(roots: list, read: Callable[[Any], TreeNode]) -> TreeNode:
    if len(roots) == 1:
        return read(roots[0])._replace(edge=None)
    return TreeNode(TEXT, [Part(root, read) for root in roots])


register_lazily("spacy.Doc", read_doc)
register_lazily("spacy.Span", read_span)
register_lazily("spacy.Token", read_subtree)
