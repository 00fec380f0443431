"""Laws of every kind of samples."""

import copy
import json
import pickle
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from samples import BRACKETS, DENSE, IDS, PIXELS, TABLE, TEXTS, TOKENS, TUPLES, WAVES

from sklearn_tree import RaggedArray, Tree, TreeVectorizer
from sklearn_tree.containers import is_tensor, to_numpy
from sklearn_tree.kinds import KINDS, Images, Kind, Series, StarTable, Table, Tokens, Trees

META, CPU = torch.device("meta"), torch.device("cpu")
LENGTHS = [len(tokens) for tokens in TOKENS]
SIZES = [Tree.from_any(tree).n_nodes for tree in TUPLES]
VALUED = [Tree(["a", "b"], [-1, 0], values=[None, float(i)]) for i in range(4)]
EDGED = [Tree(["a", "b", "b"], [-1, 0, 0], edges=[None, "x", str(i)]) for i in range(4)]
FRAME = pd.DataFrame(TABLE, columns=list("abcd"))


class Case(NamedTuple):
    """A kind, training samples, samples that leave another state, and sizes that are counted by hand."""

    kind: type[Kind]
    X: Any
    other: Any
    n_positions: Any
    cost: Any = None  # None if all samples cost the same


CASES = {
    "raw trees": Case(Trees, BRACKETS, ["(x (y z) works it)"], SIZES),
    "encoded trees": Case(Trees, TreeVectorizer().fit_transform(TUPLES), BRACKETS, SIZES),
    "deep trees": Case(Trees, ["(a b)", "(a (b c))", "(a)"], ["(c b)"], [2, 3, 1], [1, 2, 0]),
    "trees with values": Case(Trees, VALUED, ["(b c)"], [2] * 4),
    "trees with edges": Case(Trees, EDGED, ["(a b)"], [3] * 4),
    "texts": Case(Tokens, TEXTS, ["works it"], LENGTHS, LENGTHS),
    "ids": Case(Tokens, IDS, TEXTS, list(map(len, IDS)), list(map(len, IDS))),
    "series": Case(Series, DENSE, DENSE[..., :1], [7] * len(DENSE)),
    "ragged series": Case(Series, WAVES, [wave[:, :1] for wave in WAVES], list(map(len, WAVES)), list(map(len, WAVES))),
    "table": Case(Table, TABLE, TABLE[:, :3], [4] * len(TABLE)),
    "frame": Case(Table, FRAME, FRAME.rename(columns={"a": "e"}), [4] * len(TABLE)),
    "star table": Case(StarTable, TABLE, TABLE[:, :3], [5] * len(TABLE)),
    "star frame": Case(StarTable, FRAME, FRAME.rename(columns={"a": "e"}), [5] * len(TABLE)),
    "images": Case(Images, PIXELS[..., None], np.stack([PIXELS] * 3, axis=3), [30] * len(PIXELS)),
}  # fmt: skip
parametrized = pytest.mark.parametrize("name", CASES)


def fit(name):
    """Return a case, its fitted kind and the encoded samples."""
    case = CASES[name]
    kind = case.kind("Reader")
    return case, kind, kind.fit(case.X)


def content(encoded):
    """Return the columns of encoded samples that hold numbers or ids."""
    names = ("labels", "values", "edges") if hasattr(encoded, "parents") else ("values",)
    if isinstance(encoded, (np.ndarray, torch.Tensor)):
        return {"array": encoded}
    return {name: getattr(encoded, name) for name in names if getattr(encoded, name) is not None}


def equal(a, b):
    """Return whether two encodings are equal, dtypes and vocabulary sizes included."""
    if type(a) is not type(b) or len(a) != len(b):
        return False
    columns = content(a), content(b)
    if [c.dtype for c in columns[0].values()] != [c.dtype for c in columns[1].values()]:
        return False
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    return a == b and a.n_labels == b.n_labels


def encode(kind, X):
    """Return the encoded samples, or the error that refuses them."""
    try:
        return kind.encode(X)
    except (ValueError, TypeError) as error:
        return error


@parametrized
def test_encode_agrees_with_fit(name):
    case, kind, encoded = fit(name)
    assert equal(kind.encode(case.X), encoded)
    assert not equal(kind.encode(case.X), encoded[1:])  # the control


@parametrized
def test_a_state_restored_from_json_gives_equal_encodings(name):
    case, kind, encoded = fit(name)
    state = json.loads(json.dumps(kind.to_state()))
    assert equal(case.kind.from_state(state, "Reader").encode(case.X), encoded)
    assert case.kind.from_state(state, "Reader").to_state() == kind.to_state()
    other = case.kind("Reader")
    other.fit(case.other)
    restored = case.kind.from_state(json.loads(json.dumps(other.to_state())), "Reader")
    assert not equal(encode(restored, case.X), encoded)  # the control: the state of another fit


@parametrized
@pytest.mark.parametrize("copied", [lambda kind: pickle.loads(pickle.dumps(kind)), copy.deepcopy])
def test_copies_encode_equally_and_are_independent(name, copied):
    case, kind, encoded = fit(name)
    copy = copied(kind)
    kind.fit(case.other)  # leaves the copy as it was
    assert equal(copy.encode(case.X), encoded)
    assert not equal(encode(kind, case.X), encoded)  # the control


@parametrized
def test_a_second_fit_forgets_the_first(name):
    case, kind, encoded = fit(name)
    kind.fit(case.other)
    assert equal(kind.fit(case.X), encoded)
    assert kind.to_state() == fit(name)[1].to_state()


@parametrized
def test_n_positions_and_cost_match_values_counted_by_hand(name):
    case, kind, encoded = fit(name)
    assert list(kind.n_positions(encoded)) == list(case.n_positions)
    cost = kind.cost(encoded)
    assert (cost if cost is None else list(cost)) == case.cost
    assert kind.cost(encoded[:1]) is None  # a single sample costs as much as itself
    assert kind.cost(encoded[:0]) is None


@parametrized
def test_n_bytes_is_the_size_of_the_content(name):
    _, kind, encoded = fit(name)
    assert kind.n_bytes(encoded) == sum(column.nbytes for column in content(encoded).values()) > 0
    assert kind.n_bytes(encoded[:2]) + kind.n_bytes(encoded[2:]) == kind.n_bytes(encoded)


@parametrized
def test_magnitude_is_the_largest_absolute_number_of_a_sample(name):
    case, kind, encoded = fit(name)
    for samples in (encoded, kind.to(encoded, CPU)):
        magnitudes = [kind.magnitude(samples, row) for row in range(3)]
        if content(encoded).keys() & {"values", "array"} and case.kind is not Tokens:
            rows = [np.abs(np.asarray(_numbers(case.X, row), dtype=float)).max() for row in range(3)]
            assert magnitudes == pytest.approx(rows)
            assert len(set(rows)) == 3  # the control
        else:
            assert magnitudes == [None] * 3


def _numbers(X, row):
    """Return the numbers of a sample as the user has them."""
    sample = X.iloc[row] if hasattr(X, "iloc") else X[row]
    return [value for value in sample.values if value is not None] if isinstance(sample, Tree) else sample


@parametrized
def test_the_content_moves_to_a_device_and_the_structure_stays(name):
    _, kind, encoded = fit(name)
    moved = kind.to(encoded, META)
    assert {column.device for column in content(moved).values()} == {META}
    for structure in ("offsets", "parents", "depths"):
        if hasattr(encoded, structure):
            assert isinstance(getattr(moved, structure), np.ndarray)
    assert len(moved) == len(encoded)
    assert not any(map(is_tensor, content(encoded).values()))  # the original is unchanged


@parametrized
def test_to_host_inverts_to(name):
    _, kind, encoded = fit(name)
    moved = kind.to(encoded, CPU)
    assert all(map(is_tensor, content(moved).values()))
    assert equal(kind.to_host(moved), encoded)
    assert equal(kind.to_host(encoded), encoded)
    for column in content(moved).values():
        column.zero_()  # tensors share no memory with the user's arrays
    assert equal(kind.to_host(encoded), encoded)


@parametrized
def test_to_converts_floats_only(name):
    _, kind, encoded = fit(name)
    moved = content(kind.to(encoded, CPU, torch.float16))
    for key, column in content(encoded).items():
        expected = torch.float16 if column.dtype.kind == "f" else torch.from_numpy(column[:1].copy()).dtype
        assert moved[key].dtype == expected


@parametrized
def test_a_batch_holds_the_given_rows(name):
    _, kind, encoded = fit(name)
    assert len(kind.batch(encoded, np.array([2, 0, 1]))) == 3
    batch = kind.batch(encoded, np.array([0, 1, 2]))
    assert _columns_equal(batch, kind.batch(encoded[[2, 1, 0]], np.array([2, 1, 0])))
    assert not _columns_equal(batch, kind.batch(encoded, np.array([1, 1, 1])))  # the control


def _columns_equal(a, b):
    """Return whether the labels and values of two batches are equal."""
    columns = ([getattr(batch, name, None) for name in ("labels", "values", "edges")] for batch in (a, b))
    return all(
        x is y if x is None or y is None else np.array_equal(x, y, equal_nan=x.is_floating_point())
        for x, y in zip(*columns)
    )


@parametrized
def test_batches_of_tensors_equal_batches_of_arrays(name):
    _, kind, encoded = fit(name)
    rows = np.array([1, 0])
    assert _columns_equal(kind.batch(kind.to(encoded, CPU), rows), kind.batch(encoded, rows))
    assert kind.batch(encoded, rows).to("meta").sample_weight is None


@parametrized
def test_samples_of_weight_zero_do_not_change_the_statistics(name):
    _, kind, encoded = fit(name)
    weight = np.ones(len(encoded))
    weight[2:] = 0
    weighted, part = kind.module_params(encoded, weight), kind.module_params(encoded[:2], None)
    shift = weighted.get("value_shift")
    if shift is None:
        assert part.get("value_shift") is None
        return
    np.testing.assert_allclose(shift, part["value_shift"])
    assert not np.allclose(shift, kind.module_params(encoded, None)["value_shift"])  # the control


@parametrized
def test_share_repeats_changes_no_content(name):
    _, kind, encoded = fit(name)
    assert equal(kind.share_repeats(encoded, 8), encoded)


@pytest.mark.parametrize("kind", [*KINDS, StarTable])
def test_names_and_aliases_are_unique(kind):
    names = [name for other in KINDS for name in (other.name, *other.aliases)]
    assert len(names) == len(set(names))
    assert kind.name in names


def test_an_empty_ragged_array_can_be_read():
    kind = Tokens()
    encoded = kind.fit(RaggedArray.from_sequences([[], []]))
    assert kind.n_positions(encoded).tolist() == [0, 0]
    assert to_numpy(kind.batch(encoded, np.arange(2)).lengths).tolist() == [0, 0]
