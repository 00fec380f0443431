"""Metadata of exported nets: a changed file is refused, and so are invalid values with a valid digest."""

import json

import numpy as np
import onnx
import pytest
from fuzzing_files import places_in, read_seed
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import BRACKETS, TEXTS, Y, quick
from sklearn.pipeline import make_pipeline

from sklearn_tree import RecursiveNetClassifier, RNNRegressor, TreeParser, TreeVectorizer
from sklearn_tree.export import to_onnx
from sklearn_tree.serve import OnnxClassifier, OnnxRegressor


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    steps = [
        TreeParser("brackets"),
        TreeVectorizer(),
        quick(RecursiveNetClassifier, hidden_size=2, embedding_dim=2),
    ]
    to_onnx(make_pipeline(*steps).fit(BRACKETS, Y), folder / "classifier.onnx")
    to_onnx(quick(RNNRegressor, hidden_size=2, embedding_dim=2).fit(TEXTS, Y), folder / "regressor.onnx")
    return folder


def open_file(path):
    """Open a file as what its name says and score with it."""
    is_classifier = path.name.startswith("classifier")
    model = (OnnxClassifier if is_classifier else OnnxRegressor)(path)
    return model.predict_proba(BRACKETS) if is_classifier else model.predict(TEXTS)


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_changed_bytes_are_refused(files, name, tmp_path):
    content = (files / f"{name}.onnx").read_bytes()
    path = tmp_path / f"{name}.onnx"

    @given(st.integers(0, len(content) - 1), st.integers(1, 255), st.integers(0, 20))
    @settings(max_examples=150)
    def changes_are_refused(position, change, n):
        changed = bytearray(content)
        changed[position] ^= change
        del changed[position + 1 : position + 1 + n]
        path.write_bytes(bytes(changed))
        with pytest.raises(ValueError, match=r"damaged|without a digest"):
            open_file(path)

    changes_are_refused()
    path.write_bytes(content)
    assert len(open_file(path))  # control: the unchanged file is accepted


@pytest.mark.parametrize("content", [b"", b"onnx", b'"digest": "', b'{"digest": "' + b"0" * 64])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "classifier.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"classifier.onnx: the file"):
        open_file(tmp_path / "classifier.onnx")


def forge(source, target, change):
    """Write a file with changed metadata and a valid digest."""
    write, state = read_seed(source)
    change(state)
    write(target, state)


def edit(*keys, value=None, delete=False):
    """Return a change of one entry of nested dicts and lists."""

    def change(state):
        for key in keys[:-1]:
            state = state[key]
        if delete:
            del state[keys[-1]]
        else:
            state[keys[-1]] = value

    return change


def deep_list(depth):
    """Return nested lists."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


CHANGES = {
    "format": (edit("format", value=2), "must have the format 1"),
    "missing field": (edit("version", delete=True), "must have the fields"),
    "further field": (edit("code", value="import os"), "must have the fields"),
    "unknown kind": (edit("kind", "name", value="os.system"), "must be one of"),
    "other kind": (edit("kind", "name", value="Images"), "must have the fields"),
    "vocabulary": (edit("kind", "state", "labels", value=["a", "a"]), "all different"),
    "columns": (edit("kind", "state", "n_columns", value=-1), "must be an int"),
    "unknown target": (edit("target", "name", value="x"), "must be one of"),
    "other target": (edit("target", "name", value="numbers"), "must have the fields"),
    "dtype": (edit("target", "classes", 0, "dtype", value="O8"), "must be one of"),
    "classes": (edit("target", "classes", 0, "values", value=["a", 1]), "must be an int"),
    "number of classes": (
        edit("target", "classes", 0, "values", value=[1, 2, 3]),
        "must be those of the target",
    ),
    "large number": (edit("target", "temperatures", value=[10**400]), "must be a finite number"),
    "long class": (
        edit("target", "classes", 0, value={"dtype": "str", "values": ["x" * 10**5, *map(str, range(2000))]}),
        "must not hold a class of 100000 characters",
    ),
    "deep list": (edit("kind", "state", "labels", value=deep_list(900)), "must be a str"),
    "labels of edges": (edit("kind", "state", "edge_labels", value=["<pad>", "<unk>"]), "or neither"),
    "no classes": (edit("target", "classes", value=[]), "list of 1 items"),
    "temperature": (edit("target", "temperatures", value=[0.0]), "must be > 0"),
    "temperatures": (edit("target", "temperatures", value=[1.0, 1.0]), "list of 1 items"),
    "unknown step": (edit("steps", 0, "name", value="Pipeline"), "must be one of"),
    "spacy": (edit("steps", 0, "params", "format", value="spacy"), "must be one of"),
    "parameter": (edit("steps", 1, "params", "model", value="/etc"), "must have the fields"),
    "nested parameter": (edit("steps", 1, "params", "split", value={"a": 1}), "dict of str"),
    "bad parameter": (edit("steps", 1, "params", "min_df", value="x"), "min_df"),
    "further vocabulary": (edit("steps", 1, "vocabularies", "__class__", value=[]), "must have some of"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_invalid_metadata_are_refused(files, name, tmp_path):
    change, match = CHANGES[name]
    forge(files / "classifier.onnx", tmp_path / "classifier.onnx", change)
    with pytest.raises(ValueError, match=match):
        open_file(tmp_path / "classifier.onnx")


@pytest.mark.parametrize("value", [[1], None, [0.0], ["1"], [1.0, 2.0]])
def test_invalid_statistics_are_refused(files, value, tmp_path):
    change = edit("target", "scale", value=value)
    forge(files / "regressor.onnx", tmp_path / "regressor.onnx", change)
    if value == [1]:
        assert len(open_file(tmp_path / "regressor.onnx"))
    else:
        with pytest.raises(ValueError, match=r"target\.scale"):
            open_file(tmp_path / "regressor.onnx")


def values(max_leaves=6):
    """Return a strategy for values of JSON."""
    leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=3)
    return st.recursive(
        leaves,
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3), x),
        max_leaves=max_leaves,
    )


@pytest.mark.filterwarnings("ignore:at least half of the tokens")
@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_random_values_give_an_error_or_a_model(files, name, tmp_path):
    state = json.loads(onnx.load(files / f"{name}.onnx").metadata_props[0].value)
    paths = [path for path in places_in(state) if path[0] != "digest"]

    @given(st.sampled_from(paths), values())
    @settings(max_examples=100)
    def values_are_refused_or_accepted(path, value):
        forge(files / f"{name}.onnx", tmp_path / f"{name}.onnx", edit(*path, value=value))
        try:
            outputs = open_file(tmp_path / f"{name}.onnx")
        except (TypeError, ValueError):
            return
        assert np.isfinite(outputs).all()

    values_are_refused_or_accepted()
