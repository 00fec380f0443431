"""Recognition of the kind of samples in every container."""

import numpy as np
import pandas as pd
import pytest
import torch
from samples import BRACKETS, CONTAINERS, DENSE, IDS, PIXELS, TABLE, TEXTS, object_array

from sklearn_tree import CNNClassifier, RNNClassifier
from sklearn_tree.containers import as_known
from sklearn_tree.kinds import KINDS, Images, Series, Table, Tokens, Trees, find_kind

COLOUR = np.stack([PIXELS] * 3, axis=3)
CLEAR = [name for name, sample in CONTAINERS.items() if not sample.params]
AMBIGUOUS = [name for name, sample in CONTAINERS.items() if sample.params]


def families(sample):
    """Return the candidates of each estimator that reads a sample."""
    return {reader._kinds for reader in sample.readers}


@pytest.mark.parametrize("name", CLEAR)
def test_exactly_one_kind_of_a_family_recognizes_a_container(name):
    sample = CONTAINERS[name]
    for kinds in families(sample):
        assert [kind.name for kind in kinds if kind.recognizes(as_known(sample.X))] == [sample.kind]
        assert find_kind(as_known(sample.X), kinds).name == sample.kind


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_input_kind_selects_the_kind_of_an_ambiguous_container(name):
    sample = CONTAINERS[name]
    for kinds in families(sample):
        assert find_kind(sample.X, kinds).name != sample.kind  # the control
        assert find_kind(sample.X, kinds, sample.params["input_kind"]).name == sample.kind


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_fitted_kind_accepts_its_own_container(name):
    sample = CONTAINERS[name]
    X = as_known(sample.X)
    for kinds in families(sample):
        kind = find_kind(X, kinds, sample.params.get("input_kind", "auto"))()
        kind.fit(X)
        assert kind.accepts(X) or sample.params
        assert len(kind.encode(X)) == len(X)


@pytest.mark.parametrize(
    ("kind", "X", "accepted", "rejected"),
    [
        (Tokens, TEXTS, [TEXTS[:1], [""], [["it"]]], [[[2, 3]], TABLE, DENSE]),
        (Tokens, IDS, [IDS[:1], [[2, 3]], [[]], np.array([[2, 3]])], [TABLE, DENSE, PIXELS[..., None]]),
        (Series, DENSE, [DENSE[:1], [[1.5, 2.0]], [[2], [3, 4]], [[]]], [TEXTS, TABLE, PIXELS[..., None]]),
        (Series, DENSE[..., :1], [TABLE, torch.tensor(TABLE)], [TEXTS, PIXELS[..., None]]),
        (Table, TABLE, [TABLE[:1], TABLE.tolist()], [TEXTS, IDS, DENSE]),
        (Images, PIXELS[..., None], [PIXELS, list(PIXELS), list(PIXELS[..., None])], [TABLE, TEXTS]),
        (Images, COLOUR, [list(COLOUR)], [PIXELS]),
        (Trees, BRACKETS, [BRACKETS[:1]], [TABLE]),
    ],
)
def test_a_fitted_kind_accepts_what_it_can_read(kind, X, accepted, rejected):
    fitted = kind()
    fitted.fit(X)
    assert all(map(fitted.accepts, accepted))
    assert not any(map(fitted.accepts, rejected))


def test_aliases_select_the_same_kind_as_names():
    for kind in (Tokens, Images):
        assert {find_kind(TABLE, KINDS, name) for name in (kind.name, *kind.aliases)} == {kind}


def test_the_order_of_the_candidates_is_their_precedence():
    assert find_kind(TEXTS, [Trees, Tokens]) is Trees
    assert find_kind(TEXTS, [Tokens, Trees]) is Tokens


@pytest.mark.parametrize(
    ("X", "kinds", "message"),
    [
        (
            np.zeros((2, 3, 3, 1)),
            RNNClassifier._kinds,
            "X must be of the kind 'pairs' or 'tokens' or 'series' or 'table', got 'images', see CNNClassifier and CNNRegressor",
        ),
        (DENSE, [Table], "X must be of the kind 'table', got 'series', sequences for RNNClassifier, .*"),
        (TABLE, [Images], "X must be of the kind 'images', got 'table'"),
    ],
)  # fmt: skip
def test_the_error_names_the_kinds_and_the_one_that_was_found(X, kinds, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        find_kind(X, kinds)
    assert find_kind(X, CNNClassifier._kinds)  # the control


@pytest.mark.parametrize("name", CLEAR)
def test_read_agrees_with_fit(name):
    sample = CONTAINERS[name]
    for kinds in families(sample):
        kind = find_kind(as_known(sample.X), kinds)("Reader", kinds)
        encoded = kind.fit(as_known(sample.X))
        assert len(kind.read(sample.X)) == len(encoded)
        assert kind.n_positions(kind.read(sample.X)).tolist() == kind.n_positions(encoded).tolist()


def test_read_rejects_samples_of_the_other_candidates():
    kinds = CNNClassifier._kinds
    fitted = {"tokens": TEXTS, "series": DENSE, "table": TABLE, "images": COLOUR}
    for name, X in fitted.items():
        kind = find_kind(X, kinds)("Reader", kinds)
        kind.fit(X)
        for other, X_other in fitted.items():
            if other == name:
                assert len(kind.read(X_other)) == len(X_other)
                continue
            with pytest.raises(ValueError, match=f"X must be of the kind '{name}', as in fit, got '{other}'"):
                kind.read(X_other)


AMBIGUOUS_ROWS = {  # later samples can be read only with the kind of all samples
    "tokens": ([[2, 3], [4, 5]], [[2], [3, 4]]),
    "series": ([[1.5, 2.0], [3.0, 4.0]], [[1.5], [2.0, 3.0]]),
}


@pytest.mark.parametrize("name", AMBIGUOUS_ROWS)
def test_the_error_names_the_input_kind_that_reads_both_samples(name):
    first, later = AMBIGUOUS_ROWS[name]
    kinds = RNNClassifier._kinds
    guessed = find_kind(first, kinds)("RNNClassifier", kinds)
    guessed.fit(first)
    message = f"'table', as in fit, got '{name}': pass input_kind='{name}' to RNNClassifier if all samples"
    with pytest.raises(ValueError, match=message):
        guessed.read(later)
    chosen = find_kind(first, kinds, name)("RNNClassifier", kinds)
    chosen.fit(first)
    assert chosen.n_positions(chosen.read(later)).tolist() == [1, 2]


def test_the_class_of_x_is_named_if_no_kind_recognizes_it():
    kind = Table("Reader")
    kind.fit(TABLE)
    with pytest.raises(ValueError, match=r"as in fit, got 'list'$"):
        kind.read(TEXTS)


def test_ints_and_floats_of_one_measurement_are_series():
    for X in ([[1, 2], [3.5]], [[1.5, 2.0], [3]], [np.array([1, 2]), np.array([3.5])]):
        assert find_kind(X, RNNClassifier._kinds) is Series
        np.testing.assert_array_equal(Series().fit(X).values[:, 0], np.concatenate(X))
    kind = Series()
    kind.fit([[1.5, 2.0], [3.0]])
    assert kind.read([[1, -2], [3]]).values.ravel().tolist() == [1, -2, 3]
    assert find_kind([[1, 2], [3]], RNNClassifier._kinds) is Tokens  # the control


@pytest.mark.parametrize("make", [pd.Series, object_array, lambda rows: pd.DataFrame({"x": rows})])
def test_columns_of_sequences_are_not_tables_even_if_lengths_are_equal(make):
    for name, (first, _) in AMBIGUOUS_ROWS.items():
        assert find_kind(make(first), RNNClassifier._kinds).name == name
        assert find_kind(first, RNNClassifier._kinds) is Table  # the control
