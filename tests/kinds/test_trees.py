"""Trees, and tables that are read as trees."""

import numpy as np
import pytest
import torch
from samples import BRACKETS, TUPLES

from sklearn_tree import Tree, TreeArray, TreeVectorizer
from sklearn_tree.kinds import Trees

ENCODED = TreeVectorizer().fit_transform(TUPLES)
CPU = torch.device("cpu")


def fit(X):
    kind = Trees()
    return kind, kind.fit(X)


def test_raw_trees_are_encoded_as_by_a_vectorizer():
    kind, encoded = fit(BRACKETS)
    assert encoded == ENCODED
    assert kind.encode(TreeArray.from_trees(TUPLES)) == ENCODED


def test_encoded_trees_are_used_as_they_are():
    kind, encoded = fit(ENCODED)
    assert encoded is ENCODED
    assert kind.vectorizer is None


@pytest.mark.parametrize(
    ("fitted_on", "X", "message"),
    [
        (BRACKETS, ENCODED, "X must hold raw trees, as in fit, got encoded trees"),
        (ENCODED, BRACKETS, "X must hold encoded trees, as in fit, got raw trees"),
        (BRACKETS, ["(S a)", "(S a"], r"\[1\]"),
        (BRACKETS, [], "X must contain at least one sample, a column of trees, got 0 samples"),
    ],
)
def test_errors_name_the_row_the_rule_and_the_value(fitted_on, X, message):
    kind, _ = fit(fitted_on)
    with pytest.raises(ValueError, match=message):
        kind.encode(X)


def test_encode_with_labels_returns_the_labels_of_the_user():
    kind, _ = fit(BRACKETS)
    encoded, labelled = kind.encode_with_labels(["(S unseen it)"])
    assert encoded == kind.encode(["(S unseen it)"])
    assert labelled.vocabulary[labelled.labels].tolist() == ["S", "unseen", "it"]
    kind, _ = fit(ENCODED)
    assert kind.encode_with_labels(ENCODED) == (ENCODED, ENCODED)


@pytest.mark.parametrize(("n_children", "expected"), [(0, 1), (3, 3), (8, 8), (20, 8)])
def test_the_default_arity_is_the_largest_in_training_up_to_8(n_children, expected):
    kind, encoded = fit([Tree([2] * (n_children + 1), [-1] + [0] * n_children)])
    assert kind.module_params(encoded, None)["max_arity"] == expected


def test_module_params_hold_the_statistics_of_the_values_of_each_label():
    trees = [Tree(["a", "b"], [-1, 0], values=[None, value]) for value in (1.0, 3.0)]
    kind, encoded = fit(trees)
    params = kind.module_params(encoded, None)
    b = encoded.labels[1]
    assert (params["value_shift"][b], params["value_scale"][b]) == (2.0, 1.0)
    assert np.isinf(np.delete(params["value_scale"], b)).all()
    assert kind.dtype(encoded) == torch.float32


REPEATS = [f"(S {phrase} {phrase} {phrase})" for phrase in ("(P (Q a) b)", "(P (Q c) d)")] * 4


def is_shared(trees, batch_size=8):
    """Return whether equal subtrees are numbered for batches of the trees."""
    kind, encoded = fit(trees)
    return kind.share_repeats(encoded, batch_size).subtrees is not None


def test_equal_subtrees_are_numbered_if_a_batch_repeats_enough_of_them():
    assert is_shared(REPEATS)
    assert not is_shared([f"(S (P a{i} b{i}) (Q c{i} d{i}))" for i in range(8)])  # nothing repeats
    assert not is_shared(["(S " * 30 + "a" + ")" * 30] * 2)  # chains


def test_trees_with_values_are_not_shared():
    labels, parents = ["S", "P", "a", "P", "a"] + ["P", "a"] * 10, [-1, 0, 1, 0, 3]
    parents += [node for i in range(5, 25, 2) for node in (0, i)]
    assert is_shared([Tree(labels, parents)] * 4)
    assert not is_shared([Tree(labels, parents, values=[float(i) for i in range(25)])] * 4)


def test_a_tree_array_of_tensors_can_be_indexed():
    moved = Trees.to(ENCODED, CPU)
    assert isinstance(moved, TreeArray)
    assert moved[np.array([3, 1])][0] == ENCODED[3]
    assert len(moved[5:9]) == 4
