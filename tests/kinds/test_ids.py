"""Sizes of the id spaces of hand-made arrays."""

from itertools import pairwise

import numpy as np
import pytest

from sklearn_tree import (
    RaggedArray,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    ToDevice,
    Tree,
    TreeArray,
    TreeVectorizer,
)
from sklearn_tree.kinds.ids import count_bigrams

LARGEST = 2**31 - 1
HINT = (
    r"\(2\*\*24\), got 2147483647, far more .*: let a vectorizer number the labels, or pass {} to the array"
)


def trees(labels, **options):
    """Return one tree of one node per label."""
    n = len(labels)
    return TreeArray(labels, np.zeros(n, int), np.arange(n + 1), **options)


def sequences(labels, **options):
    return RaggedArray(labels, np.arange(len(labels) + 1), **options)


CASES = {
    "trees": (trees, RecursiveNetClassifier),
    "sequences": (sequences, RNNClassifier),
    "lists": (lambda labels: [[2, 2], *([label] for label in labels[1:])], RNNClassifier),
    "edges": (lambda labels: trees([2] * len(labels), edges=labels), RecursiveNetClassifier),
}


@pytest.mark.parametrize("case", CASES)
def test_a_sparse_id_is_refused_at_fit_with_its_row(case):
    make, net_class = CASES[case]
    net = net_class(hidden_size=2, embedding_dim=2, max_epochs=1, random_state=0)
    X = make([2, 3, LARGEST, 3])
    with pytest.raises(
        ValueError, match=r"^X\[2\] must hold ids < 16777216 " + HINT.format("n_(edge_)?labels")
    ):
        net.fit(X, [0, 1, 0, 1])
    net.fit(make([2, 3, 4000, 3]), [0, 1, 0, 1])  # the control: sparse, but small
    net.fit(X[:2], [0, 1])


@pytest.mark.parametrize("make", [trees, sequences])
def test_the_size_is_inferred_unless_the_ids_are_sparse(make):
    large = 2**24
    assert make([2, large - 1]).n_labels == large
    assert make([2, large]).n_labels is None
    assert make([2, large], n_labels=LARGEST).n_labels == LARGEST  # the user, or a vectorizer, gives the size
    assert make(np.arange(large - 200_000, large + 1)).n_labels == large + 1
    array = make([2, large])
    assert type(array).concatenate([array, array]).n_labels is None
    assert type(array).concatenate([array[:1], array[:1]]).n_labels == 3
    assert ToDevice("cpu").fit_transform(array) == array


def test_ids_of_more_than_32_bits_are_refused_with_their_row():
    with pytest.raises(ValueError, match=r"^X\[1\] must hold ids < 2\*\*31, got 1099511627776$"):
        RaggedArray.from_sequences([[2, 3], [2, 2**40]])
    with pytest.raises(ValueError, match=r"^X\[1\] must hold ids < 2\*\*31, got an int of 400\d bits$"):
        TreeArray.from_trees([Tree([2], [-1]), Tree([2, 2**4000], [-1, 0])])
    with pytest.raises(ValueError, match=r"^X\[1\] must hold ids < 2\*\*31, got 2147483648$"):
        TreeArray.from_trees([Tree([2], [-1]), Tree([2, 2], [-1, 0], edges=[None, 2**31])])
    assert TreeArray.from_trees([Tree([LARGEST], [-1])])[0].labels == (LARGEST,)  # the control


def count_by_hand(sequences, n_labels):
    """Return the bigrams of each sequence, in a loop."""
    is_known = lambda i: 2 <= i < n_labels  # noqa: E731
    return [[a * n_labels + b for a, b in pairwise(ids) if is_known(a) and is_known(b)] for ids in sequences]


SEQUENCES = [[2, 3, 2, 3], [], [3], [1, 2, 3], [2, 9, 3], [0, 3, 2], [3, 3, 3], []]


@pytest.mark.parametrize("ids", [SEQUENCES, SEQUENCES[:1], SEQUENCES[1:2], SEQUENCES[1:3]])
def test_bigrams_equal_a_loop_over_pairs(ids):
    offsets = np.cumsum([0, *map(len, ids)])
    bigrams, counts = count_bigrams(np.concatenate(ids).astype(int), offsets, 5, 9)
    expected = count_by_hand(ids, 5)
    assert bigrams.tolist() == sorted({code for codes in expected for code in codes})
    for row, codes in zip(counts.toarray(), expected, strict=True):
        assert row.tolist() == [codes.count(code) for code in bigrams]


def test_the_most_frequent_bigrams_are_kept():
    offsets = np.cumsum([0, *map(len, SEQUENCES)])
    bigrams, counts = count_bigrams(np.concatenate(SEQUENCES).astype(int), offsets, 5, 1)
    assert bigrams.tolist() == [2 * 5 + 3]
    assert counts.toarray().ravel().tolist() == [2, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("min_df", [1, 2, 3])
@pytest.mark.parametrize(
    ("vectorizer", "cls"), [(SequenceVectorizer, RNNClassifier), (TreeVectorizer, RecursiveNetClassifier)]
)
def test_min_df_does_not_change_the_defaults_of_the_training(vectorizer, cls, min_df):
    words = np.random.RandomState(0).zipf(1.5, (60, 6)) % 5000
    texts = {"open": [" ".join(f"w{word}" for word in row) for row in words]}
    texts["closed"] = [" ".join(f"w{word % 8}" for word in row) for row in words]
    for name, X in texts.items():
        X = X if cls is RNNClassifier else [f"(S {text})" for text in X]
        estimator = cls(max_epochs=1, random_state=0).fit(
            vectorizer(min_df=min_df).fit_transform(X), [0, 1] * 30
        )
        assert estimator.kind_.is_open == (name == "open")
        assert estimator.net_.module__dropout == (0.5 if name == "open" else 0.0)
