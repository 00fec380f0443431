"""``SequenceVectorizer`` converts texts to ids and back."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_tree import CaptumExplainer, RaggedArray, RNNClassifier, SequenceVectorizer, TreeVectorizer

TEXTS = ["A great film!", "not a great film", "", "dull"]
split = re.compile(r"\w+|!").findall


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_inverse_transform_recovers_the_characters_of_any_text(texts):
    vectorizer = SequenceVectorizer("chars", lowercase=False)
    ids = vectorizer.fit_transform(texts)
    assert ["".join(tokens) for tokens in vectorizer.inverse_transform(ids)] == texts
    assert vectorizer.transform(texts) == ids
    assert pickle.loads(pickle.dumps(vectorizer)).transform(texts) == ids


def test_unseen_tokens_become_unknown():  # the control of the law above
    vectorizer = SequenceVectorizer().fit(TEXTS)
    assert vectorizer.inverse_transform(vectorizer.transform(["a bad film"]))[0] == ["a", "<unk>", "film"]


@pytest.mark.parametrize(
    ("params", "tokens"),
    [
        ({}, ["don't", "stop", ",", "ok"]),
        ({"lowercase": False}, ["Don't", "STOP", ",", "ok"]),
        ({"tokenizer": r"[a-z]+"}, ["on", "t", "ok"]),
        ({"tokenizer": str.split}, ["don't", "stop,", "ok"]),
        ({"tokenizer": "chars", "max_length": 3}, ["d", "o", "n"]),
        ({"max_length": 2}, ["don't", "stop"]),
    ],
)
def test_the_parameters_determine_the_tokens(params, tokens):
    vectorizer = SequenceVectorizer(**params)
    assert vectorizer.inverse_transform(vectorizer.fit_transform(["Don't STOP, ok"]))[0] == tokens


def test_rare_tokens_become_unknown():
    assert list(SequenceVectorizer(min_df=2).fit(TEXTS).vocabulary_)[2:] == ["a", "film", "great"]
    assert list(SequenceVectorizer(max_features=1).fit(TEXTS).vocabulary_)[2:] == ["a"]
    once = SequenceVectorizer(min_df=2).fit(["a a a", "b"])
    assert list(once.vocabulary_)[2:] == []


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        lambda t: np.array(t),
        lambda t: np.array(t, dtype=object)[:, None],
        pd.Series,
        lambda t: pd.Series(t, dtype="string"),
        lambda t: pd.Series(t, dtype="category"),
        lambda t: pd.DataFrame({"text": t}),
        lambda t: [split(text.lower()) for text in t],
        lambda t: RaggedArray.from_sequences(split(text.lower()) for text in t),
    ],
)
def test_texts_are_read_from_every_container(container):
    assert SequenceVectorizer().fit_transform(container(TEXTS)) == SequenceVectorizer().fit_transform(TEXTS)


CASED = st.lists(st.text("aAbBİ", max_size=5), min_size=1, max_size=6)


@given(CASED, st.data())
def test_lists_of_tokens_keep_their_case_among_texts_in_lower_case(texts, data):
    """Texts and lists of tokens may be mixed; only the tokens of texts are converted."""
    is_list = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    mixed = [list(text) if split else text for text, split in zip(texts, is_list)]
    expected = [list(text) if split else [c.lower() for c in text] for text, split in zip(texts, is_list)]
    vectorizer = SequenceVectorizer("chars")
    ids = vectorizer.fit_transform(mixed)
    assert list(vectorizer.inverse_transform(ids)) == expected
    assert set(vectorizer.vocabulary_) - {"<pad>", "<unk>"} == {token for row in expected for token in row}
    assert vectorizer.transform(mixed) == ids
    assert vectorizer.read(mixed) == RaggedArray.from_sequences(map(list, texts)) or not any(texts)


@pytest.mark.parametrize("make", [list, RaggedArray.from_sequences])
def test_tokens_that_differ_in_case_are_different_inputs(make):
    smiles = [list("CCO"), list("cco")]
    ids = SequenceVectorizer().fit_transform(make(smiles))
    assert ids[0].tolist() != ids[1].tolist()
    texts = SequenceVectorizer("chars").fit_transform(["CCO", "cco"])
    assert texts[0].tolist() == texts[1].tolist()  # the control
    labels = TreeVectorizer().fit_transform([("C", "c")])[0].labels
    assert len(set(labels)) == 2


def test_a_vectorizer_before_an_estimator_keeps_the_case_of_texts():
    texts, y = ["US growth", "us growth"] * 10, [1, 0] * 10
    net = RNNClassifier(hidden_size=8, embedding_dim=8, max_epochs=20, random_state=0)
    pipe = make_pipeline(SequenceVectorizer(lowercase=False), net).fit(texts, y)
    assert pipe.score(texts, y) == 1.0
    explanations = CaptumExplainer(pipe, "occlusion").fit(texts).explain(texts[:2])
    assert explanations.to_frame().token.tolist() == ["US", "growth", "us", "growth"]
    assert clone(net).fit(texts, y).score(texts, y) == 0.5  # the control


def test_all_texts_may_be_empty():
    assert SequenceVectorizer().fit_transform(["", ""]).sizes.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: SequenceVectorizer().fit([]),
            ValueError,
            "at least one sample, a column of sequences, got 0",
        ),
        (lambda: SequenceVectorizer().fit("text"), TypeError, "got a single str"),
        (lambda: SequenceVectorizer().fit(["a", None]), ValueError, r"X\[1\] is missing \(None\): fill it"),
        (lambda: SequenceVectorizer().fit(["a", 3.5]), TypeError, r"X\[1\] must be a sequence .* got 3.5"),
        (lambda: SequenceVectorizer().fit([[1, 2]]), TypeError, "tokens must be str, got numbers"),
        (
            lambda: SequenceVectorizer("(").fit(TEXTS),
            ValueError,
            r"a regular expression or a callable, got '\('",
        ),
        (lambda: SequenceVectorizer(max_length=0).fit(TEXTS), ValueError, "'max_length' parameter"),
        (lambda: SequenceVectorizer().transform(TEXTS), NotFittedError, "not fitted"),
        (
            lambda: SequenceVectorizer().fit(TEXTS).inverse_transform(TEXTS),
            ValueError,
            "X must be a RaggedArray of ids, got a list",
        ),
        (
            lambda: SequenceVectorizer().fit(TEXTS).inverse_transform(RaggedArray([99], [0, 1])),
            ValueError,
            r"X must hold ids in \[0, 8\), got 99",
        ),
    ],
)
def test_invalid_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
