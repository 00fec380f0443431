"""spaCy's ``Doc``, ``Span`` and ``Token``: dependency trees.

A token is a node labelled with its text, and hangs on the edge of its relation. A ``Doc`` is the
tree of its only sentence, or a node "<text>" over those of its sentences.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn_tree.trees.formats.leaves import TEXT
from sklearn_tree.trees.formats.registry import Part, TreeNode, register_lazily

# What a token may be labelled with, and the attribute that says it.
TOKEN_LABELS = {"text": "text", "lemma": "lemma_", "pos": "pos_"}


def read_doc(doc: Any, label: str = "text") -> Any:
    """Read a ``Doc``: the tree of its only sentence, or "<text>" over several."""
    if len(doc) == 0:
        return "", ()
    if not doc.has_annotation("DEP"):
        raise ValueError("a Doc needs a dependency parse, got one without: use a pipeline with a parser")
    roots = [token for token in doc if token.head.i == token.i]
    if len(roots) == 1:
        return read_token(roots[0], label)
    return TEXT, [Part(root, partial(read_token, label=label)) for root in roots]


def read_span(span: Any) -> TreeNode:
    """Read the subtree of a ``Span``'s root, as far as it lies in the span."""
    if span.start == span.end:
        return TreeNode("")
    if not span.doc.has_annotation("DEP"):
        raise ValueError("a Span needs a dependency parse, got one without: use a pipeline with a parser")
    node = read_token(span.root, within=(span.start, span.end))
    return node._replace(edge=None)


def read_token(token: Any, label: str = "text", within: tuple[int, int] | None = None) -> TreeNode:
    """Read a ``Token`` and what hangs on it."""
    children = token.children
    if within is not None:
        children = [child for child in children if within[0] <= child.i < within[1]]
    edge = None if token.head.i == token.i else token.dep_ or None
    read = partial(read_token, label=label, within=within)
    return TreeNode(
        getattr(token, TOKEN_LABELS[label]), [Part(child, read) for child in children], None, edge
    )


register_lazily("spacy.Doc", read_doc)
register_lazily("spacy.Span", read_span)
register_lazily("spacy.Token", read_token)
