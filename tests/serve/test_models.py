"""Models that score with exported nets: batches, threads, pickles, errors."""

import json
import pickle
import sys

import numpy as np
import onnx
import pytest
from onnx_helpers import assert_close, logits, serve, shaken
from samples import BRACKETS, ESTIMATORS, TABLE, TEXTS, Y, quick
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    Tree,
)
from sklearn_tree.export import to_onnx
from sklearn_tree.kinds import PairArray, Tokens, Trees
from sklearn_tree.serve import OnnxClassifier, OnnxRegressor
from sklearn_tree.serve.metadata import KEY, seal
from sklearn_tree.serve.models import split_into_batches
from sklearn_tree.serve.states import FAMILIES


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "net.onnx"
    to_onnx(quick(RNNClassifier).fit(TEXTS, Y), path)
    return path


def test_batches_cover_all_samples_once_and_are_small():
    texts = [" ".join(["it"] * n) for n in np.random.RandomState(0).randint(0, 900, 50)]
    kind = Tokens()
    encoded = kind.fit(texts)
    batches = list(split_into_batches(kind, encoded))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(50))
    assert len(batches) > 3
    assert all(len(rows) * encoded.sizes[rows].max() <= 4096 for rows in batches)


def test_a_sample_that_exceeds_the_limit_is_a_batch():
    kind = Trees()
    encoded = kind.fit([Tree(["a"] * 30_000, [-1] + [0] * 29_999), Tree(["a"], [-1])])
    assert sorted(rows.tolist() for rows in split_into_batches(kind, encoded)) == [[0], [1]]


def test_outputs_are_in_the_order_of_the_samples_in_any_batches(tmp_path):
    X = ["(S it works)", "(S (S (S it)) fails)", "(it)", *BRACKETS] * 400
    net = shaken(RecursiveNetClassifier, BRACKETS, Y)
    model = serve(net, tmp_path / "net.onnx")
    assert_close(logits(model, X), logits(net, X))


def test_threads_iterators_and_paths(path):
    one, two = OnnxClassifier(path), OnnxClassifier(str(path), n_threads=2)
    assert_close(two.predict_proba(iter(TEXTS)), one.predict_proba(TEXTS))
    for n_threads in (0, True, 1.5):
        with pytest.raises(ValueError, match="n_threads must be an int >= 1"):
            OnnxClassifier(path, n_threads=n_threads)


def test_pickles_and_clones_open_the_file_again(path):
    model = OnnxClassifier(path)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model)):
        np.testing.assert_array_equal(copy.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert len(pickle.dumps(model)) < 500
    assert repr(model).startswith("OnnxClassifier(path=")


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint16, np.int32, np.int64, np.float32, np.float64, "U1"]
)
def test_classes_keep_their_dtype(dtype, tmp_path):
    y = Y.astype(dtype)
    model = serve(quick(RNNClassifier).fit(TEXTS, y), tmp_path / "net.onnx")
    assert model.classes_.dtype == np.unique(y).dtype
    np.testing.assert_array_equal(model.classes_, np.unique(y))


def test_encoded_pairs_are_scored(tmp_path, monkeypatch):
    vectorizer = SequenceVectorizer().fit(TEXTS)
    X = PairArray.from_columns(vectorizer.transform(TEXTS), vectorizer.transform(TEXTS[::-1]))
    net = shaken(RNNClassifier, X, Y)
    model = serve(net, tmp_path / "net.onnx")
    expected = logits(net, X)
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "pandas", None)
        assert_close(logits(model, X), expected)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(PairArray(X.items, ("left", "right")))


def test_score_is_the_accuracy(path):
    model = OnnxClassifier(path)
    assert model.score(TEXTS, Y) == np.mean(model.predict(TEXTS) == Y)


def test_the_wrong_class_is_refused(path, tmp_path):
    with pytest.raises(ValueError, match="holds a RNNClassifier: open it with OnnxClassifier"):
        OnnxRegressor(path)
    to_onnx(quick(RNNRegressor).fit(TEXTS, Y), tmp_path / "net.onnx")
    with pytest.raises(ValueError, match="open it with OnnxRegressor"):
        OnnxClassifier(tmp_path / "net.onnx")


def test_errors_are_those_of_the_estimator(path, tmp_path):
    net = quick(CNNClassifier).fit(TABLE, Y)
    table = serve(net, tmp_path / "net.onnx")
    for X in (TABLE[:, :2], np.full((2, 4), np.nan)):
        with pytest.raises((TypeError, ValueError)) as expected:
            net.predict(X)
        with pytest.raises(expected.type) as actual:
            table.predict(X)
        assert str(actual.value) == str(expected.value)
    with pytest.raises(ValueError, match="must hold texts"):
        OnnxClassifier(path).predict([[1, 2], [3]])


def test_outputs_that_are_not_finite_are_refused(tmp_path):
    net = quick(CNNClassifier).fit(TABLE, Y)
    model = serve(net, tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=r"not finite for X\[1\]; the largest number in this row is 1e\+300"):
        model.predict(np.array([[0.0] * 4, [1e300] * 4]))


def test_a_missing_file_or_package(path, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        OnnxClassifier(tmp_path / "none.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install onnxruntime"):
        OnnxClassifier(path)


def test_scikit_learn_takes_the_model_as_fitted(path):
    model = OnnxClassifier(path)
    check_is_fitted(model)
    assert model.fit() is model
    np.testing.assert_array_equal(make_pipeline(model).predict(TEXTS), model.predict(TEXTS))


def test_changed_parameters_open_the_file_again(path, tmp_path):
    other = quick(RNNClassifier, random_state=1).fit(TEXTS, np.where(Y, "a", "b"))
    to_onnx(other, tmp_path / "other.onnx")
    model = OnnxClassifier(path)
    model.set_params(path=tmp_path / "other.onnx")
    assert model.classes_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="n_threads must be an int >= 1, got -3"):
        model.set_params(n_threads=-3)
    assert model.n_threads == 1


def test_errors_name_the_kind_that_fit_would_recognize(path):
    with pytest.raises(ValueError, match="got 'table': pass input_kind='table' to RNNClassifier"):
        OnnxClassifier(path).predict([1, 2])


def test_kinds_of_the_families_are_those_of_the_estimators():
    for cls in ESTIMATORS:
        family = next(name for name in FAMILIES if cls.__name__.startswith(name))
        assert FAMILIES[family] == cls._kinds


def test_tensors_in_other_files_are_not_read(path, tmp_path, monkeypatch):
    model = onnx.load(path)
    tensor = next(x for x in model.graph.initializer if x.data_type == onnx.TensorProto.FLOAT)
    (tmp_path / "secret.bin").write_bytes(tensor.raw_data)
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": "secret.bin", "offset": "0", "length": str(size)}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    metadata = {prop.key: prop.value for prop in model.metadata_props}
    digest = json.loads(metadata[KEY])["digest"]
    onnx.helper.set_model_props(model, {KEY: metadata[KEY].replace(digest, "0" * 64)})
    (tmp_path / "net.onnx").write_bytes(seal(model.SerializeToString()))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="the graph of the file is invalid"):
        OnnxClassifier("net.onnx")
