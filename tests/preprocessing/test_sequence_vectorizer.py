"""``SequenceVectorizer`` converts texts to ids and back."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from sklearn_tree import RaggedArray, SequenceVectorizer

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
        lambda t: list(map(split, t)),
        lambda t: RaggedArray.from_sequences(map(split, t)),
    ],
)
def test_texts_are_read_from_every_container(container):
    assert SequenceVectorizer().fit_transform(container(TEXTS)) == SequenceVectorizer().fit_transform(TEXTS)


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
        (lambda: SequenceVectorizer().fit(["a", 3.5]), TypeError, "row 1 must be a sequence .* got 3.5"),
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
