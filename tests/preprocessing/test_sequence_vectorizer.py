"""``SequenceVectorizer``: tokenizers, vocabularies, and the way back."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from sklearn_tree import RaggedArray, SequenceVectorizer
from sklearn_tree.preprocessing.tokenizer import splitter

TEXTS = ["A great film!", "not a great film", "", "dull"]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_characters_come_back_whatever_the_text(texts):
    vectorizer = SequenceVectorizer("chars", lowercase=False)
    ids = vectorizer.fit_transform(texts)
    assert ["".join(tokens) for tokens in vectorizer.inverse_transform(ids)] == texts
    assert vectorizer.transform(texts) == ids
    assert pickle.loads(pickle.dumps(vectorizer)).transform(texts) == ids


def test_an_unseen_token_comes_back_as_unknown():  # the control of the law above
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
def test_texts_are_split_as_asked(params, tokens):
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
        lambda t: [splitter("words")(x) for x in t],
        lambda t: RaggedArray.from_sequences([splitter("words")(x) for x in t]),
    ],
)
def test_every_container_of_texts_is_read(container):
    assert SequenceVectorizer().fit_transform(container(TEXTS)) == SequenceVectorizer().fit_transform(TEXTS)


def test_nothing_but_empty_texts_is_fine():
    assert SequenceVectorizer().fit_transform(["", ""]).sizes.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: SequenceVectorizer().fit([]),
            ValueError,
            "X must contain at least one sample, a column of sequences, got 0",
        ),
        (lambda: SequenceVectorizer().fit("text"), TypeError, "got a single str"),
        (lambda: SequenceVectorizer().fit(["a", None]), TypeError, "row 1 must be a sequence .* got None"),
        (lambda: SequenceVectorizer().fit(["a", 3.5]), TypeError, "row 1 must be a sequence .* got 3.5"),
        (lambda: SequenceVectorizer().fit([[1, 2]]), TypeError, "must be str to be vectorized"),
        (
            lambda: SequenceVectorizer("(").fit(TEXTS),
            ValueError,
            r"a regular expression or a callable, got '\('",
        ),
        (lambda: SequenceVectorizer(max_length=0).fit(TEXTS), ValueError, "'max_length' parameter"),
        (lambda: SequenceVectorizer().transform(TEXTS), NotFittedError, "not fitted"),
        (lambda: SequenceVectorizer().fit(TEXTS).inverse_transform(TEXTS), ValueError, "RaggedArray of ids"),
    ],
)
def test_bad_input_names_the_rule_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()
