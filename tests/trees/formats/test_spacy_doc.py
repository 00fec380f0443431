"""Dependency trees of spaCy as trees."""

import pytest

from sklearn_tree import Tree


def test_docs_spans_and_tokens_are_dependency_trees():
    spacy = pytest.importorskip("spacy")
    from spacy.tokens import Doc

    words, heads = ["Big", "dogs", "run", ".", "Cats", "sleep"], [1, 2, 2, 2, 5, 5]
    deps = ["amod", "nsubj", "ROOT", "punct", "nsubj", "ROOT"]
    doc = Doc(spacy.blank("en").vocab, words, heads=heads, deps=deps)
    run = Tree(["run", "dogs", "Big", "."], [-1, 0, 1, 0], edges=[None, "nsubj", "amod", "punct"])
    sleep = Tree(["sleep", "Cats"], [-1, 0], edges=[None, "nsubj"])
    assert Tree.from_any(doc) == Tree.from_any(("<text>", run, sleep))
    assert [Tree.from_any(sentence) for sentence in doc.sents] == [run, sleep]
    assert Tree.from_any(doc[2]) == run
    assert Tree.from_any(doc[0:2]) == Tree(["dogs", "Big"], [-1, 0], edges=[None, "amod"])
    assert Tree.from_any(doc[0:6]) == Tree.from_any(doc)
    assert Tree.from_any(doc[2:5]).to_brackets() == "(<text> (run .) Cats)"
    unparsed = spacy.blank("en")("no parser here")
    for part in (unparsed, unparsed[1:], unparsed[1]):
        with pytest.raises(ValueError, match="must have a dependency parse"):
            Tree.from_any(part)
