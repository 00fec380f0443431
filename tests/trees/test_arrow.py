"""Arrow arrays hold the trees and sequences of an array and share its memory."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import BRACKETS, Y, quick
from strategies import forests, trees_with_values_and_edges

from sklearn_tree import (
    RaggedArray,
    RecursiveNetClassifier,
    RNNClassifier,
    Tree,
    TreeArray,
    TreeNode,
    TreeVectorizer,
)

TREES = TreeArray.from_trees(["(S (NP I) (VP run))", "(S (VP stop))", "(S (NP it) (VP (V is) (A so)))"])
IDS = TreeVectorizer().fit_transform(TREES)
SEQUENCES = {
    "tokens": RaggedArray.from_sequences([["a", "b"], [], ["b"], ["é", ""]]),
    "ids": RaggedArray([5, 7, 2], [0, 2, 2, 3], n_labels=99),
    "one channel": RaggedArray.from_sequences([[1.5, 2.5], [3.5]]),
    "channels": RaggedArray(np.arange(12, dtype=np.float32).reshape(4, 3), [0, 1, 1, 4]),
    "half precision": RaggedArray(np.ones((2, 2), np.float16), [0, 2]),
}
NODE = pa.struct({"label": pa.string(), "depth": pa.int32()})
VALUES = [TreeNode("a", [TreeNode("b", value=1.5, edge="x"), "c"])]
WITH_ALL = st.lists(trees_with_values_and_edges(), min_size=1, max_size=5).map(TreeArray.from_trees)


def nodes(*trees):
    """Return an Arrow array of trees, given as (label, depth) pairs; None is null."""
    rows = [
        tree and [node and dict(zip(("label", "depth"), node, strict=True)) for node in tree]
        for tree in trees
    ]
    return pa.array(rows, pa.list_(NODE))


def through_parquet(array, tmp_path, row_group_size=2):
    """Return a column that has been written to a Parquet file, in several chunks."""
    pa.parquet.write_table(pa.table({"x": array}), tmp_path / "x.parquet", row_group_size=row_group_size)
    batches = pa.dataset.dataset(tmp_path / "x.parquet").to_batches(columns=["x"], batch_size=row_group_size)
    return pa.chunked_array([batch.column("x") for batch in batches])


@given(st.one_of(forests().map(TreeArray.from_trees), WITH_ALL), st.data())
def test_trees_and_slices_of_them_keep_everything(trees, data):
    array = trees.to_arrow()
    assert TreeArray.from_arrow(array) == trees
    rows = slice(*sorted([data.draw(st.integers(0, len(trees))), data.draw(st.integers(0, len(trees)))]))
    assert TreeArray.from_arrow(array[rows]) == trees[rows]
    chunks = pa.chunked_array([trees[: rows.start].to_arrow(), array[rows.start :]])
    assert TreeArray.from_arrow(chunks) == trees
    swapped = pa.chunked_array([array[1:], array[:1]])  # the control
    assert list(TreeArray.from_arrow(swapped)) == [*trees[1:], trees[0]]


@given(forests(labels=st.integers(2, 5)), st.integers(6, 9))
def test_ids_keep_the_size_of_their_space(forest, n_labels):
    trees = TreeArray.from_trees(forest).replace(n_labels=n_labels)
    restored = TreeArray.from_arrow(trees.to_arrow())
    assert restored == trees
    assert restored.n_labels == n_labels
    without_metadata = pa.array(trees.to_arrow().to_pylist())
    assert TreeArray.from_arrow(without_metadata).n_labels <= 6  # the control


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_keep_everything(name, tmp_path):
    sequences = SEQUENCES[name]
    array = sequences.to_arrow()
    for restored in (array, pa.chunked_array([array[:1], array[1:]]), through_parquet(array, tmp_path)):
        restored = RaggedArray.from_arrow(restored)
        assert restored == sequences
        assert restored.values.dtype == sequences.values.dtype
        assert restored.n_labels == sequences.n_labels
    assert RaggedArray.from_arrow(array[1:]) == sequences[1:]
    assert RaggedArray.from_arrow(array[:1]) != sequences[1:]  # the control


def test_columns_of_parquet_files_keep_everything(tmp_path):
    trees = TreeArray.from_trees([VALUES[0], "(S x)", ("S", "y", "z")])
    restored = TreeArray.from_arrow(through_parquet(trees.to_arrow(), tmp_path, 1))
    assert restored == trees
    encoded = IDS.replace(n_labels=1000)
    restored = TreeArray.from_arrow(through_parquet(encoded.to_arrow(), tmp_path))
    assert restored == encoded
    assert restored.n_labels == 1000
    assert restored.vocabulary is None


def test_memory_is_shared():
    array = IDS.to_arrow()
    restored = TreeArray.from_arrow(array)
    for name in ("labels", "depths", "offsets"):
        assert np.shares_memory(getattr(restored, name), getattr(IDS, name))
    numbers = SEQUENCES["channels"]
    assert np.shares_memory(RaggedArray.from_arrow(numbers.to_arrow()).values, numbers.values)
    copied = TreeArray.from_arrow(pa.chunked_array([array, array]))
    assert not np.shares_memory(copied.labels, IDS.labels)  # the control


def test_a_text_is_stored_once():
    array = TreeArray.from_trees(["(S x x x)"] * 100).to_arrow()
    assert array.values.field("label").dictionary.to_pylist() == ["S", "x"]


def test_empty_arrays_keep_their_kind():
    for trees in (TREES, IDS):
        empty = TreeArray.from_arrow(trees[:0].to_arrow())
        assert len(empty) == 0
        assert (empty.vocabulary is None) == (trees.vocabulary is None)
    assert TreeArray.from_arrow(pa.chunked_array([], pa.list_(NODE))) == TREES[:0]
    empty = RaggedArray.from_arrow(SEQUENCES["channels"][:0].to_arrow())
    assert empty.values.shape == (0, 3)


def test_lists_of_other_programs_are_read():
    expected = TreeArray.from_trees(["(S a)", "(S b b)"])
    plain = nodes([("S", 0), ("a", 1)], [("S", 0), ("b", 1), ("b", 1)])
    assert TreeArray.from_arrow(plain) == expected
    assert TreeArray.from_arrow(pl.Series(plain.to_pylist())) == expected
    assert RaggedArray.from_arrow(pa.array([["a"], ["b", "c"]])) == RaggedArray.from_sequences(
        [["a"], ["b", "c"]]
    )
    assert RaggedArray.from_arrow(pa.array([[1.5], [2.5]])) == RaggedArray.from_sequences([[1.5], [2.5]])
    channels = pa.array([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]])  # lists of lists of floats
    assert RaggedArray.from_arrow(channels)[1].tolist() == [[3, 4], [5, 6]]
    fixed = pa.array([[4, 5], [6, 7], [8, 9]], pa.list_(pa.int16(), 2))
    assert RaggedArray.from_arrow(fixed[1:])[1].tolist() == [8, 9]
    categories = pa.array([["a", "b"], ["a"]], pa.list_(pa.dictionary(pa.int8(), pa.large_string())))
    assert RaggedArray.from_arrow(categories) == RaggedArray.from_sequences([["a", "b"], ["a"]])


def test_null_values_and_edges_mean_none():
    rows = [[{"label": "a", "depth": 0, "value": 1.5, "edge": None}, {"label": "b", "depth": 1, "edge": "x"}]]
    tree = TreeArray.from_arrow(pa.array(rows))[0]
    assert tree.values == (1.5, None)
    assert tree.edges == (None, "x")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (nodes([("S", 0)], None), r"array\[1\] is null: leave the row out"),
        (nodes([("S", 0)], [("S", 0), (None, 1)]), r"array\[1\] has a label that is null"),
        (nodes([("S", 0)], [("S", 0), ("a", None)]), r"array\[1\] has a depth that is null"),
        (nodes([("S", 0)], [("S", 0), None]), r"array\[1\] has a node that is null"),
        (nodes([("S", 0)], [("S", 0), ("a", 2)]), "depths must be in preorder: .* got 2 at node 1 of tree 1"),
        (nodes([("S", 0)], []), "offsets must start at 0 and increase by at least one node per tree"),
    ],
)
def test_invalid_trees_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        TreeArray.from_arrow(array)
    assert len(TreeArray.from_arrow(array[:1])) == 1  # the control


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array([["a"], None]), r"array\[1\] is null"),
        (pa.array([["a"], ["b", None]]), r"array\[1\] has a step that is null"),
        (pa.array([[[1.0]], [[None]]]), r"array\[1\] has a channel that is null"),
        (pa.array([[[1.0]], [[2.0, 3.0]]]), r"array\[1\] must have 1 channels like the first step, got 2"),
        (pa.array([[4], [-1]]), "values must be >= 0, got -1"),
    ],
)
def test_invalid_sequences_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        RaggedArray.from_arrow(array)
    assert len(RaggedArray.from_arrow(array[:1])) == 1  # the control


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, 2]),
        pa.array([["a"]]),
        pa.array([[{"label": "a"}]]),
        pa.array([[{"label": 1.5, "depth": 0}]]),
        pa.array([[{"label": "a", "depth": 0.0}]]),
        pa.array([[{"label": "a", "depth": 0, "other": 1}]]),
        pa.array([[{"label": "a", "depth": 0, "value": "x"}]]),
    ],
)
def test_arrays_of_other_types_are_refused_with_the_expected_type(array):
    with pytest.raises(TypeError, match=r"must have the Arrow type list<struct<label: .*, depth: int.*got "):
        TreeArray.from_arrow(array)
    with pytest.raises(TypeError, match="array must be a pyarrow Array or ChunkedArray, got list"):
        TreeArray.from_arrow(array.to_pylist())


@pytest.mark.parametrize(
    "array", [pa.array(["a"]), pa.array([[True]]), pa.array([[{"x": 1}]]), TREES.to_arrow()]
)
def test_arrays_that_are_not_sequences_are_refused(array):
    with pytest.raises(TypeError, match=r"array must have the Arrow type list<string>, .* got "):
        RaggedArray.from_arrow(array)


def with_metadata(array, metadata):
    """Return an array of lists with metadata at its rows."""
    field = array.type.value_field.with_metadata(metadata)
    return pa.LargeListArray.from_arrays(array.offsets, array.values, type=pa.large_list(field))


@pytest.mark.parametrize("size", [b"-1", b"x", b"9" * 5000, b"4294967296"])
def test_invalid_metadata_are_refused(size):
    with pytest.raises(ValueError, match=r"n_labels in the metadata must be an int in \[0, 2\*\*31\]"):
        TreeArray.from_arrow(with_metadata(IDS.to_arrow(), {"sklearn_tree.n_labels": size}))
    with pytest.raises(ValueError, match=r"labels must be in \[0, 3\)"):
        TreeArray.from_arrow(with_metadata(IDS.to_arrow(), {"sklearn_tree.n_labels": b"3"}))


def test_damaged_buffers_are_refused():
    array = TREES.to_arrow()
    offsets = pa.py_buffer(np.array([0, 5, 10**9, 16], dtype=np.int64))
    damaged = pa.Array.from_buffers(array.type, 3, [None, offsets], children=[array.values])
    with pytest.raises(ValueError, match="array is not a valid Arrow array"):
        TreeArray.from_arrow(damaged)


def test_arrays_without_a_place_in_arrow_are_refused():
    with pytest.raises(ValueError, match="an array with vectors cannot be converted to Arrow"):
        IDS.replace(vectors=np.ones((1, 2))).to_arrow()
    with pytest.raises(ValueError, match="series must have at least one channel"):
        RaggedArray(np.ones((2, 0)), [0, 2]).to_arrow()
    with pytest.raises(ValueError, match="labels must be valid Unicode to be converted to Arrow"):
        RaggedArray.from_sequences([["\ud800"]]).to_arrow()


def test_a_missing_pyarrow_gives_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'Arrow arrays need pyarrow: pip install "sklearn-tree\[arrow\]"'):
        TREES.to_arrow()


ROWS = {
    "pandas, Arrow types": lambda column: pd.Series(column, dtype=pd.ArrowDtype(column.type)),
    "pandas, objects": lambda column: pa.table({"tree": column}).to_pandas()["tree"],
    "frame": lambda column: pa.table({"tree": column}).to_pandas(),
    "polars": pl.from_arrow,
    "list": lambda column: column.to_pylist(),
}


@pytest.mark.parametrize("encode", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_columns_of_nodes_in_other_containers_are_the_same_trees(name, encode):
    X = TreeVectorizer().fit_transform(BRACKETS) if encode else BRACKETS
    column = (X if encode else TreeArray.from_trees(list(map(Tree.from_any, X)))).to_arrow()
    expected = quick(RecursiveNetClassifier).fit(X, Y)
    found = quick(RecursiveNetClassifier).fit(ROWS[name](column), Y)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
    np.testing.assert_array_equal(expected.predict_proba(ROWS[name](column)), expected.predict_proba(X))


def test_tables_with_a_column_of_lists_are_refused():
    column = TreeArray.from_trees(list(map(Tree.from_any, BRACKETS))).to_arrow()
    for cls, values in ((RecursiveNetClassifier, column), (RNNClassifier, pa.array([["a", "b"]] * len(Y)))):
        with pytest.raises(ValueError, match="X has 2 columns and 'tree' holds lists: pass one column"):
            cls().fit(pa.table({"tree": values, "y": Y}), Y)
