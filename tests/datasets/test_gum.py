"""The GUM corpus."""

from collections import Counter

import numpy as np
import pytest

from sklearn_tree.datasets import load_gum


def test_counts_match_the_corpus():
    gum = load_gum()
    assert Counter(gum.split) == {"train": 3707, "test": 491, "dev": 438}
    assert len(gum.target_names) == 11
    assert np.mean(gum.target == "decl") == pytest.approx(0.731, abs=0.001)
    assert len(set(load_gum("genre").target)) == 6
    assert "CC BY 4.0" in gum.DESCR


def test_constituency_and_dependency_trees_have_the_same_words():
    constituency, dependency = load_gum().data, load_gum(trees="dependency").data
    n_leaves = np.add.reduceat(constituency.arities == 0, constituency.offsets[:-1])
    assert n_leaves.tolist() == dependency.sizes.tolist()
    tree = constituency[0]
    assert sorted(dependency[0].labels) == sorted(tree.labels[i] for i in tree.leaves)
    assert dependency[0].edges[0] is None
    assert "amod" in dependency[0].edges


def test_data_and_target_are_returned_on_request():
    X, y = load_gum(return_X_y=True)
    assert len(X) == len(y) == 4636


def test_invalid_parameters_are_refused():
    with pytest.raises(ValueError, match=r"task must be one of .* got 'topic'"):
        load_gum("topic")
    with pytest.raises(ValueError, match="trees must be 'constituency' or 'dependency', got 'both'"):
        load_gum(trees="both")
