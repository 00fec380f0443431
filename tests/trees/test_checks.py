"""Validation of the columns of ``TreeArray`` and ``RaggedArray``."""

import numpy as np
import pytest

from sklearn_tree import RaggedArray, TreeArray

ONE = ([2], [0], [0, 1])  # labels, depths and offsets of one tree of one node


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (ONE, {"values": [1, 2]}, "values must have one entry per node: 1, got 2"),
        (ONE, {"edges": [2, 3]}, "edges must have one entry per node: 1, got 2"),
        (ONE, {"values": [np.inf]}, "values must be finite, or NaN for nodes without a value; got inf"),
        (ONE, {"edges": [3], "n_edge_labels": 3}, r"edges must be in \[0, 3\), got 3"),
        (ONE, {"vocabulary": ["a"]}, r"labels must be in \[0, 1\), got 2"),
        (([-2], [0], [0, 1]), {}, "labels must be >= 0, got -2"),
        (([2.7], [0], [0, 1]), {}, "labels must be ints, got float64"),
        (([2, 2], [0, 2], [0, 2]), {}, "depths must be in preorder.* got 2 at node 1 of tree 0"),
        (([2, 2], [0, 0], [0, 2]), {}, "got 0 at node 1 of tree 0"),
        (([2, 2], [0, 1], [0, 1, 2]), {}, "got 1 at node 0 of tree 1"),
        (([2, 2], [0, 1], [0, 2]), {"parents": [-1, -1]}, "parents must agree with depths or be None"),
        (([2], [0], [0, 0, 1]), {}, "offsets must start at 0 and increase by at least one node per tree"),
        (([[2], [3]], [0, 1], [0, 2]), {}, r"labels must be one-dimensional, got shape \(2, 1\)"),
        (([2, 3], [[0], [1]], [0, 2]), {}, r"depths must be one-dimensional, got shape \(2, 1\)"),
        (([2, 3], [0, 1.0], [0, 2]), {}, "depths must be ints, got float64"),
        (([2, 3], [0, 1], [0, 2.0]), {}, "offsets must be ints, got float64"),
        (([2, 3], [0, 2**32 + 1], [0, 2]), {}, "depths must be in preorder"),
        (([2**31], [0], [0, 1]), {}, r"labels must be < 2\*\*31, got 2147483648"),
        (ONE, {"edges": [1.0]}, "edges must be ints, got float64"),
        (
            ONE,
            {"values": [[1.0]]},
            r"values must be floats of shape \(n_nodes,\), got float64 of shape \(1, 1\)",
        ),
        (ONE, {"values": ["a"]}, r"values must be floats of shape \(n_nodes,\), got <U1"),
        (([2], [0], [0, 2]), {}, r"offsets\[-1\] = 2 entries, got 1 and 1"),
    ],
)
def test_invalid_columns_of_trees_are_refused(columns, options, message):
    with pytest.raises(ValueError, match=message):
        TreeArray(*columns, **options)


def test_valid_columns_of_trees_are_converted():  # the control of the law above
    array = TreeArray([2, 3], [0, 1], [0, 2], values=[np.nan, 1], edges=[0, 2], parents=[-1, 0])
    assert array.labels.dtype == array.edges.dtype == array.depths.dtype == array.parents.dtype == np.int32
    assert array.offsets.dtype == np.int64
    assert (array.n_labels, array.n_edge_labels) == (4, 3)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [0, 2]), r"values must have offsets\[-1\] = 2 steps, got 1"),
        (([1], [1, 0]), "offsets must start at 0 and never decrease"),
        (([1, 2], [0, 2.0]), "offsets must be ints, got float64"),
        (([1, -2], [0, 2]), "values must be >= 0, got -2"),
        (([1, 2**31], [0, 2]), r"values must be < 2\*\*31, got 2147483648"),
        (([1.5], [0, 1]), r"floats of shape \(n_steps, n_channels\), got float64 of shape \(1,\)"),
        ((np.ones((1, 2), int), [0, 1]), r"got int64 of shape \(1, 2\)"),
    ],
)
def test_invalid_columns_of_sequences_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        RaggedArray(*columns)


def test_valid_columns_of_sequences_are_converted():  # the control of the law above
    array = RaggedArray([1, 5], [0, 0, 2])
    assert array.values.dtype == np.int32
    assert array.n_labels == 6
    assert RaggedArray(np.ones((2, 3)), [0, 2]).n_labels is None


@pytest.mark.parametrize(("option", "value"), [("vocabulary", ["a"]), ("n_labels", 2)])
def test_tokens_beyond_the_vocabulary_are_refused(option, value):
    size = value if option == "n_labels" else len(value)
    with pytest.raises(ValueError, match=rf"values must be in \[0, {size}\), got 2"):
        RaggedArray([0, 2], [0, 2], **{option: value})
    assert len(RaggedArray([0, size - 1], [0, 2], **{option: value})) == 1  # the control
