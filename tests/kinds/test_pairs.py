"""Pairs of samples of any kind."""

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    ToDevice,
    TreeArray,
    TreeVectorizer,
)
from sklearn_tree.kinds import PairArray, Pairs, find_kind

RNG = np.random.RandomState(0)
TEXTS = pd.DataFrame(
    {"a": ["it works", "it fails", "works", "she"], "b": ["it works", "she works", "fails", "x"]}
)
TREES = TEXTS.map(lambda text: f"(S {' '.join(f'(W {word})' for word in text.split())})")


def objects(items):
    """Return sequences as an object array of two columns."""
    array = np.empty((len(items) // 2, 2), dtype=object)
    array.ravel()[:] = items
    return array


RAGGED = objects([RNG.rand(n, 2) for n in (3, 1, 4, 6)])
DENSE = objects([RNG.rand(5) for _ in range(4)])
IDS = objects([[2, 3], [4, 2], [2, 2], [3, 3]])
IMAGES = objects([RNG.rand(4, 5, 3) for _ in range(4)])


def fit_kind(X, cls=CNNClassifier):
    kind = Pairs("Net", cls._kinds)
    return kind, kind.fit(X)


@pytest.mark.parametrize(
    ("X", "cls", "name"),
    [
        (TEXTS, RNNClassifier, "tokens"),
        (TEXTS.to_numpy(dtype=object), RNNClassifier, "tokens"),
        (pl.DataFrame(TEXTS.to_dict("list")), RNNClassifier, "tokens"),
        (TEXTS.astype("category"), RNNClassifier, "tokens"),
        (TEXTS.map(str.split), RNNClassifier, "tokens"),
        (TREES, RecursiveNetClassifier, "trees"),
        (pd.DataFrame([[("S", "a", "b"), ("S", "a")]] * 2), RecursiveNetClassifier, "trees"),
        (RAGGED, CNNClassifier, "series"),
        (DENSE, RNNClassifier, "series"),
        (IDS, RNNClassifier, "tokens"),
        (IMAGES, CNNClassifier, "images"),
    ],
)
def test_two_columns_are_pairs_of_the_kind_of_their_entries(X, cls, name):
    assert find_kind(X, cls._kinds) is Pairs
    kind, encoded = fit_kind(X, cls)
    assert kind.item_kind.name == name
    assert len(encoded) == len(X)
    assert len(encoded.items) == 2 * len(X)


@pytest.mark.parametrize(
    "X",
    [
        TEXTS["a"],
        TEXTS[["a"]],
        pd.concat([TEXTS, TEXTS.add_suffix("2")], axis=1),
        TEXTS.assign(b=1.0),
        np.ones((4, 2)),
        np.ones((4, 2)).astype(object),
        TEXTS.to_numpy().astype(str),
        [("a", "b"), ("c", "d")],
        torch.ones(4, 2),
    ],
)
def test_other_samples_are_not_pairs(X):
    assert not Pairs.recognizes(X)


def test_both_columns_are_encoded_by_one_vectorizer():
    kind, encoded = fit_kind(TEXTS)
    both = SequenceVectorizer().fit([*TEXTS.a, *TEXTS.b])
    assert kind.vectorizer.vocabulary_ == both.vocabulary_
    for name, items in (("a", encoded.items[0::2]), ("b", encoded.items[1::2])):
        np.testing.assert_array_equal(items.values, both.transform(TEXTS[name]).values)
    assert encoded.names == ("a", "b")


def test_sizes_are_sums_and_costs_are_maxima():
    for X in (TEXTS, RAGGED):
        kind, encoded = fit_kind(X)
        sizes = encoded.items.sizes.reshape(-1, 2)
        np.testing.assert_array_equal(kind.n_positions(encoded), sizes.sum(axis=1))
        np.testing.assert_array_equal(kind.cost(encoded), sizes.max(axis=1))
        assert kind.mean_length(encoded, None) == pytest.approx(sizes.mean())
    assert fit_kind(DENSE)[0].cost(fit_kind(DENSE)[1]) is None
    kind, encoded = fit_kind(TREES, RecursiveNetClassifier)
    assert (kind.sort_windows, kind.is_batched_on_host) == ((8, 4), True)  # those of trees
    assert kind.magnitude(encoded, 0) is None
    kind, encoded = fit_kind(RAGGED)
    assert kind.magnitude(encoded, 1) == max(np.abs(item).max() for item in RAGGED[1])


@pytest.mark.parametrize("cls", [RNNClassifier, RecursiveNetClassifier])
def test_a_word_on_both_sides_of_one_pair_is_as_rare_as_on_one_side(cls):
    def is_open(second):
        X = pd.DataFrame({"a": [f"(S w{i} it)" for i in range(6)], "b": second})
        kind, encoded = fit_kind(X, cls)
        kind.learn_defaults(encoded)
        assert (kind.training_defaults.dropout > 0) == kind.item_kind.is_open
        return kind.item_kind.is_open

    assert is_open(["(S it)"] * 6)
    assert is_open([f"(S w{i})" for i in range(6)])
    assert not is_open([f"(S w{i - 1})" if i else "(S w5)" for i in range(6)])  # the control: in two pairs


def test_weights_of_pairs_are_weights_of_both_samples():
    kind, encoded = fit_kind(RAGGED)
    weighted = kind.module_params(encoded, np.array([2.0, 0.0]))
    once = kind.module_params(encoded[np.array([0])], None)
    np.testing.assert_allclose(weighted["value_shift"], once["value_shift"])
    assert weighted["value_shift"] != kind.module_params(encoded, None)["value_shift"]  # the control


def test_pair_arrays_are_indexed_by_pairs():
    _, encoded = fit_kind(TEXTS)
    for key in (np.array([2, 0]), slice(1, 3), np.array([True, False, True, False])):
        rows = np.arange(4)[key]
        part = encoded[key]
        assert len(part) == len(rows)
        np.testing.assert_array_equal(part.items[0::2].values, encoded.items[2 * rows].values)
        np.testing.assert_array_equal(part.items[1::2].values, encoded.items[2 * rows + 1].values)
    assert list(encoded[-1]) == ["a", "b"]
    with pytest.raises(IndexError):
        encoded[4]


def test_arrays_that_are_encoded_already_are_paired():
    vectorizer = TreeVectorizer().fit([*TREES.a, *TREES.b])
    X = PairArray.from_columns(vectorizer.transform(TREES.a), vectorizer.transform(TREES.b))
    kind, encoded = fit_kind(X, RecursiveNetClassifier)
    own = fit_kind(TREES, RecursiveNetClassifier)[1]
    np.testing.assert_array_equal(encoded.items.labels, own.items.labels)
    assert kind.vectorizer is None
    with pytest.raises(ValueError, match="equal lengths, got 4 and 3 samples"):
        PairArray.from_columns(TREES.a.to_numpy(), TREES.b.to_numpy()[:3])


ENCODED = SequenceVectorizer().fit_transform(["a b", "c", "d"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PairArray(ENCODED), "items must hold both samples of each pair, an even number, got 3"),
        (lambda: PairArray(ENCODED[:2], ("a",)), r"names must be two different str, got \('a',\)"),
        (lambda: PairArray(ENCODED[:2], ("a", "a")), r"names must be two different str, got \('a', 'a'\)"),
        (lambda: PairArray(ENCODED[:2], "ab"), "names must be two different str, got 'ab'"),
        (lambda: PairArray(ENCODED[:2], (0, 1)), r"names must be two different str, got \(0, 1\)"),
        (
            lambda: PairArray.from_columns(ENCODED, SequenceVectorizer().fit_transform(["a", "b", "c"])),
            "first and second must have the same n_labels, got 6 and 5: encode both with one vectorizer",
        ),
    ],
)
def test_invalid_pair_arrays_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    raw = [TreeArray.from_trees(column) for column in (TREES.a, TREES.b)]
    assert len({array.n_labels for array in raw}) == 2  # the control: each has a vocabulary of its own
    assert len(PairArray.from_columns(*raw)) == len(TREES)


def test_the_sides_of_encoded_pairs_are_those_of_fit():
    vectorizer = SequenceVectorizer().fit([*TEXTS.a, *TEXTS.b])
    first, second = vectorizer.transform(TEXTS.a), vectorizer.transform(TEXTS.b)
    X, swapped = (
        PairArray.from_columns(first, second),
        PairArray.from_columns(second, first, ("second", "first")),
    )
    kind, encoded = fit_kind(X)
    restored = Pairs.from_state(json.loads(json.dumps(kind.to_state())))
    for fitted in (kind, restored):
        assert fitted.feature_names_in_.tolist() == ["first", "second"]
        with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
            fitted.read(swapped)
        np.testing.assert_array_equal(fitted.read(X).items.values, encoded.items.values)  # the control


def test_pairs_are_moved_and_saved():
    for X in (TEXTS, RAGGED, DENSE):
        kind, encoded = fit_kind(X)
        moved = Pairs.to(encoded, torch.device("cpu"), torch.float32)
        column = getattr(moved.items, "values", moved.items)
        column = column() if callable(column) else column
        assert isinstance(column, torch.Tensor)
        assert len(kind.batch(moved, np.array([1, 0]))) == 2
        assert len(ToDevice("cpu").fit_transform(encoded)) == len(encoded)
        restored = Pairs.from_state(json.loads(json.dumps(kind.to_state())))
        again = pickle.loads(pickle.dumps(restored)).read(X)
        np.testing.assert_array_equal(
            kind.batch(encoded, np.arange(2)).items.lengths, kind.batch(again, np.arange(2)).items.lengths
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_kind(TEXTS.assign(b=[*TEXTS.b[:3], None])), r"^X\[3\] \(column 'b'\) is missing"),
        (lambda: fit_kind(objects([*IDS.ravel()[:2], [2], [-1]])), r"^X\[1\] \(column 1\) must hold ids >= 0, got -1"),
        (lambda: fit_kind(TREES.assign(a=["(S x", *TREES.a[1:]]), RecursiveNetClassifier), r"X\[0\] \(column 'a'\)"),
        (lambda: fit_kind(DENSE, RecursiveNetClassifier), "pairs of the kind 'trees', got pairs of 'ndarray'"),
        (lambda: fit_kind(TEXTS.to_numpy(dtype=object))[0].read(RAGGED), "pairs of the kind 'tokens', as in fit, got pairs of 'ndarray'"),
        (lambda: fit_kind(TEXTS)[0].read(TEXTS[["b", "a"]]), "feature names should match"),
        (lambda: fit_kind(TEXTS)[0].read(TEXTS.a), r"DataFrame of two columns .*, got shape \(4,\)"),
        (lambda: fit_kind([("a", "b")]), "a tuple or list in a list is a single tree or sequence"),
        (lambda: fit_kind(TEXTS[:0]), "at least one pair, got 0 pairs"),
        (lambda: TreeVectorizer().fit(TREES), "estimators read two columns as pairs"),
    ],
)  # fmt: skip
def test_errors_name_the_row_and_the_column(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_errors_keep_their_types():
    with pytest.raises(TypeError, match=r"^X\[0\] \(column 0\): cannot read a tree from .*ndarray"):
        fit_kind(RAGGED, RecursiveNetClassifier)


def test_warnings_of_unknown_words_name_the_row():
    kind, _ = fit_kind(TEXTS)
    with pytest.warns(UserWarning, match=r"in 1 of 4 samples, the first of which is X\[2\]"):
        kind.read(TEXTS.assign(b=["it", "it", "unknown words", "it"]))
