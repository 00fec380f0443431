"""Laws of containers: results depend on the samples, not on their container."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from samples import BRACKETS, DENSE, IDS, TABLE, TEXTS, TOKENS, TUPLES, WAVES, object_array
from scipy import sparse

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.containers import (
    Layout,
    as_column,
    as_known,
    as_rows,
    column_items,
    holds_trees,
    is_number,
    is_tensor,
    layout_of,
    may_be_sequences,
    to_numpy,
)

COLUMN = {  # containers of one column of any items
    "list": list,
    "tuple": tuple,
    "object array": object_array,
    "object array of one column": lambda items: object_array(items)[:, None],
    "Series": pd.Series,
    "Series of objects": lambda items: pd.Series(items, dtype=object),
    "DataFrame": lambda items: pd.DataFrame({"x": items}),
}
STRINGS = {  # further containers of str
    "array of str": np.array,
    "Series of string": lambda items: pd.Series(items, dtype="string"),
    "Series of category": lambda items: pd.Series(items, dtype="category"),
    "polars Series": pl.Series,
    "polars DataFrame": lambda items: pl.DataFrame({"x": items}),
}
NUMBERS = {  # containers of a table
    "list of lists": np.ndarray.tolist,
    "tuple of tuples": lambda table: tuple(map(tuple, table.tolist())),
    "array": np.asarray,
    "object array": lambda table: table.astype(object),
    "DataFrame": pd.DataFrame,
    "DataFrame of nullable floats": lambda table: pd.DataFrame(table).astype("Float64"),
    "DataFrame of mixed dtypes": lambda table: pd.DataFrame(table).astype({0: "float32", 1: "int64"}),
    "polars DataFrame": pl.DataFrame,
    "sparse": sparse.csr_array,
    "tensor": torch.tensor,
}
TREES_IN_COLUMNS = [(BRACKETS, {**COLUMN, **STRINGS}), (TUPLES, COLUMN)]


def in_containers(*groups):
    """Parametrize over (items, container) pairs."""
    cases = [
        pytest.param(items, make, id=f"{name}-{i}")
        for i, (items, containers) in enumerate(groups)
        for name, make in containers.items()
    ]
    return pytest.mark.parametrize(("items", "make"), cases)


@in_containers(*((items, COLUMN) for items in (TEXTS, TOKENS, IDS, [wave[:, 0].tolist() for wave in WAVES])))
def test_the_layout_does_not_depend_on_the_container(items, make):
    assert layout_of(make(items)) == layout_of(items)


@in_containers((TEXTS, STRINGS))
def test_the_layout_of_strings_does_not_depend_on_the_container(items, make):
    assert layout_of(make(items)) == layout_of(items) == Layout(None)


@in_containers((TABLE, NUMBERS))
def test_a_table_has_the_same_layout_in_all_containers(items, make):
    assert layout_of(make(items)) == Layout(2)


@pytest.mark.parametrize(
    ("X", "layout"),
    [
        (TEXTS, Layout(None)),
        (TOKENS, Layout(None)),
        (IDS, Layout(2, is_ragged=True, is_integer=True)),
        ([[1, 2], [3.5]], Layout(2, is_ragged=True)),
        ([np.array([1, 2]), np.array([3.5])], Layout(2, is_ragged=True)),
        ([[1, 2], np.array([])], Layout(2, is_ragged=True, is_integer=True)),
        ([[1.5, 2.0], [3.0]], Layout(2, is_ragged=True)),
        ([[1, 2], [3, 4]], Layout(2)),
        ([1, 2.5, True], Layout(2)),
        (WAVES, Layout(3)),
        ([torch.tensor(wave) for wave in WAVES], Layout(3)),
        ([np.zeros((4, 5, 3))] * 2, Layout(4)),
        (np.zeros((2, 3)), Layout(2)),
        (np.zeros((2, 3, 4)), Layout(3)),
        (np.zeros((2, 3, 4, 5)), Layout(4)),
        (torch.zeros(2), Layout(2)),
        (torch.zeros(2, 3, 4), Layout(3)),
        (torch.zeros(2, 3, 4, 5), Layout(4)),
        (RaggedArray.from_sequences(TOKENS), Layout(None, is_ragged=True, is_integer=True)),
        (RaggedArray.from_sequences(IDS), Layout(2, is_ragged=True, is_integer=True)),
        (RaggedArray.from_sequences(WAVES), Layout(2, is_ragged=True)),
        ([], Layout(None)),
        ([None, np.nan, "a"], Layout(None)),
        ([[], [], [1, 2], [3]], Layout(2, is_ragged=True, is_integer=True)),
        ([[], []], Layout(None)),
        ([object()], Layout(None)),
        (5, Layout(None)),
    ],
)
def test_the_first_informative_sample_determines_the_layout(X, layout):
    assert layout_of(X) == layout


@in_containers(*TREES_IN_COLUMNS)
def test_trees_are_found_in_all_containers(items, make):
    assert holds_trees(make(items))


@in_containers((TABLE, NUMBERS))
def test_no_trees_are_found_in_tables(items, make):
    assert not holds_trees(make(items))


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (TreeArray.from_trees(TUPLES), True),
        ([None, *BRACKETS], True),
        ([], True),
        (pd.Series([], dtype=object), True),
        ([None, np.nan, pd.NA], False),
        ([[None, 2.0], [1.0, 2.0]], True),  # an invalid tree, which the tree formats report
        ([1.5, 2.5], False),
        (pd.Series([1, 2]), False),
        (np.array(["2020-01-01"], dtype="datetime64[s]"), False),
        (np.zeros((2, 3, 4)), False),
    ],
)
def test_missing_and_empty_columns_are_trees_or_tables(X, expected):
    assert holds_trees(X) == expected


@pytest.mark.parametrize("make", COLUMN.values(), ids=COLUMN)
def test_only_columns_of_sequences_may_be_sequences(make):
    equal, ragged, empty = [[2, 3], [4, 5]], [[2, 3], [4]], [[], []]
    assert may_be_sequences(make(equal)) == (make in (list, tuple))  # other columns are recognized
    assert may_be_sequences(make(empty))
    for items in (ragged, TEXTS, TOKENS, [""]):  # recognized without ambiguity
        assert not may_be_sequences(make(items))


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, pl.DataFrame, sparse.csr_array, torch.tensor])
def test_tables_are_not_columns_of_sequences(make):
    assert not may_be_sequences(make(np.array([[2, 3], [4, 5]])))


@in_containers((TABLE, NUMBERS))
def test_to_numpy_returns_the_numbers_of_all_containers(items, make):
    array = to_numpy(make(items))
    assert type(array) is np.ndarray
    first_rows_differ = make is NUMBERS["DataFrame of mixed dtypes"]
    np.testing.assert_allclose(array.astype(float), items, atol=1 if first_rows_differ else 0)


def test_to_numpy_detaches_tensors():
    weight = torch.ones(2, requires_grad=True)
    np.testing.assert_array_equal(to_numpy(weight * 2), [2.0, 2.0])
    assert is_tensor(weight)
    assert not is_tensor(np.ones(2))


@in_containers((BRACKETS, {**COLUMN, **STRINGS}), (TUPLES, COLUMN), (IDS, COLUMN))
def test_as_column_returns_the_items_of_all_containers(items, make):
    assert as_column(make(items)) == items
    assert as_column(make(items[::-1])) != items


def test_as_column_reads_iterators():
    assert as_column(iter(TEXTS)) == TEXTS


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("(S a)", TypeError, "X must be a list, Series or array of trees, got a single str"),
        ({"a": 1}, TypeError, "got a single dict"),
        (Tree(["a"], [-1]), TypeError, "got a single Tree"),
        (5, TypeError, "X must be a list, Series or array of trees, got int"),
        (np.zeros((2, 3)), ValueError, r"X must be one column of trees, got an array of shape \(2, 3\)"),
        (pd.DataFrame({"a": [1], "b": [2]}), ValueError, r"one column of trees, got an array of shape \(1, 2\)"),
        (pl.DataFrame({"a": [1], "b": [2]}), ValueError, r"one column of trees, got an array of shape \(1, 2\)"),
        ([], ValueError, "X must contain at least one sample, a column of trees, got 0 samples"),
        (pd.Series([], dtype=object), ValueError, "X must contain at least one sample"),
    ],
)  # fmt: skip
def test_as_column_names_the_rule_and_the_value(X, error, message):
    with pytest.raises(error, match=message):
        as_column(X)


def test_as_column_names_the_items():
    with pytest.raises(TypeError, match="array of images, got int"):
        as_column(5, "images")


def test_as_rows_returns_the_rows_of_tables_and_the_items_of_columns():
    table = np.array([[2, 3], [4, 5]])
    for X in (table, torch.tensor(table), pd.DataFrame(table), table.tolist(), list(torch.tensor(table))):
        np.testing.assert_array_equal(np.stack(as_rows(X)), table)
    assert as_rows(pd.Series(IDS)) == IDS
    assert not any(map(is_tensor, as_rows([torch.tensor(row) for row in IDS])))


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.array(["a", "b"]), ["a", "b"]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (pd.DataFrame({"x": ["a", "b"]}), ["a", "b"]),
        (object_array([[1], "b"]), [[1], "b"]),
        (np.array([1, 2]), None),
        (pd.Series([1.5]), None),
        (pd.Series([True, None], dtype="boolean"), None),
        (pd.DataFrame({"x": ["a"], "y": ["b"]}), None),
        (np.zeros((2, 1, 1), dtype=object), None),
    ],
)
def test_only_columns_of_texts_or_objects_have_items(X, expected):
    assert column_items(X) == expected


def test_polars_series_become_lists_and_other_containers_are_unchanged():
    assert as_known(pl.Series(TEXTS)) == TEXTS
    for X in (TEXTS, pd.Series(TEXTS), TABLE, pl.DataFrame(TABLE)):
        assert as_known(X) is X


def test_arrow_data_become_containers_of_other_libraries():
    assert as_known(pa.array(["a", None])).tolist() == ["a", None]
    assert as_known(pa.chunked_array([["a"], ["b"]]).dictionary_encode()).tolist() == ["a", "b"]
    assert as_known(pa.array([1.5, 2])).tolist() == [1.5, 2.0]
    assert as_known(pa.array([{"label": "a", "children": []}])) == [{"label": "a", "children": []}]
    assert as_known(pa.array([["a"], None])) == [["a"], None]
    assert as_known(pa.array([["a"], ["b", "c"]])) == RaggedArray.from_sequences([["a"], ["b", "c"]])
    trees = TreeArray.from_trees(TUPLES)
    batch = pa.RecordBatch.from_arrays([trees.to_arrow()], ["tree"])
    assert as_known(batch) == as_known(batch.column(0)) == trees
    pd.testing.assert_frame_equal(
        as_known(pa.table({"a": [1, 2], "b": [3, 4]})), pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    )
    assert as_known(pa.table({"text": TEXTS})).columns.tolist() == ["text"]


def test_numbers_of_python_and_numpy_are_recognized():
    assert all(map(is_number, (1, 2.5, 1j, True, np.float32(1), np.int8(1), np.bool_(True))))
    assert not any(map(is_number, ("1", None, [1], np.ones(1), torch.ones(1))))


def test_an_iterator_is_read_once_into_a_list():
    assert as_known(iter(TEXTS)) == as_known(text for text in TEXTS) == TEXTS
    assert as_known(TOKENS) is TOKENS


def test_containers_without_an_order_are_refused():
    for X in (set(TEXTS), frozenset(TEXTS)):
        with pytest.raises(
            TypeError, match=f"X must be a list, .* got a {type(X).__name__}, which has no order"
        ):
            as_column(X)
    assert as_column(dict.fromkeys("ab").keys()) == ["a", "b"]  # the control: keys are ordered


def test_masked_entries_are_refused():
    masked = np.ma.masked_array(TABLE, mask=np.sort(TABLE.ravel())[-2] < TABLE)
    row = int(np.argmax(TABLE.max(axis=1)))
    with pytest.raises(ValueError, match=rf"X must not have masked entries, got one in X\[{row}\]"):
        as_known(masked)
    with pytest.raises(ValueError, match=r"X\[1\] must not have masked entries, got one in X\[1\]\[0\]"):
        as_rows([WAVES[0], np.ma.masked_array(WAVES[1], mask=np.ones_like(WAVES[1]))])
    for rows in ([TABLE[0], masked[row]], [TABLE[0], np.ma.masked]):
        with pytest.raises(ValueError, match=r"X\[1\] must not have masked entries"):
            as_known(rows)
    unmasked = np.ma.masked_array(TABLE)
    assert as_known(unmasked) is unmasked


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_tensors_without_numbers_of_their_own_are_refused():
    meta = torch.zeros(3, 2, device="meta")
    for X, name in ((meta, "X"), ([meta], r"X\[0\]"), ([WAVES[0], meta], r"X\[1\]")):
        with pytest.raises(ValueError, match=f"{name} must hold numbers, got a tensor on the device 'meta'"):
            as_rows(as_known(X))
    for layout in (torch.strided, torch.jagged):
        nested = torch.nested.nested_tensor([torch.ones(3, 2)] * 2, layout=layout)
        with pytest.raises(
            ValueError, match=r"X must be a tensor of one shape, .* pass list\(X.unbind\(\)\)"
        ):
            as_known(nested)
    assert len(as_rows(as_known(list(nested.unbind())))) == 2  # the control


def test_memory_views_are_read_as_arrays():
    np.testing.assert_array_equal(as_known(memoryview(DENSE)), DENSE)
    assert layout_of(as_known(memoryview(DENSE))) == layout_of(DENSE) == Layout(3)


def test_rows_of_decimals_and_tensors_have_the_layout_of_numbers():
    assert layout_of([[Decimal(1), Decimal(2)]] * 2) == layout_of([[1.0, 2.0]] * 2) == Layout(2)
    assert not holds_trees([[Decimal(1), Decimal(2)]] * 2)
    assert layout_of([torch.tensor(ids) for ids in IDS]) == layout_of(IDS) == Layout(2, True, True)
    floats = [wave[:, 0] for wave in WAVES]
    assert layout_of([torch.tensor(wave) for wave in floats]) == layout_of(floats) == Layout(2, True, False)


def test_negated_views_of_tensors_become_arrays():
    view = torch._neg_view(torch.tensor(TABLE))
    assert view.is_neg()
    np.testing.assert_array_equal(to_numpy(view), -TABLE)
