"""Every container of the API table with every estimator that reads it."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from samples import (
    BRACKETS,
    CLASSIFIERS,
    CONTAINERS,
    DENSE,
    IDS,
    PIXELS,
    TABLE,
    TEXTS,
    WAVES,
    N,
    Y,
    object_array,
    outputs,
    quick,
)
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RaggedArray,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
)
from sklearn_tree.trees.flat import UNKNOWN_ID

COLOUR = np.stack([PIXELS, PIXELS // 2, 255 - PIXELS], axis=3)

CASES = [
    pytest.param(cls, name, id=f"{name}-{cls.__name__}")
    for name, sample in CONTAINERS.items()
    for cls in sample.readers
]
# One estimator per container, for laws that do not depend on the estimator.
ONE_READER = [
    pytest.param(sample.readers[i % len(sample.readers)], name, id=name)
    for i, (name, sample) in enumerate(CONTAINERS.items())
]


@pytest.mark.parametrize(("cls", "name"), CASES)
def test_every_container_can_be_fitted_pickled_and_cloned(cls, name):
    _, kind, X, params = CONTAINERS[name]
    net = cls(max_epochs=2, hidden_size=8, random_state=0, **params).fit(X, Y)
    assert net.input_kind_ == kind
    reference = outputs(net, X)
    assert len(reference) == N
    assert np.isfinite(reference).all()
    assert net.transform(X).shape == (N, len(net.get_feature_names_out()))
    np.testing.assert_array_equal(outputs(pickle.loads(pickle.dumps(net)), X), reference)
    np.testing.assert_array_equal(outputs(clone(net).fit(X, Y), X), reference)


@pytest.mark.parametrize(("cls", "name"), ONE_READER)
def test_every_container_can_be_validated_and_piped(cls, name):
    _, _, X, params = CONTAINERS[name]
    net = cls(max_epochs=1, hidden_size=8, random_state=0, **params).fit(X, Y)
    reference = outputs(net, X)
    assert np.isfinite(cross_val_score(clone(net), X, Y, cv=2)).all()
    first = clone(net.vectorizer_) if hasattr(net, "vectorizer_") else FunctionTransformer()
    np.testing.assert_array_equal(outputs(make_pipeline(first, clone(net)).fit(X, Y), X), reference)


@pytest.mark.parametrize(("cls", "name"), [case for case in CASES if "Classifier" in case.id])
def test_a_single_sample_is_predicted_as_in_a_batch(cls, name):
    _, _, X, params = CONTAINERS[name]
    net = cls(max_epochs=1, hidden_size=8, random_state=0, **params).fit(X, Y)
    part = X.iloc[3:4] if hasattr(X, "iloc") else X[3:4]
    np.testing.assert_allclose(net.predict_proba(part), net.predict_proba(X)[3:4], rtol=0, atol=1e-6)


def test_containers_of_the_same_samples_give_the_same_net():
    for family in ("texts", "tokens", "trees"):
        samples = {name: sample for name, sample in CONTAINERS.items() if name.startswith(family)}
        for cls in next(iter(samples.values())).readers:
            results = {
                name: outputs(cls(max_epochs=1, random_state=0).fit(sample.X, Y), sample.X)
                for name, sample in samples.items()
            }
            first = next(iter(results.values()))
            for name, result in results.items():
                np.testing.assert_array_equal(result, first, err_msg=name)


def test_a_batch_of_empty_sequences_is_predicted():
    empty = {"texts": [""], "token ids": [[]], "series": [np.zeros((0, 2))]}
    for kind, X in {"texts": TEXTS, "token ids": IDS, "series": WAVES}.items():
        for cls in (RNNClassifier, CNNClassifier):
            net = cls(max_epochs=1, random_state=0).fit(X, Y)
            among = [*empty[kind], X[0]]
            np.testing.assert_allclose(
                net.predict_proba(empty[kind]), net.predict_proba(among)[:1], rtol=0, atol=1e-6
            )


def test_the_kind_of_a_column_does_not_depend_on_its_first_rows():
    ids = [[2, 3, 4]] * 150 + [[2, 3]] * 50
    for X in (ids, pd.Series(ids), object_array(ids)):
        assert CNNClassifier(max_epochs=1).fit(X, np.arange(200) % 2).input_kind_ == "tokens"


def test_small_floats_train_in_single_precision():
    for dtype in ("f2", "f4", ">f4"):
        for X in (TABLE, DENSE, PIXELS[..., None] / 255):
            net = CNNClassifier(max_epochs=1).fit(X.astype(dtype), Y)
            assert net.net_.module_.head.weight.dtype == torch.float32


def test_sample_weights_equal_repeated_samples():
    """Check also ragged series, whose mean length sets the memory of an RNN."""
    weights = np.random.RandomState(0).randint(0, 3, N)
    for cls in (RNNClassifier, CNNClassifier):
        for X in (TEXTS, WAVES):
            repeated = [row for row, k in zip(X, weights) for _ in range(k)]
            net = cls(max_epochs=5, hidden_size=8, random_state=0)
            weighted = net.fit(X, Y, sample_weight=weights).predict_proba(X)
            expected = net.fit(repeated, np.repeat(Y, weights)).predict_proba(X)
            np.testing.assert_allclose(weighted, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("params", "is_equal"),
    [({}, True), ({"linear_path": True}, False), ({"dropout": 0.5}, False)],
    ids=["neither", "linear path", "dropout"],
)
def test_sample_weights_equal_repeated_samples_of_an_open_vocabulary_without_draws_and_folds(
    params, is_equal
):
    X, weights = np.array([f"w{i} {i % 3}" for i in range(20)], dtype=object), np.tile([1, 2], 10)
    y = np.arange(20) % 3 % 2
    params = {"dropout": 0.0, "linear_path": False, "lr": 0.005, "lr_schedule": None, **params}
    net = RNNClassifier(max_epochs=5, random_state=0, **params)
    weighted = net.fit(X, y, sample_weight=weights).predict_proba(X)
    expected = net.fit(X.repeat(weights), y.repeat(weights)).predict_proba(X)
    assert np.allclose(weighted, expected, rtol=0, atol=1e-5) == is_equal


def test_a_net_of_width_1_learns():
    X = np.random.RandomState(0).rand(200, 3)
    y = X[:, 0] > 0.5
    params = {"lr": 0.02, "max_epochs": 50, "random_state": 0}
    assert RNNClassifier(hidden_size=1, bidirectional=False, **params).fit(X, y).score(X, y) > 0.65
    assert CNNClassifier((3,), n_filters=1, **params).fit(X, y).predict_proba(X).std() > 0.1


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (torch.rand(4, 2, 2, 2, 2), {}, "X must have 2 axes"),
        (torch.rand(4, 4, 2), {"input_kind": "table"}, r"X must have 2 axes of at least one entry, got shape \(4, 4, 2\)"),
        (torch.rand(4), {}, r"X must have 2 axes of at least one entry, got shape \(4,\)"),
        (torch.rand(4, 0), {}, "X must have 2 axes of at least one entry"),
        (np.zeros((4, 0, 2)), {}, r"X must have 3 axes of at least one entry, got shape \(4, 0, 2\)"),
        (np.zeros((4, 3, 0)), {}, "X must have 3 axes of at least one entry"),
        (torch.rand(4, 5).to_sparse(), {}, "X must be a dense tensor of real numbers"),
        (np.zeros((4, 4, 2, 2)), {"input_kind": "series"}, "X must have 3 axes"),
        ([[2], [-1, 2], [3], [3]], {}, r"X\[1\] must hold ids >= 0, got -1"),
    ],
)  # fmt: skip
def test_numbers_of_the_wrong_shape_are_rejected(X, params, message):
    for cls in (RNNClassifier, CNNClassifier):
        with pytest.raises(ValueError, match=message):
            cls(**params).fit(X, [0, 1, 0, 1])


@pytest.mark.parametrize(("cls", "name"), ONE_READER)
def test_the_fitted_kind_can_be_passed_as_input_kind(cls, name):
    _, _, X, params = CONTAINERS[name]
    net = cls(max_epochs=1, hidden_size=8, random_state=0, **params).fit(X, Y)
    again = clone(net).set_params(input_kind=net.input_kind_).fit(X, Y)
    assert again.input_kind_ == net.input_kind_
    np.testing.assert_array_equal(outputs(again, X), outputs(net, X))


@pytest.mark.parametrize("method", ["predict", "transform", "partial_fit", "X_val", "explain"])
def test_samples_are_read_as_those_of_fit_whatever_their_lengths(method):
    """Ids of equal length look like a table, and series of ints like ids."""
    equal_ids, waves = [row[:2] for row in IDS], [wave[:, 0].tolist() for wave in WAVES]
    ints = [[int(9 * x) for x in wave] for wave in waves]
    for X, later in ((IDS, equal_ids), (IDS, np.array(equal_ids)), (waves, ints), (waves, TABLE)):
        net = RNNClassifier(max_epochs=1, hidden_size=8, random_state=0)
        if method == "X_val":
            assert np.isfinite(net.fit(X, Y, X_val=later, y_val=Y).history_.valid_loss).all()
            continue
        net.fit(X, Y)
        if method == "explain":
            assert len(CaptumExplainer(net, "saliency").fit(X).explain(later[:2])) == 2
        else:
            getattr(net, method)(*((later, Y) if method == "partial_fit" else (later,)))
        assert net.input_kind_ == ("tokens" if X is IDS else "series")


def test_a_kind_that_was_guessed_otherwise_is_an_error_that_names_input_kind():
    net = RNNClassifier(max_epochs=1).fit([row[:2] for row in IDS], Y)
    with pytest.raises(ValueError, match="got 'tokens': pass input_kind='tokens' to RNNClassifier"):
        net.predict(IDS)
    net.set_params(input_kind="tokens").fit([row[:2] for row in IDS], Y)
    assert len(net.predict(IDS)) == N  # the control


def test_raw_validation_samples_after_a_vectorizer_are_an_error_that_names_the_remedy():
    pipe = make_pipeline(SequenceVectorizer(), RNNClassifier(max_epochs=1))
    message = (
        r'X_val has not passed the earlier steps: Pipeline\(transform_input=\["X_val"\]\), see Questions'
    )
    with pytest.raises(ValueError, match=message):
        pipe.fit(TEXTS, Y, rnnclassifier__X_val=TEXTS, rnnclassifier__y_val=Y)
    encoded = clone(pipe[0]).fit(TEXTS).transform(TEXTS)
    pipe.fit(TEXTS, Y, rnnclassifier__X_val=encoded, rnnclassifier__y_val=Y)  # the control


def test_channels_first_give_the_same_net_and_are_remembered():
    for X, cls in ((DENSE, RNNClassifier), (DENSE, CNNClassifier), (COLOUR, CNNClassifier)):
        first = np.moveaxis(X, -1, 1)
        net = cls(max_epochs=1, hidden_size=8, random_state=0)
        expected = net.fit(X, Y).predict_proba(X)
        swapped = clone(net).set_params(channels="first").fit(first, Y)
        np.testing.assert_allclose(swapped.predict_proba(first), expected, rtol=0, atol=1e-6)
        swapped.set_params(channels="last")
        np.testing.assert_allclose(swapped.predict_proba(first), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_unknown_words_are_zero_by_default_and_trained_with_word_dropout(seed):
    for cls, X in ((RNNClassifier, TEXTS), (CNNClassifier, TEXTS), (RecursiveNetClassifier, BRACKETS)):
        for word_dropout in (0.0, 0.5):  # the second is the control
            net = cls(max_epochs=2, word_dropout=word_dropout, random_state=seed).fit(X, Y)
            vector = net.net_.module_.embedding.labels.weight[UNKNOWN_ID]
            assert bool(vector.any()) == bool(word_dropout)


def test_a_frame_of_texts_has_the_columns_of_scikit_learn():
    frame = pd.DataFrame({"text": TEXTS})
    for cls, X in ((RNNClassifier, frame), (RecursiveNetClassifier, pd.DataFrame({"text": BRACKETS}))):
        net = cls(max_epochs=1).fit(X, Y)
        assert (net.n_features_in_, net.feature_names_in_.tolist()) == (1, ["text"])
        with pytest.raises(
            ValueError, match="The feature names should match those that were passed during fit"
        ):
            net.predict(X.rename(columns={"text": "other"}))
        with pytest.raises(ValueError, match=r"X has 2 features|feature names should match"):
            net.predict(X.assign(n=1))
        assert len(net.predict(X["text"])) == N  # the control: a Series has no columns


def test_only_predictions_warn_of_unknown_words():
    unseen = ["never seen"] * N
    net = RNNClassifier(max_epochs=1, warm_start=True).fit(TEXTS, Y)
    net.fit(unseen, Y).partial_fit(unseen, Y)  # trains the vector of unknown words
    for method in (net.predict, net.transform):
        with pytest.warns(UserWarning, match=f"unknown in {N} of {N} samples"):
            method(unseen)


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize(
    ("X_val", "y_val", "message"),
    [
        (TABLE, np.full(len(Y), 7), "y_val must hold only the classes"),
        (TABLE, [None] * len(Y), r"y_val\[0\] is missing"),
        (TABLE[:, :2], Y, "X_val has 2 features, but"),
        (np.where(np.arange(len(Y)) == 3, np.nan, TABLE.T).T, Y, r"X_val\[3\] must hold finite numbers"),
    ],
)
def test_errors_of_validation_samples_name_them(cls, X_val, y_val, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        quick(cls).fit(TABLE, Y, X_val=X_val, y_val=y_val)
    with pytest.raises(ValueError, match=f"^{message.replace('_val', '')}"):  # the control
        quick(cls).fit(TABLE, Y).partial_fit(X_val, y_val)


def test_samples_without_rows_and_bytes_are_refused():
    for X in (SequenceVectorizer().fit_transform(TEXTS), RaggedArray.from_sequences(WAVES)):
        clf = quick(RNNClassifier).fit(X, Y)
        with pytest.raises(ValueError, match="X must contain at least one sample, got 0 samples"):
            clf.predict(X[:0])
        assert len(clf.predict(X[:1])) == 1  # the control
    with pytest.raises(ValueError, match=r"^X\[1\] must be a str or hold numbers, got bytes"):
        quick(RNNClassifier).fit([1.0, b"a"], [0, 1])
