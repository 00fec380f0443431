"""Dependency trees of the ``conllu`` package: ``TokenTree``, ``TokenList`` and ``SentenceList``.

A word is a node labelled with its form; its relation is the edge label. Multiword rows and empty nodes are
omitted.
"""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.leaves import TEXT
from sklearn_tree.trees.formats.node import FlatTree, TreeNode
from sklearn_tree.trees.formats.parents import build_dependency_tree
from sklearn_tree.trees.formats.registry import register_lazily


def read_token_tree(node: Any) -> TreeNode:
    """Read one word of a ``TokenTree``."""
    token = node.token
    edge = token.get("deprel") if token.get("head") else None
    return TreeNode(token["form"], node.children, None, edge)


def read_token_list(sentence: Any) -> FlatTree:
    """Read a ``TokenList``, which is one sentence."""
    words = [token for token in sentence if isinstance(token["id"], int)]
    if not words:
        raise ValueError("a sentence must have at least one word, got none")
    positions = {token["id"]: i for i, token in enumerate(words)}
    positions[0] = -1
    heads = []
    for token in words:
        if token["head"] not in positions:
            raise ValueError(
                f"the head of word {token['id']} must be a word or 0, got {excerpt(token['head'])}"
            )
        heads.append(positions[token["head"]])
    return build_dependency_tree([w["form"] for w in words], heads, [w.get("deprel") for w in words])


def read_sentence_list(sentences: Any) -> Any:
    """Read a ``SentenceList``: its only sentence, or a node "<text>" above its sentences."""
    return read_token_list(sentences[0]) if len(sentences) == 1 else (TEXT, list(sentences))


register_lazily("conllu.TokenTree", read_token_tree)
register_lazily("conllu.TokenList", read_token_list)
register_lazily("conllu.SentenceList", read_sentence_list)
