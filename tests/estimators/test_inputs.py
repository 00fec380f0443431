"""The table of what X may be: every row with every estimator that reads it."""

import pickle
import tracemalloc

import nltk
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RaggedArray,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    Tree,
    TreeArray,
    TreeVectorizer,
)
from sklearn_tree.kinds.statistics import channel_statistics

N = 24
Y = np.arange(N) % 3 % 2
TREES, SEQUENCES, IMAGES = "trees", "sequences", "images"
ESTIMATORS = {
    TREES: [RecursiveNetClassifier, RecursiveNetRegressor],
    SEQUENCES: [RNNClassifier, RNNRegressor, CNNClassifier, CNNRegressor],
    IMAGES: [CNNClassifier, CNNRegressor],
    "all": [RecursiveNetClassifier, RecursiveNetRegressor, RNNClassifier, RNNRegressor, CNNClassifier, CNNRegressor],
}  # fmt: skip


def object_array(items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


rng = np.random.RandomState(0)
TUPLES = [
    ("S", ("NP", "it"), ("VP", "works" if y else "fails", *["well"] * (i % 4))) for i, y in enumerate(Y)
]
BRACKETS = [Tree.from_any(tree).to_brackets() for tree in TUPLES]
TEXTS = [" ".join(["it"] + ["really"] * (i % 5) + ["works" if y else "fails"]) for i, y in enumerate(Y)]
TOKENS = [text.split() for text in TEXTS]
IDS = [[2, 3 + int(y)] + [5] * (i % 4) for i, y in enumerate(Y)]
WAVES = [rng.rand(3 + i % 5, 2) + y for i, y in enumerate(Y)]
DENSE, TABLE, PIXELS = rng.rand(N, 7, 2), rng.rand(N, 4), rng.randint(0, 255, (N, 6, 5), dtype=np.uint8)

# name -> family, what a fit says it read, X, parameters of the estimator
ROWS = {
    "trees: TreeArray": (TREES, "trees", TreeArray.from_trees(TUPLES), {}),
    "trees: encoded": (TREES, "trees", TreeVectorizer().fit_transform(TUPLES), {}),
    "trees: list of tuples": (TREES, "trees", TUPLES, {}),
    "trees: list of nltk": (TREES, "trees", [nltk.Tree.fromstring(tree) for tree in BRACKETS], {}),
    "trees: object array": (TREES, "trees", object_array(TUPLES), {}),
    "trees: Series": (TREES, "trees", pd.Series(TUPLES), {}),
    "trees: DataFrame": (TREES, "trees", pd.DataFrame({"tree": TUPLES}), {}),
    "trees: list of str": (TREES, "trees", BRACKETS, {}),
    "trees: array of str": (TREES, "trees", np.array(BRACKETS), {}),
    "trees: Series of str": (TREES, "trees", pd.Series(BRACKETS, dtype="string"), {}),
    "texts: list": (SEQUENCES, "tokens", TEXTS, {}),
    "texts: array of str": (SEQUENCES, "tokens", np.array(TEXTS), {}),
    "texts: object array": (SEQUENCES, "tokens", np.array(TEXTS, dtype=object), {}),
    "texts: object column": (SEQUENCES, "tokens", np.array(TEXTS, dtype=object)[:, None], {}),
    "texts: Series": (SEQUENCES, "tokens", pd.Series(TEXTS), {}),
    "texts: Series of string": (SEQUENCES, "tokens", pd.Series(TEXTS, dtype="string"), {}),
    "texts: Series of category": (SEQUENCES, "tokens", pd.Series(TEXTS, dtype="category"), {}),
    "texts: DataFrame": (SEQUENCES, "tokens", pd.DataFrame({"text": TEXTS}), {}),
    "texts: polars Series": (SEQUENCES, "tokens", pl.Series(TEXTS), {}),
    "texts: polars DataFrame": (SEQUENCES, "tokens", pl.DataFrame({"text": TEXTS}), {}),
    "trees: polars Series": (TREES, "trees", pl.Series(BRACKETS), {}),
    "table: polars DataFrame": ("all", "table", pl.DataFrame(TABLE), {}),
    "tokens: list of lists": (SEQUENCES, "tokens", TOKENS, {}),
    "tokens: Series of lists": (SEQUENCES, "tokens", pd.Series(TOKENS), {}),
    "tokens: RaggedArray": (SEQUENCES, "tokens", RaggedArray.from_sequences(TOKENS), {}),
    "ids: list of lists": (SEQUENCES, "tokens", IDS, {}),
    "ids: RaggedArray": (SEQUENCES, "tokens", SequenceVectorizer().fit_transform(TEXTS), {}),
    "ids: equal length": (SEQUENCES, "tokens", [row[:2] for row in IDS], {"input_kind": "tokens"}),
    "ids: Series of lists": (SEQUENCES, "tokens", pd.Series(IDS), {}),
    "ids: object array": (SEQUENCES, "tokens", object_array(IDS), {}),
    "ids: polars Series": (SEQUENCES, "tokens", pl.Series(IDS), {}),
    "ids: tensor": (SEQUENCES, "tokens", torch.tensor([row[:2] for row in IDS]), {"input_kind": "tokens"}),
    "series: list of tensors": (SEQUENCES, "series", [torch.tensor(wave) for wave in WAVES], {}),
    "series: Series of floats": (SEQUENCES, "series", pd.Series([wave[:, 0].tolist() for wave in WAVES]), {}),
    "series: tensor of rows": (SEQUENCES, "series", torch.tensor(TABLE), {"input_kind": "series"}),
    "series: half precision": (SEQUENCES, "series", DENSE.astype(np.float16), {}),
    "images: list of tensors": (IMAGES, "images", list(torch.tensor(PIXELS)), {"input_kind": "image"}),
    "series: list of arrays": (SEQUENCES, "series", WAVES, {}),
    "series: Series of arrays": (SEQUENCES, "series", pd.Series(WAVES), {}),
    "series: RaggedArray": (SEQUENCES, "series", RaggedArray.from_sequences(WAVES), {}),
    "series: one channel": (SEQUENCES, "series", [wave[:, 0].tolist() for wave in WAVES], {}),
    "series: float64": (SEQUENCES, "series", DENSE, {}),
    "series: float32": (SEQUENCES, "series", DENSE.astype(np.float32), {}),
    "series: tensor": (SEQUENCES, "series", torch.tensor(DENSE), {}),
    "table: float64": ("all", "table", TABLE, {}),
    "table: float32": ("all", "table", TABLE.astype(np.float32), {}),
    "table: ints": ("all", "table", (TABLE * 9).astype(int), {}),
    "table: DataFrame": ("all", "table", pd.DataFrame(TABLE, columns=list("abcd")), {}),
    "table: nested list": ("all", "table", TABLE.tolist(), {}),
    "table: tensor": (SEQUENCES, "table", torch.tensor(TABLE), {}),
    "images: uint8": (IMAGES, "images", PIXELS, {"input_kind": "image"}),
    "images: float": (IMAGES, "images", PIXELS / 255, {"input_kind": "image"}),
    "images: ints": (IMAGES, "images", PIXELS.astype(int), {"input_kind": "image"}),
    "images: with channels": (IMAGES, "images", np.stack([PIXELS] * 3, axis=3), {}),
    "images: list": (IMAGES, "images", list(PIXELS), {"input_kind": "image"}),
    "images: list with channels": (IMAGES, "images", list(PIXELS[..., None]), {}),
    "images: tensor": (IMAGES, "images", torch.tensor(PIXELS[..., None]), {}),
}
CASES = [
    pytest.param(cls, row, id=f"{row}-{cls.__name__}") for row in ROWS for cls in ESTIMATORS[ROWS[row][0]]
]


def outputs(estimator, X):
    return getattr(estimator, "predict_proba", estimator.predict)(X)


@pytest.mark.parametrize(("cls", "row"), CASES)
def test_it_is_fitted_predicted_pickled_cloned_validated_and_piped(cls, row):
    _, kind, X, params = ROWS[row]
    net = cls(max_epochs=2, hidden_size=8, random_state=0, **params).fit(X, Y)
    assert net.input_kind_ == kind
    reference = outputs(net, X)
    assert len(reference) == N
    assert np.isfinite(reference).all()
    assert net.transform(X).shape == (N, len(net.get_feature_names_out()))
    np.testing.assert_array_equal(outputs(pickle.loads(pickle.dumps(net)), X), reference)
    np.testing.assert_array_equal(outputs(clone(net).fit(X, Y), X), reference)
    assert np.isfinite(cross_val_score(clone(net).set_params(max_epochs=1), X, Y, cv=2)).all()
    first = clone(net.vectorizer_) if hasattr(net, "vectorizer_") else FunctionTransformer()
    np.testing.assert_array_equal(outputs(make_pipeline(first, clone(net)).fit(X, Y), X), reference)


@pytest.mark.parametrize(("cls", "row"), [case for case in CASES if "Classifier" in case.id])
def test_a_row_alone_is_predicted_as_among_others(cls, row):
    _, _, X, params = ROWS[row]
    net = cls(max_epochs=1, hidden_size=8, random_state=0, **params).fit(X, Y)
    part = X.iloc[3:4] if hasattr(X, "iloc") else X[3:4]
    np.testing.assert_allclose(net.predict_proba(part), net.predict_proba(X)[3:4], rtol=0, atol=1e-6)


def test_forms_of_the_same_samples_make_the_same_net():
    for family in ("texts", "tokens", "trees"):
        for cls in ESTIMATORS[SEQUENCES if family != "trees" else TREES]:
            results = {
                row: outputs(cls(max_epochs=1, random_state=0).fit(X, Y), X)
                for row, (_, _, X, _) in ROWS.items()
                if row.startswith(family)
            }
            first = next(iter(results.values()))
            for row, result in results.items():
                np.testing.assert_array_equal(result, first, err_msg=row)


def test_nothing_but_empty_sequences_is_predicted():
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
    """Also for ragged series, whose length sets the memory of an RNN."""
    weights = np.random.RandomState(0).randint(0, 3, N)
    for cls in (RNNClassifier, CNNClassifier):
        for X in (TEXTS, WAVES):
            repeated = [row for row, k in zip(X, weights) for _ in range(k)]
            net = cls(max_epochs=5, hidden_size=8, random_state=0)
            weighed = net.fit(X, Y, sample_weight=weights).predict_proba(X)
            again = net.fit(repeated, np.repeat(Y, weights)).predict_proba(X)
            np.testing.assert_allclose(weighed, again, rtol=0, atol=1e-4)


def test_a_net_of_width_1_learns():
    X = np.random.RandomState(0).rand(200, 3)
    y = X[:, 0] > 0.5
    params = {"lr": 0.02, "max_epochs": 50, "random_state": 0}
    assert RNNClassifier(hidden_size=1, bidirectional=False, **params).fit(X, y).score(X, y) > 0.65
    assert CNNClassifier((3,), n_filters=1, **params).fit(X, y).predict_proba(X).std() > 0.1


def test_statistics_of_many_pixels_need_little_memory():
    images = np.zeros((2000, 32, 32, 3), dtype=np.uint8)
    images[::2] = 200
    tracemalloc.start()
    shift, scale = channel_statistics(images.reshape(-1, 3), None, np.full(2000, 32 * 32))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (shift, scale) == ([100.0] * 3, [100.0] * 3)
    assert peak < 5 * images.nbytes


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
        ([[2], [-1, 2], [3], [3]], {}, "row 1 must hold ids >= 0, got -1"),
    ],
)  # fmt: skip
def test_numbers_of_a_wrong_shape_are_refused(X, params, message):
    for cls in (RNNClassifier, CNNClassifier):
        with pytest.raises(ValueError, match=message):
            cls(**params).fit(X, [0, 1, 0, 1])
