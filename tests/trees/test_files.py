"""Files of arrays hold the trees and sequences, are mapped into memory and are checked."""

import json
import pickle
import random
import sys
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from fuzzing_files import damage
from hypothesis import given
from hypothesis import strategies as st
from joblib._memmapping_reducer import get_memmapping_reducers
from joblib.externals.loky.backend.reduction import dumps
from safetensors import safe_open
from samples import BRACKETS, TEXTS, Y, outputs, quick
from sklearn.model_selection import GridSearchCV
from strategies import forests, trees_with_values_and_edges

from sklearn_tree import (
    RaggedArray,
    RecursiveNetClassifier,
    SequenceVectorizer,
    ToDevice,
    TreeArray,
    TreeVectorizer,
    load,
)
from sklearn_tree.trees import mapped as mapped_files

IDS = TreeVectorizer().fit_transform(BRACKETS)
ARRAYS = {
    "trees": TreeArray.from_trees(["(S (NP I) (VP run))", "(S x)", "(S (\ud800 é) )"]),
    "encoded trees": IDS,
    "tables": TreeArray.from_table(np.array([[1.5, np.nan], [3, 4]], np.float32)),
    "no trees": IDS[:0],
    "tokens": RaggedArray.from_sequences([["a", "b"], [], ["b", ""]]),
    "ids": SequenceVectorizer().fit_transform(TEXTS),
    "ids of words with vectors": RaggedArray([2, 5], [0, 1, 2], n_labels=6).replace(
        n_labels=5, vectors=np.ones((1, 3), np.float32)
    ),
    "series": RaggedArray(np.arange(12, dtype=np.float32).reshape(4, 3), [0, 1, 1, 4]),
    "empty texts": RaggedArray.from_sequences([[], []]),
    "sparse ids": RaggedArray([2, 2**30], [0, 1, 2]),
}


def opened(array, path, **options):
    """Save an array and open the file."""
    array.save(path)
    return type(array).open(path, **options)


def header_of(path):
    """Return the header of a file and the bytes of its columns."""
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + n]), data[8 + n :]


def forge(path, header, data):
    """Write a file with a changed header or changed columns."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("name", ARRAYS)
def test_files_keep_everything(name, mmap, tmp_path):
    array = ARRAYS[name]
    restored = opened(array, tmp_path / "x", mmap=mmap)
    assert restored == array
    assert vars(restored).keys() == vars(array).keys()
    for field, value in vars(array).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(restored, field), value)
            assert getattr(restored, field).dtype == value.dtype
        else:
            assert getattr(restored, field) == value, field


@given(st.one_of(forests(), st.lists(trees_with_values_and_edges(), min_size=1, max_size=4)), st.data())
def test_indexing_of_mapped_trees_agrees_with_the_array(forest, data):
    array = TreeArray.from_trees(forest)
    with TemporaryDirectory() as folder:
        mapped = opened(array, Path(folder) / "x")
        rows = data.draw(st.lists(st.integers(0, len(array) - 1), max_size=6))
        assert mapped[rows] == array[rows]
        assert mapped[1:] == array[1:]
        assert list(mapped) == forest


def test_columns_are_mapped_and_cannot_be_written_to(tmp_path):
    mapped = opened(IDS, tmp_path / "x")
    for name in ("labels", "depths", "parents", "offsets"):
        column = getattr(mapped, name)
        assert type(column) is np.ndarray
        assert isinstance(column.base.base, np.memmap)
        assert column.flags.aligned
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1
    in_memory = TreeArray.open(tmp_path / "x", mmap=False)
    assert in_memory.labels.base is None  # the control
    assert not in_memory.labels.flags.writeable


def test_safetensors_reads_the_columns(tmp_path):
    IDS.save(tmp_path / "x")
    with safe_open(tmp_path / "x", "numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("labels"), IDS.labels)
        assert file.metadata()["format"] == "sklearn_tree.TreeArray"


def test_pickles_hold_the_selected_rows(tmp_path):
    trees = TreeArray.concatenate([IDS] * 200)
    mapped = opened(trees, tmp_path / "x")
    (tmp_path / "x").unlink()
    assert pickle.loads(pickle.dumps(mapped)) == trees
    assert len(pickle.dumps(mapped[:24])) < len(pickle.dumps(mapped)) / 50


def test_joblib_sends_the_path_of_mapped_trees_to_its_workers(tmp_path):
    trees = TreeArray.concatenate([IDS] * 1000)
    mapped = opened(trees, tmp_path / "x")
    reducers, _ = get_memmapping_reducers(max_nbytes=None)
    tasks = [bytes(dumps(array, reducers=reducers)) for array in (mapped, mapped[10:-10], trees)]
    assert len(tasks[0]) < 3000
    assert len(tasks[1]) < 3000 + mapped.offsets.nbytes  # the offsets of a slice are copied: they start at 0
    assert len(tasks[2]) > 12 * trees.n_nodes  # the control
    received = pickle.loads(tasks[0])
    assert isinstance(received.labels, np.memmap)
    assert received.labels.filename == str(tmp_path / "x")
    assert received == trees


def test_a_search_in_two_processes_over_mapped_trees_equals_one_over_trees_in_memory(tmp_path):
    mapped = opened(IDS, tmp_path / "x")
    scores = [
        GridSearchCV(quick(RecursiveNetClassifier), {"lr": [0.01, 0.1]}, cv=2, n_jobs=n_jobs)
        .fit(X, Y)
        .cv_results_["mean_test_score"]
        for X, n_jobs in ((mapped, 2), (IDS, 1))
    ]
    np.testing.assert_array_equal(*scores)


def test_mapped_trees_are_fitted_as_trees_in_memory(tmp_path):
    mapped = opened(IDS, tmp_path / "x")
    one, two = (quick(RecursiveNetClassifier).fit(X, Y) for X in (mapped, IDS))
    np.testing.assert_array_equal(outputs(one, mapped[3:9]), outputs(two, IDS[3:9]))
    assert not np.array_equal(outputs(one, mapped[3:9]), outputs(two, IDS[4:10]))  # the control


def test_tensors_of_mapped_trees_are_not_written_to(tmp_path):
    mapped = opened(ARRAYS["tables"], tmp_path / "x")
    moved = ToDevice("cpu", dtype="float64").fit_transform(mapped)
    assert moved == mapped


# Damaged and hostile files.


CHANGES = {
    "another class": (
        lambda h: h["__metadata__"].update(format="sklearn_tree"),
        "it is not a file of TreeArray",
    ),
    "a later version": (lambda h: h["__metadata__"].update(version="2"), "format version '2' is not known"),
    "no metadata": (lambda h: h.pop("__metadata__"), "it is not a file of TreeArray.save"),
    "no sizes": (lambda h: h["__metadata__"].pop("sizes"), "sizes"),
    "other sizes": (lambda h: h["__metadata__"].update(sizes="{}"), "its header must have the sizes"),
    "a large size": (
        lambda h: h["__metadata__"].update(sizes=json.dumps({"n_labels": 2**40, "n_edge_labels": None})),
        r"n_labels must be an int in \[0, 2\*\*31\], got 1099511627776",
    ),
    "a small size": (
        lambda h: h["__metadata__"].update(sizes=json.dumps({"n_labels": 3, "n_edge_labels": None})),
        r"items 0 to 23: labels must be in \[0, 3\)",
    ),
    "no labels": (lambda h: h.pop("labels"), "column 'labels' is missing"),
    "an unknown column": (lambda h: h.update(code=h["labels"]), "column 'code' is unknown"),
    "another dtype": (lambda h: h["labels"].update(dtype="F32"), "column 'labels' has the dtype float32"),
    "an unknown dtype": (lambda h: h["labels"].update(dtype="V8"), "V8"),
    "a large shape": (
        lambda h: h["labels"].update(shape=[2**62]),
        "column 'labels' has 18446744073709551616 bytes",
    ),
    "a negative shape": (lambda h: h["labels"].update(shape=[-1]), r"column 'labels' has the shape \[-1\]"),
    "a shape of floats": (lambda h: h["labels"].update(shape=[0.5]), "column 'labels' has the shape"),
    "offsets after the end": (
        lambda h: h["labels"].update(data_offsets=[n + 10**6 for n in h["labels"]["data_offsets"]]),
        "column 'labels' has .* bytes at",
    ),
    "no alignment": (
        lambda h: h["labels"].update(data_offsets=[n + 1 for n in h["labels"]["data_offsets"]]),
        "column 'labels' is not aligned",
    ),
    "exchanged columns": (
        lambda h: h.update(labels=h["parents"], parents=h["labels"]),
        "items 0 to 23: labels must be in",
    ),
    "other parents": (
        lambda h: h.update(parents=h["depths"]),
        "items 0 to 23: parents must agree with depths",
    ),
    "a list": (lambda h: h.update(labels=[]), "cannot be opened"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_forged_headers_are_refused(name, tmp_path):
    change, message = CHANGES[name]
    IDS.save(tmp_path / "x")
    header, data = header_of(tmp_path / "x")
    forge(tmp_path / "x", header, data)
    assert TreeArray.open(tmp_path / "x") == IDS  # the control
    change(header)
    forge(tmp_path / "x", header, data)
    with pytest.raises(ValueError, match=message):
        TreeArray.open(tmp_path / "x")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("offsets", -1, "offsets must start at 0"),
        ("depths", 5, "items 0 to 23: depths must be in preorder"),
        ("labels", -7, "items 0 to 23: labels must be in"),
    ],
)
def test_forged_rows_are_refused(column, value, message, tmp_path):
    IDS.save(tmp_path / "x")
    header, data = header_of(tmp_path / "x")
    begin, end = header[column]["data_offsets"]
    changed = np.frombuffer(data[begin:end], np.int64 if column == "offsets" else np.int32).copy()
    changed[0] = value
    forge(tmp_path / "x", header, data[:begin] + changed.tobytes() + data[end:])
    with pytest.raises(ValueError, match=message):
        TreeArray.open(tmp_path / "x")


def test_rows_of_all_blocks_are_validated(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped_files, "_BLOCK_SIZE", 20)
    assert opened(IDS, tmp_path / "x") == IDS
    depths = IDS.depths.copy()
    depths[-1] = 9
    with pytest.raises(ValueError, match=r"items 2[0-3] to 23: depths must be in preorder"):
        opened(IDS.replace(depths=depths), tmp_path / "x")
    assert len(TreeArray.open(tmp_path / "x", validate=False)) == 24  # the control


@pytest.mark.parametrize(
    "content", [b"", b"1234567", b"\xff" * 40, (2).to_bytes(8, "little") + b"[]", b"\0" * 90]
)
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match="x cannot be opened: "):
        TreeArray.open(tmp_path / "x")


def test_files_of_other_classes_are_refused(tmp_path):
    IDS.save(tmp_path / "x")
    with pytest.raises(ValueError, match=r"it is not a file of RaggedArray\.save"):
        RaggedArray.open(tmp_path / "x")
    with pytest.raises(ValueError, match=r"is not a file of sklearn_tree\.save"):
        load(tmp_path / "x")
    with pytest.raises(FileNotFoundError, match="y is not a file"):
        TreeArray.open(tmp_path / "y")


@pytest.mark.parametrize("name", ["trees", "encoded trees", "series", "tokens"])
def test_damaged_files_are_refused_or_hold_valid_arrays(name, tmp_path):
    array, rng, n_refused = ARRAYS[name], random.Random(0), 0
    array.save(tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    for _ in range(150):
        (tmp_path / "x").write_bytes(damage(data, rng))
        try:
            restored = type(array).open(tmp_path / "x")
        except ValueError:
            n_refused += 1
        else:
            type(array)(**{**vars(restored), "validate": True})
            list(restored)
    assert 75 < n_refused < 150


def test_opening_allocates_little_memory(tmp_path):
    trees = TreeArray.concatenate([IDS] * 2000)
    trees.save(tmp_path / "x")
    peaks = []
    for options in ({"validate": False}, {"mmap": False, "validate": False}):
        tracemalloc.start()
        TreeArray.open(tmp_path / "x", **options)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 100_000 < 12 * trees.n_nodes < peaks[1]  # the second is the control


def test_a_file_is_replaced_in_one_step(tmp_path):
    ids = ARRAYS["ids"]
    mapped = opened(ids, tmp_path / "x")
    ids[:2].save(tmp_path / "x")
    assert mapped == ids
    with pytest.raises(TypeError, match="values must hold numbers of at most 64 bits to be saved"):
        RaggedArray(np.ones((1, 2), np.longdouble), [0, 1]).save(tmp_path / "x")
    assert RaggedArray.open(tmp_path / "x") == ids[:2]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_missing_safetensors_gives_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(
        ImportError, match=r'files of arrays need safetensors: pip install "sklearn-tree\[save\]"'
    ):
        IDS.save(tmp_path / "x")
    assert not [*tmp_path.iterdir()]
