"""Scoring of batches by a model in a file."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from io_cases import CASES
from samples import BRACKETS, TABLE, TEXTS, Y, quick
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from user_cells import SoftSumCell

from sklearn_tree import (
    TRUSTED_TYPES,
    NetEncoder,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    Scorer,
    SequenceVectorizer,
    save,
)
from sklearn_tree.export import to_onnx

FRAME = pd.DataFrame({"id": np.arange(len(Y)), "text": TEXTS}, index=np.arange(100, 100 + len(Y)))


@pytest.fixture(scope="module")
def net():
    return quick(RNNClassifier).fit(TEXTS, np.where(Y, "yes", "no"))


@pytest.fixture(scope="module", params=[".safetensors", ".onnx", ".skops"])
def path(request, net, tmp_path_factory):
    """File of each format."""
    path = tmp_path_factory.mktemp("files") / f"net{request.param}"
    if request.param == ".skops":
        pytest.importorskip("skops.io").dump(net, path)
    else:
        {".onnx": to_onnx, ".safetensors": save}[request.param](net, path)
    return path


def test_frames_give_frames_with_their_index(path, net):
    scored = Scorer(path, column="text")(FRAME)
    assert list(scored) == ["prediction", "proba_no", "proba_yes"]
    assert scored.index.equals(FRAME.index)
    np.testing.assert_array_equal(scored.prediction, net.predict(TEXTS))
    np.testing.assert_allclose(scored[["proba_no", "proba_yes"]], net.predict_proba(TEXTS), atol=1e-5)
    assert list(Scorer(path, column="text", probabilities=False)(FRAME)) == ["prediction"]


def test_every_container_of_samples_is_scored(path):
    expected = Scorer(path)(TEXTS)
    batches = [np.array(TEXTS), pd.Series(TEXTS), pl.Series(TEXTS), FRAME[["text"]].reset_index(drop=True)]
    for batch in batches:
        pd.testing.assert_frame_equal(Scorer(path)(batch), expected)
    for batch in ({"text": np.array(TEXTS)}, pl.DataFrame({"text": TEXTS, "id": range(len(Y))})):
        pd.testing.assert_frame_equal(Scorer(path, column="text")(batch), expected)


def test_a_pickle_is_small_and_loads_the_model_again(path):
    scorer = Scorer(path, column="text")
    expected = scorer(FRAME)
    data = pickle.dumps(scorer)
    assert len(data) < 1000
    loaded = pickle.loads(data)
    assert loaded._model is None
    pd.testing.assert_frame_equal(loaded(FRAME), expected)
    assert loaded.model is loaded.model


def test_map_scores_an_iterator(path):
    scorer = Scorer(path, column="text")
    parts = [FRAME[:10], FRAME[:0], FRAME[10:]]
    scored = scorer.map(iter(parts))
    assert iter(scored) is scored
    pd.testing.assert_frame_equal(pd.concat(scored), scorer(FRAME), rtol=1e-4)


def test_empty_batches_give_empty_frames_of_the_same_columns(path):
    scorer = Scorer(path, column="text")
    empty, scored = scorer(FRAME[:0]), scorer(FRAME)
    assert len(empty) == 0
    assert list(empty) == list(scored)
    assert empty.dtypes.equals(scored.dtypes)
    assert len(scorer({"text": np.array([], dtype=object)})) == 0


def test_threads_load_the_model_once(path, monkeypatch):
    loads, scorer = [], Scorer(path, column="text")
    load_model = Scorer._load
    monkeypatch.setattr(Scorer, "_load", lambda self: loads.append(1) or load_model(self))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(scorer, [FRAME] * 4))
    assert len(loads) == 1
    for result in results[1:]:
        pd.testing.assert_frame_equal(result, results[0])


COLUMNS = {
    "one class": ["prediction", "proba_no", "proba_yes"],
    "labels": ["prediction_0", "prediction_1", "proba_0", "proba_1"],
    "columns of classes": [
        "prediction_0",
        "prediction_1",
        *(f"proba_0_{i}" for i in (1, 2)),
        *(f"proba_1_{i}" for i in range(3)),
    ],
    "numbers": ["prediction"],
    "columns of numbers": ["prediction_0", "prediction_1"],
}


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("RNN") and ", tokens" in name])
def test_columns_are_named_after_outputs_and_classes(name, tmp_path):
    cls, X, y = CASES[name]
    save(quick(cls).fit(X, y), tmp_path / "net")
    assert list(Scorer(tmp_path / "net", device="cpu")(X)) == COLUMNS[name.split(", ")[2]]


def test_tables_and_pairs_have_several_columns(tmp_path):
    names = list("abcd")
    frame = pd.DataFrame(TABLE, columns=names)
    save(quick(RNNRegressor).fit(frame, Y / 1.0), tmp_path / "net")
    scored = Scorer(tmp_path / "net", column=names, device="cpu")(frame.assign(id=1))
    assert scored.prediction.to_numpy().shape == (len(Y),)


def test_cells_and_pipelines(tmp_path):
    net = quick(RecursiveNetClassifier, cell=SoftSumCell).fit(BRACKETS, Y)
    save(net, tmp_path / "net")
    assert len(Scorer(tmp_path / "net", cells=[SoftSumCell], device="cpu")(BRACKETS)) == len(Y)
    pipe = make_pipeline(StandardScaler(), quick(RNNClassifier)).fit(TABLE, Y)
    pytest.importorskip("skops.io").dump(pipe, tmp_path / "pipe.skops")
    scored = Scorer(tmp_path / "pipe.skops")(TABLE)
    np.testing.assert_allclose(scored[["proba_0", "proba_1"]], pipe.predict_proba(TABLE))


def test_missing_files_and_columns_are_named(path):
    with pytest.raises(FileNotFoundError, match="missing"):
        Scorer("missing.safetensors")(TEXTS)
    with pytest.raises(KeyError, match=r"column 'txt' must be one of the columns \['id', 'text'\]"):
        Scorer(path, column="txt")(FRAME)


@pytest.mark.parametrize(
    "wrap", [lambda net: net, lambda net: make_pipeline("passthrough", FrozenEstimator(net))]
)
def test_the_net_of_a_saved_classifier_runs_once(net, wrap, tmp_path, monkeypatch):
    calls, scorer = [], Scorer(tmp_path / "net.skops", column="text")
    pytest.importorskip("skops.io").dump(wrap(net), scorer.path)
    run = RNNClassifier._run_encoded
    monkeypatch.setattr(
        RNNClassifier, "_run_encoded", lambda self, *args, **kw: calls.append(1) or run(self, *args, **kw)
    )
    scored = scorer(FRAME)
    assert len(calls) == 1
    np.testing.assert_allclose(scored[["proba_no", "proba_yes"]], net.predict_proba(TEXTS))


def test_nets_inside_other_estimators_are_scored(net, tmp_path):
    stack = make_pipeline(net, LogisticRegression()).fit(TEXTS, Y)
    scaled = TransformedTargetRegressor(quick(RNNRegressor), func=np.log, inverse_func=np.exp)
    scaled.fit(TEXTS, 1.0 + Y)
    for model, columns in ((stack, ["prediction", "proba_0", "proba_1"]), (scaled, ["prediction"])):
        pytest.importorskip("skops.io").dump(model, tmp_path / "model.skops")
        scorer = Scorer(tmp_path / "model.skops")
        scorer._model = model  # skops asks for the functions by name
        scored = scorer(TEXTS)
        assert list(scored) == columns
        np.testing.assert_array_equal(scored.prediction, model.predict(TEXTS))
        empty = scorer([])
        assert (len(empty), list(empty), empty.prediction.dtype) == (0, columns, scored.prediction.dtype)


def test_exported_nets_are_scored_without_torch(net, tmp_path):
    to_onnx(net, tmp_path / "net.onnx")
    scorer = Scorer(tmp_path / "net.onnx", column="text")
    (tmp_path / "scorer.pickle").write_bytes(pickle.dumps(scorer))
    script = """
import pickle, sys
import pandas as pd

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
scorer = pickle.load(open(sys.argv[1], "rb"))
frame = pd.DataFrame({"text": ["it works", "it fails"]})
assert len(scorer(frame)) == 2 and len(scorer(frame[:0])) == 0
assert "skorch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script, tmp_path / "scorer.pickle"], check=True)


def test_further_types_of_skops_are_trusted_by_name(tmp_path):
    skops = pytest.importorskip("skops.io")
    search = GridSearchCV(quick(RNNClassifier), {"lr": [0.01, 0.1]}, cv=2).fit(TEXTS, Y)
    skops.dump(search, tmp_path / "search.skops")
    types = set(skops.get_untrusted_types(file=tmp_path / "search.skops")) - set(TRUSTED_TYPES)
    scored = Scorer(tmp_path / "search.skops", trusted=sorted(types))(TEXTS)
    np.testing.assert_array_equal(scored.prediction, search.predict(TEXTS))
    with pytest.raises(
        skops.exceptions.UntrustedTypesFoundException if hasattr(skops, "exceptions") else TypeError
    ):
        Scorer(tmp_path / "search.skops")(TEXTS)


def test_empty_batches_of_doubles_and_strings_have_the_same_types(tmp_path):
    y = np.where(Y, "yes", "no").astype(object)
    save(quick(RNNClassifier).fit(TABLE.astype(np.float64), y), tmp_path / "net")
    scorer = Scorer(tmp_path / "net", device="cpu")
    frame = pd.DataFrame(TABLE)
    assert scorer(frame[:0]).dtypes.equals(scorer(frame).dtypes)


def test_a_file_without_a_model_is_refused(tmp_path):
    save(SequenceVectorizer().fit(TEXTS), tmp_path / "vectorizer")
    with pytest.raises(TypeError, match="vectorizer must hold an estimator, got a SequenceVectorizer"):
        Scorer(tmp_path / "vectorizer")(TEXTS)


BATCHES = {
    "Table": pa.Table.from_pandas,
    "RecordBatch": lambda frame: pa.Table.from_pandas(frame).to_batches()[0],
    "dict of arrays": lambda frame: {name: column.to_numpy() for name, column in frame.items()},
    "dict of Arrow arrays": lambda frame: {name: pa.array(column) for name, column in frame.items()},
}


@pytest.mark.parametrize("column", [None, ["text", "id"]])
@pytest.mark.parametrize("name", BATCHES)
def test_batches_with_several_columns_reach_a_column_transformer(name, column):
    encoder = NetEncoder(quick(RNNClassifier), cv=2, random_state=0)
    columns = ColumnTransformer([("text", encoder, "text"), ("id", "passthrough", ["id"])])
    frame = FRAME.reset_index(drop=True)
    scorer = Scorer("model.safetensors", column)
    scorer._model = make_pipeline(columns, StandardScaler(), LogisticRegression()).fit(frame, Y)
    found = scorer(BATCHES[name](frame))
    pd.testing.assert_frame_equal(found, scorer(frame))
    assert found["proba_1"].nunique() > 2
    pd.testing.assert_frame_equal(scorer(frame[:0]), found[:0])


@pytest.mark.parametrize("wrap", [lambda model: model, make_pipeline])
@pytest.mark.parametrize(
    ("model", "y"),
    [
        (RandomForestClassifier(3), np.stack([Y, 1 - Y], 1).astype(str)),
        (MultiOutputClassifier(LogisticRegression()), np.stack([Y, 1 - Y], 1)),
        (RandomForestRegressor(3), np.stack([Y, 2.0 * Y], 1)),
        (LinearRegression(), np.stack([Y, 2.0 * Y, Y], 1)),
        (LinearRegression(), Y),
        (LogisticRegression(), np.arange(len(Y)) % 3),
    ],
)
def test_empty_batches_of_other_models_have_the_same_columns(model, y, wrap):
    scorer = Scorer("model.skops")
    scorer._model = wrap(clone(model)).fit(TABLE, y)
    pd.testing.assert_frame_equal(scorer(TABLE[:0]), scorer(TABLE)[:0])


def test_classes_of_any_string_type_are_exported(tmp_path):
    y = np.array([np.str_(name) for name in np.where(Y, "yes", "no")], dtype=object)
    clf = quick(RNNClassifier).fit(TEXTS, y)
    to_onnx(clf, tmp_path / "net.onnx")
    assert list(Scorer(tmp_path / "net.onnx")(TEXTS)["prediction"]) == list(clf.predict(TEXTS))


@pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas], ids=["pandas", "polars", "Arrow"]
)
def test_columns_to_join_by_are_kept(path, make):
    scorer = Scorer(path, "text", keep=["id"])
    batch = make(FRAME.reset_index(drop=True))
    found = pickle.loads(pickle.dumps(scorer))(batch)
    assert list(found) == ["id", *Scorer(path, "text")(batch)]
    np.testing.assert_array_equal(found["id"], FRAME["id"])
    assert list(scorer(FRAME[:0])) == list(found)
    assert scorer(FRAME[3:5])["id"].to_dict() == FRAME["id"][3:5].to_dict()
    with pytest.raises(KeyError, match="column 'key' must be one of the columns"):
        Scorer(path, "text", keep=["key"])(batch)


def test_batches_without_columns_are_refused(path):
    scorer = Scorer(path, "text")
    with pytest.raises(TypeError, match="batch must have the column 'text', got a Series: pass a frame, or"):
        scorer(FRAME["text"])
    with pytest.raises(
        TypeError, match=r"batch must be one batch, got an iterator of batches: pass scorer.map"
    ):
        scorer(iter([FRAME]))
