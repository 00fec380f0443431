"""Shipped and generated data sets."""

from collections import Counter

import numpy as np
import pytest

from sklearn_tree.datasets import load_gum, make_listops


def test_gum_has_the_published_counts():
    gum = load_gum()
    assert Counter(gum.split) == {"train": 3707, "test": 491, "dev": 438}
    assert len(gum.target_names) == 11
    assert np.mean(gum.target == "decl") == pytest.approx(0.731, abs=0.001)
    assert len(set(load_gum("genre").target)) == 6
    assert "CC BY 4.0" in gum.DESCR


def test_gums_two_kinds_of_trees_have_the_same_words():
    const, dep = load_gum().data, load_gum(trees="dependency").data
    leaves = np.add.reduceat(const.arities == 0, const.offsets[:-1])
    assert leaves.tolist() == dep.sizes.tolist()
    tree, words = dep[0], const[0]
    assert sorted(tree.labels) == sorted(words.labels[i] for i in words.leaves)
    assert tree.edges[0] is None
    assert "amod" in tree.edges


def test_return_x_y():
    X, y = load_gum(return_X_y=True)
    assert len(X) == len(y) == 4636


def value(tree, node=0):
    """The slow, obvious evaluation."""
    label, arguments = tree.labels[node], [value(tree, k) for k in tree.children(node)]
    if label.isdigit():
        return int(label)
    return {"MAX": max, "MIN": min, "MED": lambda a: int(np.median(a)), "SM": lambda a: sum(a) % 10}[label](
        arguments
    )


def test_listops_values_are_right_and_bounds_are_kept():
    X, y = make_listops(200, max_depth=4, max_args=3, random_state=0)
    assert [value(tree) for tree in X] == y.tolist()
    assert max(tree.height for tree in X) == 4
    assert X.arities.max() == 3
    assert len(set(y)) == 10
    again, _ = make_listops(200, max_depth=4, max_args=3, random_state=0)
    assert again == X
    other, _ = make_listops(200, max_depth=4, max_args=3, random_state=1)
    assert other != X


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load_gum("topic"), "task must be one of .* got 'topic'"),
        (lambda: load_gum(trees="both"), "trees must be 'constituency' or 'dependency', got 'both'"),
        (lambda: make_listops(0), "n_samples must be an int of at least 1, got 0"),
        (lambda: make_listops(max_args=1), "max_args must be an int of at least 2, got 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
