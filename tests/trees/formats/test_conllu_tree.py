"""Sentences of the ``conllu`` package as trees."""

import pytest

from sklearn_tree import Tree

conllu = pytest.importorskip("conllu")


def test_relations_are_edge_labels():
    rows = ["1 dogs dog X _ _ 2 nsubj", "2-3 x _ _ _ _ _ _", "2 run run X _ _ 0 root", "2.1 e e X _ _ _ _"]
    text = "".join("\t".join([*row.split(), "_", "_"]) + "\n" for row in rows) + "\n"
    sentences = conllu.parse(text)
    expected = Tree(["run", "dogs"], [-1, 0], edges=[None, "nsubj"])
    assert Tree.from_any(sentences[0]) == Tree.from_any(sentences[0].to_tree()) == expected
    assert Tree.from_any(conllu.parse(text)) == expected
    assert Tree.from_any(conllu.parse(text + text)) == Tree.from_any(("<text>", expected, expected))


def test_invalid_sentences_are_refused():
    with pytest.raises(ValueError, match="at least one word, got none"):
        Tree.from_any(conllu.models.TokenList([]))
    token = conllu.models.Token(id=1, form="a", head=7)
    with pytest.raises(ValueError, match="the head of word 1 must be a word or 0, got 7"):
        Tree.from_any(conllu.models.TokenList([token]))
