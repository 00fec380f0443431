"""Texts and token sequences."""

import numpy as np
import pytest
import torch
from samples import IDS, TEXTS, TOKENS

from sklearn_tree import RaggedArray, SequenceVectorizer
from sklearn_tree.kinds import Tokens
from sklearn_tree.trees.flat import N_RESERVED_IDS, UNKNOWN_ID


def fit(X):
    kind = Tokens()
    return kind, kind.fit(X)


def test_texts_and_their_tokens_are_encoded_as_by_a_vectorizer():
    expected = SequenceVectorizer().fit_transform(TEXTS)
    for X in (TEXTS, TOKENS, RaggedArray.from_sequences(TOKENS)):
        kind, encoded = fit(X)
        assert encoded == expected
        assert kind.module_params(encoded, None) == {
            "n_labels": N_RESERVED_IDS + len({token for tokens in TOKENS for token in tokens})
        }


def test_unseen_tokens_are_unknown():
    kind, _ = fit(TEXTS)
    assert kind.encode(["unseen it"]).values[0] == UNKNOWN_ID
    assert kind.encode(["it unseen"]).values[0] != UNKNOWN_ID  # the control


def test_ids_are_used_as_they_are():
    kind, encoded = fit(IDS)
    assert kind.vectorizer is None
    assert encoded.values.tolist() == [i for ids in IDS for i in ids]
    assert kind.module_params(encoded, None) == {"n_labels": 6}
    assert kind.dtype(encoded) == torch.float32


@pytest.mark.parametrize(
    ("fitted_on", "X", "message"),
    [
        (TEXTS, IDS, "X must hold texts, as in fit, got token ids"),
        (IDS, TEXTS, "X must hold token ids, as in fit, got texts"),
        (IDS, [[2], [3, -1]], r"X\[1\] must hold ids >= 0, got -1"),
    ],
)
def test_errors_name_the_row_the_rule_and_the_value(fitted_on, X, message):
    kind, _ = fit(fitted_on)
    with pytest.raises(ValueError, match=message):
        kind.encode(X)


def test_batches_are_padded_with_0_to_the_longest_sequence():
    kind, encoded = fit(IDS)
    rows = np.array([0, 3])
    labels = kind.batch(encoded, rows).labels
    assert labels.tolist() == [IDS[0] + [0] * (len(IDS[3]) - len(IDS[0])), IDS[3]]
