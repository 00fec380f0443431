"""Recurrent nets on texts, tokens, series and tables."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree import RaggedArray, RNNClassifier, RNNRegressor, SequenceVectorizer


def classifier(**params):
    return RNNClassifier(**{"random_state": 0, "max_epochs": 15, "hidden_size": 16, **params})


@pytest.fixture
def texts():
    """Return 160 texts whose class depends on the order of their words, and the classes."""
    rng = np.random.RandomState(0)
    texts, y = [], []
    for _ in range(160):
        filler = list(rng.choice(["it", "was", "the", "film", "and"], rng.randint(1, 8)))
        flip = rng.randint(2)
        pair = ["not", "good", "bad"] if flip else ["good", "not", "bad"]
        at = rng.randint(len(filler) + 1)
        texts.append(" ".join(filler[:at] + pair + filler[at:]))
        y.append("bad" if flip else "good")
    return texts, np.array(y)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_classes_that_depend_on_word_order_are_learned(texts, cell, pooling):
    X, y = texts
    assert (
        classifier(cell=cell, pooling=pooling, max_epochs=30).fit(X[:120], y[:120]).score(X[120:], y[120:])
        > 0.9
    )


def test_a_bag_of_words_does_not_learn_word_order(texts):  # the control of the test above
    X, y = texts
    counts = [[x.split().count(w) for w in ("not", "good", "bad")] for x in X]
    assert LogisticRegression().fit(counts, y).score(counts, y) < 0.7


def waves(n=120, ragged=True, channels=1, seed=0):
    rng = np.random.RandomState(seed)
    X, y = [], []
    for i in range(n):
        length = rng.randint(8, 20) if ragged else 15
        step = (0.4, 1.2)[i % 2]
        t = np.arange(length) * step + rng.rand() * 6
        X.append(np.stack([np.sin(t + c) for c in range(channels)], axis=1) * 1000 + 5e5)
        y.append(i % 2)
    return X, np.array(y)


@pytest.mark.parametrize(
    "form",
    [
        lambda X: X,
        RaggedArray.from_sequences,
        lambda X: pd.Series(X),
        lambda X: [x.astype(np.float32) for x in X],
    ],
)
def test_ragged_series_of_any_scale_are_learned(form):
    X, y = waves(channels=2)
    clf = classifier(max_epochs=25).fit(form(X), y)
    assert clf.score(form(X), y) > 0.95
    assert (clf.input_kind_, clf.n_channels_in_) == ("series", 2)
    with pytest.raises(ValueError, match="X must have 2 channels, as in fit, got 1"):
        clf.predict([x[:, :1] for x in X])


def test_large_numbers_with_a_small_spread_are_separated():
    y = np.arange(120) % 2
    X = [np.full((3 + i % 4, 1), 1.7e12 + 2000.0 * y[i]) for i in range(120)]
    assert classifier().fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize("make", [np.asarray, torch.tensor, lambda X: X.astype(np.float32)])
def test_dense_series_are_learned_in_their_precision(make):
    X, y = waves(ragged=False)
    X = make(np.stack(X))
    clf = classifier(max_epochs=25).fit(X, y)
    assert clf.score(X, y) > 0.95
    expected = torch.float32 if "float32" in str(X.dtype) else torch.float64
    assert clf.net_.module_.head.weight.dtype == expected
    ragged = classifier(max_epochs=25).fit([np.asarray(x) for x in X], y)
    np.testing.assert_allclose(
        ragged.predict_proba([np.asarray(x) for x in X]), clf.predict_proba(X), atol=0.05
    )


def test_lists_of_numbers_of_unequal_length_are_series_of_one_channel():
    X, y = waves()
    assert classifier(max_epochs=1).fit([x[:, 0].tolist() for x in X], y).n_channels_in_ == 1


def test_input_kind_decides_whether_ints_are_ids_or_columns():
    rng = np.random.RandomState(0)
    X = rng.randint(2, 6, (100, 4)).tolist()
    y = [row[0] < row[1] for row in X]
    assert classifier(max_epochs=1).fit(X, y).input_kind_ == "table"
    clf = classifier(input_kind="tokens", max_epochs=40).fit(X, y)
    assert clf.input_kind_ == "tokens"
    assert clf.score(X, y) > 0.9
    assert np.isfinite(clf.predict_proba([[99, 2], []])).all()  # unseen ids, an empty sequence
    assert classifier(max_epochs=1).fit([[2, 3], [4]], [0, 1]).input_kind_ == "tokens"


def test_the_columns_of_a_table_are_distinguished():
    rng = np.random.RandomState(0)
    X = rng.rand(300, 3) * [1, 1e4, 1e-4]
    y = X[:, 0] > X[:, 2] * 1e4
    clf = classifier(max_epochs=20).fit(X, y)
    assert clf.score(X, y) > 0.9
    assert clf.n_features_in_ == 3


def test_predictions_do_not_depend_on_the_batch_or_the_order(texts):
    X, y = texts
    clf = classifier(max_epochs=3, n_layers=2).fit(X, y)
    reference = clf.predict_proba(X)
    for batch_size in (1, 7, 1000):
        clf.net_.batch_size = batch_size
        np.testing.assert_allclose(clf.predict_proba(X), reference, rtol=0, atol=1e-6)
    np.testing.assert_allclose(clf.predict_proba(X[::-1]), reference[::-1], rtol=0, atol=1e-6)


def test_empty_unseen_and_longer_texts_are_predicted(texts):
    X, y = texts
    clf = classifier(max_epochs=2).fit([*X, ""], [*y, "good"])
    with pytest.warns(
        UserWarning, match=r"tokens are unknown in 1 of 3 samples, the first of which is X\[1\]"
    ):
        assert np.isfinite(clf.predict_proba(["", "never seen", "good " * 500])).all()


def test_a_text_column_is_combined_with_numeric_columns(texts):
    X, y = texts
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"text": X, "a": rng.rand(160), "b": rng.rand(160)})
    vectors = ColumnTransformer([("text", classifier(), "text"), ("rest", StandardScaler(), ["a", "b"])])
    pipe = make_pipeline(vectors, LogisticRegression()).fit(frame[:120], y[:120])
    assert pipe.score(frame[120:], y[120:]) > 0.9
    assert pipe[0].get_feature_names_out()[0] == "text__rnnclassifier0"


def test_a_parallel_search_gives_equal_scores(texts):
    X, y = texts
    pipe = make_pipeline(SequenceVectorizer(), classifier(max_epochs=2))
    grid = {"rnnclassifier__cell": ["lstm", "gru"], "sequencevectorizer__min_df": [1, 2]}
    scores = [
        GridSearchCV(pipe, grid, cv=2, n_jobs=n, scoring="neg_log_loss")
        .fit(X, y)
        .cv_results_["mean_test_score"]
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


def test_make_net_returns_a_net_that_skorch_trains_and_searches(texts):
    X, y = texts
    ids = SequenceVectorizer().fit_transform(X)
    net = classifier(max_epochs=25).make_net(ids, y)
    codes = (y == "good").astype(np.int64)
    assert net.fit(ids, codes).score(ids, codes) > 0.9
    grid = {"module__hidden_size": [4, 8], "optimizer__weight_decay": [0.0, 0.1]}
    assert (
        GridSearchCV(net.set_params(max_epochs=1), grid, cv=2, scoring="accuracy")
        .fit(ids, codes)
        .best_params_
    )


def test_a_regressor_learns_from_texts():
    rng = np.random.RandomState(0)
    X = [" ".join(rng.choice(["up", "down", "and"], rng.randint(1, 9))) for _ in range(200)]
    y = [100.0 * (x.split().count("up") - x.split().count("down")) for x in X]
    reg = RNNRegressor(random_state=0, max_epochs=30).fit(X[:150], y[:150])
    assert reg.score(X[150:], y[150:]) > 0.8
    assert reg.transform(X).shape == (200, 128)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda X, y: classifier(cell="tree").fit(X, y), ValueError, "'cell' parameter of RNNClassifier"),
        (lambda X, y: classifier(n_layers=0).fit(X, y), ValueError, "'n_layers' parameter"),
        (lambda X, y: classifier(pooling="root").fit(X, y), ValueError, "'pooling' parameter"),
        (lambda X, y: classifier(input_kind="image").fit(X, y), ValueError, "'input_kind' parameter"),
        (lambda X, y: classifier().fit([], []), ValueError, "X must contain at least one sample, a column of sequences, got 0"),
        (lambda X, y: classifier().fit(["a", None], [0, 1]), ValueError, r"X\[1\] is missing \(None\)"),
        (lambda X, y: classifier().fit([["a"], [3]], [0, 1]), TypeError, r"tokens must be all str or all int, got 3 \(int\)"),
        (lambda X, y: classifier().fit(["a", ["b", 3]], [0, 1]), TypeError, r"tokens must be all str or all int, got 3 \(int\)"),
        (lambda X, y: classifier().fit([[1.5], [np.nan, 2.0]], [0, 1]), ValueError, r"X\[1\] must hold finite numbers, got nan"),
        (lambda X, y: classifier().fit(np.full((2, 3, 1), np.inf), [0, 1]), ValueError, r"X\[0\] must hold finite numbers, got inf"),
        (lambda X, y: classifier().fit([np.ones((3, 2)), np.ones((2, 1))], [0, 1]), ValueError, r"X\[1\] must have 2 channels"),
        (lambda X, y: classifier().fit(X, y[:-1]), ValueError, "y must have one entry per sample of X"),
        (lambda X, y: classifier(max_epochs=1).fit(X, y).predict([[1.0, 2.0]]), ValueError, "X must be of the kind 'tokens', as in fit, got 'table'"),
        (lambda X, y: classifier().predict(X), NotFittedError, "not fitted"),
    ],
)  # fmt: skip
def test_error_messages_name_the_rule_and_the_value(texts, call, error, message):
    with pytest.raises(error, match=message):
        call(*texts)
