"""Generated ListOps expressions."""

import numpy as np
import pytest

from sklearn_tree.datasets import make_listops

FUNCTIONS = {"MAX": max, "MIN": min, "MED": lambda a: int(np.median(a)), "SM": lambda a: sum(a) % 10}


def evaluate_by_recursion(tree, node=0):
    label = tree.labels[node]
    if label.isdigit():
        return int(label)
    return FUNCTIONS[label]([evaluate_by_recursion(tree, k) for k in tree.children(node)])


def test_values_are_correct_and_bounds_are_kept():
    X, y = make_listops(200, max_depth=4, max_args=3, random_state=0)
    assert [evaluate_by_recursion(tree) for tree in X] == y.tolist()
    assert max(tree.height for tree in X) == 4
    assert X.arities.max() == 3
    assert len(set(y)) == 10


def test_the_seed_determines_the_expressions():
    X, same, other = (make_listops(50, random_state=seed)[0] for seed in (0, 0, 1))
    assert same == X
    assert other != X


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_samples": 0}, "n_samples must be an int >= 1, got 0"),
        ({"max_depth": 0}, "max_depth must be an int >= 1, got 0"),
        ({"max_args": 1}, "max_args must be an int >= 2, got 1"),
        ({"max_args": 2.5}, "max_args must be an int >= 2, got 2.5"),
    ],
)
def test_invalid_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        make_listops(**params)
