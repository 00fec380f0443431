"""Cross-fitted columns of a net: they do not leak the targets of the training samples."""

import pickle

import numpy as np
import pandas as pd
import pytest
from samples import BRACKETS, ESTIMATORS, TABLE, TEXTS, WAVES, Y, quick
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree import (
    CNNClassifier,
    NetEncoder,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    TreeArray,
    load,
    save,
)

RNG = np.random.RandomState(0)
WORDS = np.array([f"w{i}" for i in range(400)])
RANDOM_TEXTS = [" ".join(RNG.choice(WORDS, 8)) for _ in range(2000)]
RANDOM_Y = RNG.randint(0, 2, 2000)


@pytest.mark.parametrize("method", ["predict_proba", "transform"])
def test_columns_of_random_targets_carry_no_information_on_the_training_samples(method):
    net = CNNClassifier(max_epochs=15, random_state=0)
    encoder = NetEncoder(net, cv=2, method=method, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)

    def auc(columns):
        """Return how well a linear model on the columns predicts the targets of other samples."""
        scores = np.empty(len(RANDOM_Y))
        for train, test in folds.split(columns, RANDOM_Y):
            model = make_pipeline(StandardScaler(), LogisticRegression()).fit(columns[train], RANDOM_Y[train])
            scores[test] = model.decision_function(columns[test])
        return roc_auc_score(RANDOM_Y, scores)

    assert abs(auc(encoder.fit_transform(RANDOM_TEXTS, RANDOM_Y)) - 0.5) < 0.05
    assert auc(encoder.transform(RANDOM_TEXTS)) > 0.9  # the control: the net knows its training samples


@pytest.mark.parametrize(
    "X", [TEXTS, np.array(TEXTS), pd.Series(TEXTS), pd.DataFrame({"text": TEXTS}), iter(TEXTS)]
)
def test_folds_are_those_of_the_splitter(X):
    y = np.where(Y, "yes", "no")
    cv = StratifiedKFold(3)
    encoder = NetEncoder(quick(RNNClassifier), cv=cv)
    encoded = encoder.fit_transform(X, y)
    assert encoded.shape == (len(Y), 1)
    for train, test in cv.split(TEXTS, y):
        net = quick(RNNClassifier).fit(np.array(TEXTS)[train], y[train])
        np.testing.assert_array_equal(encoded[test, 0], net.predict_proba(np.array(TEXTS)[test])[:, 1])
    whole = quick(RNNClassifier).fit(TEXTS, y)
    if not isinstance(X, type(iter([]))):
        np.testing.assert_array_equal(encoder.transform(X)[:, 0], whole.predict_proba(TEXTS)[:, 1])
    assert not hasattr(encoder.estimator, "net_")


CASES = {
    "one class": (RNNClassifier, TEXTS, Y % 2, 1, ["netencoder_1"]),
    "three classes": (
        CNNClassifier,
        TEXTS,
        np.arange(len(Y)) % 3,
        3,
        ["netencoder_0", "netencoder_1", "netencoder_2"],
    ),
    "labels": (RNNClassifier, TEXTS, np.c_[Y, 1 - Y], 2, ["netencoder_0", "netencoder_1"]),
    "columns of classes": (
        RecursiveNetClassifier,
        BRACKETS,
        np.c_[Y, np.arange(len(Y)) % 3],
        5,
        [*(f"netencoder_0_{i}" for i in range(2)), *(f"netencoder_1_{i}" for i in range(3))],
    ),
    "numbers": (RNNRegressor, WAVES, Y / 2, 1, ["netencoder0"]),
    "columns of numbers": (RNNRegressor, TABLE, np.c_[Y / 2, Y], 2, ["netencoder0", "netencoder1"]),
}


@pytest.mark.parametrize("name", CASES)
def test_columns_and_their_names(name):
    cls, X, y, n_columns, names = CASES[name]
    encoder = NetEncoder(quick(cls), cv=2, random_state=0)
    assert encoder.fit_transform(X, y).shape == (len(Y), n_columns)
    assert encoder.transform(X[:3]).shape == (3, n_columns) == (3, encoder.n_features_out_)
    assert list(encoder.get_feature_names_out()) == names
    frame = encoder.set_output(transform="pandas").fit(X, y).transform(X)
    assert list(frame) == names


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_vectors_of_all_estimators(cls):
    encoder = NetEncoder(quick(cls), cv=2, method="transform", random_state=0)
    encoded = encoder.fit_transform(TABLE, Y)
    assert encoded.shape == encoder.estimator_.transform(TABLE).shape
    np.testing.assert_allclose(encoder.transform(TABLE), encoder.estimator_.transform(TABLE))


def test_vectors_of_folds_are_rotated_to_those_of_the_whole_net():
    net = CNNClassifier(max_epochs=10, n_filters=8, hidden_size=8, random_state=0)
    texts = [text + f" w{i % 7}" for i, text in enumerate(TEXTS * 5)]
    y = np.tile(Y, 5)
    encoder = NetEncoder(net, method="transform", cv=3, random_state=0)
    encoded = encoder.fit_transform(texts, y)
    whole = encoder.transform(texts)
    raw = np.empty_like(encoded)
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(texts, y):
        raw[test] = clone(net).fit(np.array(texts)[train], y[train]).transform(np.array(texts)[test])

    def distance(columns):
        return np.linalg.norm(columns - whole) / np.linalg.norm(whole - whole.mean(0))

    assert distance(encoded) < 0.6 * distance(raw)  # the control: without rotation


def test_a_class_that_a_fold_lacks_gets_zeros():
    y = np.array(["a", "b"] * 11 + ["c", "c"])
    cv = [
        (np.arange(22), np.array([22, 23])),
        (np.arange(2, 24), np.arange(2)),
        (np.r_[:2, 22:24], np.arange(2, 22)),
    ]
    encoded = NetEncoder(quick(RNNClassifier), cv=cv).fit_transform(TEXTS, y)
    np.testing.assert_array_equal(encoded[22:, 2], 0)
    np.testing.assert_allclose(encoded.sum(1), 1, rtol=1e-5)


def test_a_text_column_joins_a_table():
    frame = pd.DataFrame(TABLE, columns=list("abcd")).assign(text=TEXTS)
    columns = make_column_transformer(
        (NetEncoder(quick(RNNClassifier, max_epochs=20), cv=3, random_state=0), "text"),
        ("passthrough", list("abcd")),
    )
    pipe = make_pipeline(columns, LogisticRegression())
    assert pipe.fit(frame, Y).score(frame, Y) == 1
    columns = pipe[0]
    assert columns.get_feature_names_out()[0] == "netencoder__netencoder_1"
    search = GridSearchCV(pipe, {"columntransformer__netencoder__estimator__hidden_size": [4, 8]}, cv=2)
    assert search.fit(frame, Y).best_score_ > 0.8
    assert pickle.loads(pickle.dumps(pipe)).score(frame, Y) == 1


def test_processes_and_weights():
    trees = TreeArray.from_trees(BRACKETS)
    weight = np.r_[np.zeros(4), np.ones(len(Y) - 4)]
    encoder = NetEncoder(quick(RecursiveNetClassifier), cv=2, random_state=0)
    one = encoder.fit_transform(trees, Y, sample_weight=weight)
    two = clone(encoder).set_params(n_jobs=2).fit_transform(trees, Y, sample_weight=weight)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - encoder.fit_transform(trees, Y)).max() > 1e-4


@pytest.mark.parametrize("method", ["predict_proba", "transform"])
def test_files_keep_the_encoder(method, tmp_path):
    encoder = NetEncoder(quick(RNNClassifier), cv=2, method=method, random_state=0)
    encoder.fit_transform(TEXTS, Y)
    save(encoder, tmp_path / "encoder")
    loaded = load(tmp_path / "encoder")
    np.testing.assert_array_equal(loaded.transform(TEXTS), encoder.transform(TEXTS))
    assert list(loaded.get_feature_names_out()) == list(encoder.get_feature_names_out())


def test_a_failed_fit_changes_nothing():
    encoder = NetEncoder(quick(RNNClassifier), cv=2, random_state=0)
    with pytest.raises(ValueError, match="requires y"):
        encoder.fit(TEXTS, None)
    with pytest.raises(NotFittedError):
        encoder.transform(TEXTS)
    expected = encoder.fit(TEXTS, Y).transform(TEXTS)
    with pytest.raises(ValueError, match="is missing"):
        encoder.set_params(method="transform").fit(3 * [None], Y[:3])
    np.testing.assert_array_equal(encoder.transform(TEXTS), expected)


@pytest.mark.parametrize("dtype", [object, bool, str, np.int8])
def test_classes_of_any_type_give_the_same_columns(dtype):
    encoder = NetEncoder(quick(RNNClassifier), cv=3, random_state=0)
    expected = encoder.fit_transform(TEXTS, Y)
    np.testing.assert_array_equal(encoder.fit_transform(TEXTS, Y.astype(dtype)), expected)


@pytest.mark.parametrize(
    ("encoder", "y", "message"),
    [
        (
            NetEncoder(quick(RNNClassifier), cv=1),
            Y,
            "'cv' parameter of NetEncoder must be an int in the range",
        ),
        (
            NetEncoder(quick(RNNRegressor), method="predict_proba"),
            Y,
            "method must be a method of the estimator",
        ),
        (NetEncoder(quick(RNNClassifier), method="probabilities"), Y, "'method' parameter of NetEncoder"),
        (NetEncoder(quick(RNNClassifier)), None, "requires y to be passed"),
        (
            NetEncoder(quick(RNNClassifier), method="predict"),
            Y,
            "must be 'predict_proba' or 'transform' for a cla",
        ),
        (
            NetEncoder(quick(RNNClassifier), cv=[(np.arange(20), np.arange(4))]),
            Y,
            "test each sample once, got sample 4 0 times",
        ),
        (
            NetEncoder(quick(RNNClassifier), cv=KFold(2)),
            Y[:5],
            "inconsistent numbers of samples|equal lengths",
        ),
    ],
)
def test_bad_arguments_are_named(encoder, y, message):
    with pytest.raises(ValueError, match=message):
        encoder.fit_transform(TEXTS, y)


@pytest.mark.parametrize("n", [len(Y) - 1, len(Y) + 1])
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_weights_of_other_samples_are_refused(method, n):
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples|equal lengths"):
        getattr(NetEncoder(quick(RNNClassifier)), method)(TEXTS, Y, sample_weight=np.ones(n))


def test_folds_may_be_masks():
    splits = list(KFold(3).split(TEXTS))
    masks = [tuple(np.isin(np.arange(len(Y)), rows) for rows in split) for split in splits]
    rows, masked = (
        NetEncoder(quick(RNNClassifier), cv=cv, random_state=0).fit_transform(TEXTS, Y)
        for cv in (splits, masks)
    )
    np.testing.assert_array_equal(masked, rows)


def test_a_single_class_gives_one_column_with_its_name():
    encoder = NetEncoder(DummyClassifier(), cv=2).set_output(transform="pandas")
    frame = encoder.fit_transform(TABLE, np.zeros(len(Y)))
    assert list(frame.columns) == ["netencoder_0.0"]
    assert (frame.to_numpy() == 1).all()


def test_numbers_are_refused_as_classes_before_a_split():
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        NetEncoder(quick(RNNClassifier)).fit_transform(TEXTS, Y + 0.5 * np.arange(len(Y)))
