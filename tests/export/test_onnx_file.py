"""Files of exported estimators: kinds of samples, targets, pipelines and errors."""

import json
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx_helpers import assert_close, logits, serve, shake, shaken
from samples import BRACKETS, CONTAINERS, PIXELS, TABLE, TEXTS, TUPLES, WAVES, Y, outputs, quick
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    ToDevice,
    TreeParser,
    TreeVectorizer,
)
from sklearn_tree.export import NotExportableError, to_onnx, to_torch_export
from sklearn_tree.serve import OnnxClassifier

# Each container with one estimator, since all of a kind read it in the same way, and each kind with all.
CASES = [
    (sample.readers[i % len(sample.readers)], name) for i, (name, sample) in enumerate(CONTAINERS.items())
]
FIRST = {sample.kind: name for name, sample in reversed(CONTAINERS.items())}
CASES += [
    (cls, name) for name in FIRST.values() for cls in CONTAINERS[name].readers if (cls, name) not in CASES
]
COLUMNS = np.array([["a", 1], ["b", 2], ["a", 3]] * 8, dtype=object)
TARGETS = {
    "str": np.array(["no", "yes"])[Y],
    "bool": Y == 1,
    "int": Y * 3 - 1,
    "float": Y * 2.0,
    "three": np.arange(24) % 3,
    "labels": np.stack([Y, 1 - Y, Y * 0 + 1], axis=1),
    "columns": COLUMNS,
}


@pytest.mark.parametrize(("cls", "name"), CASES, ids=lambda x: getattr(x, "__name__", x))
def test_models_read_the_containers_of_the_estimators(cls, name, tmp_path):
    sample = CONTAINERS[name]
    net = shaken(cls, sample.X, Y, **sample.params)
    model = serve(net, tmp_path / "net.onnx")
    assert model.input_kind_ == sample.kind
    assert_close(outputs(model, sample.X), outputs(net, sample.X))


@pytest.mark.parametrize("calibrate", [None, "temperature"])
@pytest.mark.parametrize("name", TARGETS)
def test_models_predict_the_targets_of_the_estimators(name, calibrate, tmp_path):
    y = TARGETS[name]
    net = shake(quick(RNNClassifier, calibrate=calibrate).fit(TEXTS, y))
    model = serve(net, tmp_path / "net.onnx")
    predicted, expected = model.predict(TEXTS), net.predict(TEXTS)
    assert predicted.dtype == expected.dtype
    np.testing.assert_array_equal(predicted, expected)
    for method in ("predict_proba", "decision_function"):
        pairs = [getattr(estimator, method)(TEXTS) for estimator in (model, net)]
        pairs = pairs if isinstance(pairs[0], list) else [[part] for part in pairs]
        for actual, wanted in zip(*pairs, strict=True):
            assert_close(actual, wanted)
    found, wanted = (x.classes_ if isinstance(x.classes_, list) else [x.classes_] for x in (model, net))
    assert [x.tolist() for x in found] == [x.tolist() for x in wanted]
    assert [x.dtype for x in found] == [x.dtype for x in wanted]


@pytest.mark.parametrize("y", [Y * 1e6, np.stack([Y, Y * 2.0], axis=1), np.full(24, 3.0)])
@pytest.mark.parametrize("cls", [RecursiveNetRegressor, RNNRegressor, CNNRegressor])
def test_models_predict_numbers(cls, y, tmp_path):
    net = shaken(cls, TABLE, y)
    assert_close(serve(net, tmp_path / "net.onnx").predict(TABLE), net.predict(TABLE))


@pytest.mark.parametrize(
    ("cls", "first", "second"),
    [
        (RecursiveNetClassifier, TUPLES, TUPLES[::-1]),
        (RNNClassifier, TEXTS, TEXTS[::-1]),
        (CNNClassifier, WAVES, WAVES[::-1]),
    ],
)
def test_pairs_are_scored(cls, first, second, tmp_path):
    X = pd.DataFrame({"first": first, "second": second})
    params = {"pooling": "mean", "bidirectional": True} if cls is RecursiveNetClassifier else {}
    net = shaken(cls, X, Y, **params)
    model = serve(net, tmp_path / "net.onnx")
    assert list(model.feature_names_in_) == ["first", "second"]
    assert_close(logits(model, X), logits(net, X))


@pytest.mark.parametrize(
    ("steps", "X"),
    [
        ([SequenceVectorizer("chars", min_df=2), RNNClassifier], TEXTS),
        (
            [SequenceVectorizer(r"\w+", lowercase=False, max_length=3), CNNClassifier],
            pd.DataFrame({"t": TEXTS}),
        ),
        ([TreeVectorizer(binarize="left", inner_labels=False), RecursiveNetClassifier], BRACKETS),
        ([TreeParser("brackets"), TreeVectorizer(split="words"), RecursiveNetClassifier], BRACKETS),
        (
            [TreeParser("balanced", tokenizer="words"), RecursiveNetClassifier],
            [f"a {text}" for text in TEXTS],
        ),
        ([ToDevice("cpu"), CNNClassifier], TABLE),
    ],
    ids=lambda x: type(x[0]).__name__ if isinstance(x, list) else "",
)
def test_pipelines_are_scored(steps, X, tmp_path):
    pipe = make_pipeline(*steps[:-1], quick(steps[-1])).fit(X, Y)
    model = serve(pipe, tmp_path / "net.onnx")
    assert_close(model.predict_proba(X), pipe.predict_proba(X))
    assert hasattr(model, "feature_names_in_") == isinstance(X, pd.DataFrame)


def test_searches_are_exported(tmp_path):
    search = GridSearchCV(quick(RNNClassifier), {"lr": [0.1, 0.01]}, cv=2).fit(TEXTS, Y)
    to_onnx(search, tmp_path / "net.onnx")
    model = OnnxClassifier(tmp_path / "net.onnx")
    assert_close(model.predict_proba(TEXTS), search.predict_proba(TEXTS))


def tokenize(text):
    return text.split()


@pytest.mark.parametrize(
    ("estimator", "X", "match"),
    [
        (
            make_pipeline(SequenceVectorizer(tokenize), quick(RNNClassifier)),
            TEXTS,
            "tokenizer .* not be a function",
        ),
        (make_pipeline(StandardScaler(), quick(CNNClassifier)), TABLE, "got StandardScaler"),
        (make_pipeline(ToDevice("cpu", dtype="float32"), quick(CNNClassifier)), TABLE, "got ToDevice"),
    ],
)
def test_steps_that_a_file_cannot_hold_are_refused(estimator, X, match, tmp_path):
    estimator.fit(X, Y)
    with pytest.raises(NotExportableError, match=match):
        to_onnx(estimator, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_estimators_that_are_not_fitted_or_not_nets_are_refused(tmp_path):
    with pytest.raises(NotFittedError):
        to_onnx(RNNClassifier(), tmp_path / "net.onnx")
    with pytest.raises(TypeError, match="must be a net of sklearn_tree"):
        to_onnx(LogisticRegression().fit(TABLE, Y), tmp_path / "net.onnx")


def test_vectors_of_further_words_are_not_written(tmp_path):
    vectors = {word: np.arange(4.0) + i for i, word in enumerate(["it", "works", "new"])}
    net = quick(RNNClassifier, embeddings=vectors).fit(TEXTS, Y)
    with pytest.warns(UserWarning, match="words outside the vocabulary are unknown"):
        to_onnx(net, tmp_path / "net.onnx")
    model = OnnxClassifier(tmp_path / "net.onnx")
    assert_close(model.predict_proba(["it works"]), net.predict_proba(["it works"]))
    with pytest.warns(UserWarning, match="unknown"):
        assert_close(model.predict_proba(["new"]), model.predict_proba(["other"]))


def test_a_missing_package_gives_the_install_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-tree\[export\]"'):
        to_onnx(quick(RNNClassifier).fit(TEXTS, Y), tmp_path / "net.onnx")


def test_the_metadata_are_json_under_one_key(tmp_path):
    to_onnx(quick(CNNClassifier, input_kind="image").fit(PIXELS, Y), tmp_path / "net.onnx")
    properties = onnx.load(tmp_path / "net.onnx").metadata_props
    assert [prop.key for prop in properties] == ["sklearn_tree"]
    state = json.loads(properties[0].value)
    assert (state["format"], state["estimator"], state["kind"]["name"]) == (1, "CNNClassifier", "Images")


@pytest.mark.parametrize("export", [to_onnx, to_torch_export])
def test_transformed_targets_are_refused(export, tmp_path):
    net = TransformedTargetRegressor(quick(CNNRegressor), func=np.log, inverse_func=np.exp).fit(
        TABLE, Y + 1.0
    )
    for model in (net, make_pipeline(StandardScaler(), net).fit(TABLE, Y + 1.0)):
        with pytest.raises(TypeError, match=r"must be a net of .*got TransformedTargetRegressor"):
            export(model, tmp_path / "net")
    assert not any(tmp_path.iterdir())
