"""Columns of tables are traced through the steps before a net."""

import numpy as np
import pandas as pd
import pytest
from explain_helpers import QUICK, TABLE, N, Y, fit_explainer
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
)


@pytest.fixture(scope="module")
def people():
    """Return a table with two columns of strings and two of numbers, and its targets."""
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "age": rng.randint(20, 60, N),
            "town": ["Rome", "Oslo", "Bonn"] * 8,
            "income": rng.rand(N) * 1e4,
            "pet": ["cat", "dog"] * 11 + ["owl", "emu"],
        },
        index=[f"p{i}" for i in range(N)],
    )
    y = np.where(frame.town == "Rome", "yes", "no")
    y[0] = "no"
    return frame, y


ENCODERS = {
    "all categories": OneHotEncoder(sparse_output=False),
    "first category dropped": OneHotEncoder(drop="first", sparse_output=False),
    "first of two categories dropped": OneHotEncoder(drop="if_binary", sparse_output=False),
    "infrequent categories merged": OneHotEncoder(
        min_frequency=3, handle_unknown="infrequent_if_exist", sparse_output=False
    ),
    "infrequent categories merged, first dropped": OneHotEncoder(
        max_categories=2, drop="first", sparse_output=False
    ),
}


def make_column_transformer(encoder):
    """Return a transformer that reorders the columns: strings first."""
    return ColumnTransformer(
        [("words", encoder, ["pet", "town"]), ("numbers", StandardScaler(), ["income", "age"])]
    )


@pytest.mark.parametrize("name", list(ENCODERS))
@pytest.mark.parametrize("cls", [RNNClassifier, RecursiveNetClassifier])
def test_one_hot_columns_are_summed_to_their_source(people, cls, name):
    frame, y = people
    pipe = make_pipeline(make_column_transformer(ENCODERS[name]), cls(**QUICK)).fit(frame, y)
    explainer = fit_explainer(pipe, frame).set_output(transform="pandas")
    columns = explainer.transform(frame)
    assert columns.columns.tolist() == ["pet", "town", "income", "age"]
    assert columns.index.tolist() == frame.index.tolist()
    encoded = pipe[:-1].transform(frame)
    inner = fit_explainer(pipe[-1], encoded).transform(encoded)
    last = len(pipe[0].named_transformers_["words"].get_feature_names_out())
    np.testing.assert_allclose(columns[["income", "age"]], inner[:, last:], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(columns[["pet", "town"]].sum(axis=1), inner[:, :last].sum(axis=1), atol=1e-5)
    assert explainer.n_features_in_ == 4
    assert explainer.feature_names_in_.tolist() == frame.columns.tolist()


def test_frames_hold_the_values_of_the_user_s_columns(people):
    frame, y = people
    pipe = make_pipeline(make_column_transformer(ENCODERS["all categories"]), RNNClassifier(**QUICK)).fit(
        frame, y
    )
    shown = fit_explainer(pipe, frame).explain(frame[:2]).to_frame()
    assert shown.columns.tolist() == [
        "sample",
        "column",
        "value",
        "attribution",
        "predicted",
        "target",
        "delta",
    ]
    for i in range(2):
        values = shown[shown["sample"] == i].set_index("column").value
        assert values.to_dict() == frame.iloc[i].to_dict()


def test_values_of_arrays_follow_reordered_columns():
    X = np.array([[i, "ab"[i % 2], -i] for i in range(N)], dtype=object)
    steps = ColumnTransformer([("w", OneHotEncoder(sparse_output=False), [1]), ("n", StandardScaler(), [2])])
    pipe = make_pipeline(steps, RNNClassifier(**QUICK)).fit(X, Y)
    shown = fit_explainer(pipe, X).explain(X[5:6]).to_frame()
    assert shown.column.tolist() == ["x1", "x2"]
    assert shown.value.tolist() == ["b", -5]


def test_values_of_frames_follow_reordered_and_additional_columns():
    frame = pd.DataFrame(TABLE, columns=list("abc"))
    steps = ColumnTransformer([("n", StandardScaler(), ["b", "a"])])
    explainer = fit_explainer(make_pipeline(steps, RNNClassifier(**QUICK)).fit(frame, Y), frame)
    expected = explainer.explain(frame).to_frame()
    for other in (frame[["c", "b", "a"]], frame.assign(d="text")[["d", "a", "b"]]):
        shown = explainer.explain(other).to_frame()
        pd.testing.assert_frame_equal(shown, expected)
        assert shown.pivot(index="sample", columns="column", values="value").equals(
            frame[["a", "b"]].rename_axis(index="sample", columns="column")
        )


def test_values_of_scaled_columns_are_in_the_user_s_units():
    pipe = make_pipeline(StandardScaler(), RNNClassifier(**QUICK)).fit(TABLE, Y)
    shown = fit_explainer(pipe, TABLE).explain(TABLE).to_frame()
    assert shown.value.dtype == float
    np.testing.assert_allclose(shown.value, TABLE.ravel())


def one_hot():
    return OneHotEncoder(sparse_output=False)


class ReverseColumns(TransformerMixin, BaseEstimator):
    """Transformer without output names."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X, dtype=float)[:, ::-1] + 1


PEOPLE_STEPS = {
    "passthrough": (
        ColumnTransformer([("w", one_hot(), ["town"])], remainder="passthrough"),
        "drop pet",
        ["town", "age", "income"],
    ),
    "dropped columns": (ColumnTransformer([("w", one_hot(), ["pet"])]), None, ["pet"]),
    "remainder scaled": (
        ColumnTransformer([("w", one_hot(), ["pet", "town"])], remainder=StandardScaler()),
        None,
        ["pet", "town", "age", "income"],
    ),
    "columns by dtype": (
        ColumnTransformer(
            [
                ("n", StandardScaler(), make_column_selector(dtype_include="number")),
                ("w", one_hot(), make_column_selector(dtype_exclude="number")),
            ]
        ),
        None,
        ["age", "income", "town", "pet"],
    ),
    "columns by slice, mask and position": (
        ColumnTransformer(
            [
                ("slice", "passthrough", slice("income", "income")),
                ("mask", one_hot(), [False, True, False, True]),
                ("place", StandardScaler(), [0]),
            ]
        ),
        None,
        ["income", "town", "pet", "age"],
    ),
    "column by its name": (
        ColumnTransformer([("c", CountVectorizer(), "town"), ("n", "passthrough", ["age"])]),
        None,
        ["c__bonn", "c__oslo", "c__rome", "age"],
    ),
    "nested pipelines": (
        ColumnTransformer(
            [
                ("w", make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot()), ["town", "pet"]),
                (
                    "n",
                    make_pipeline(SimpleImputer(), FunctionTransformer(np.log1p), StandardScaler()),
                    ["age"],
                ),
            ]
        ),
        None,
        ["town", "pet", "age"],
    ),
    "function without names": (
        ColumnTransformer(
            [("w", one_hot(), ["town"]), ("f", FunctionTransformer(np.log1p), ["age", "income"])]
        ),
        None,
        ["town", "age", "income"],
    ),
    "components of two PCAs": (
        ColumnTransformer(
            [
                ("w", one_hot(), ["town"]),
                ("a", PCA(1), ["age", "income"]),
                ("b", make_pipeline(StandardScaler(), PCA(2)), ["age", "income"]),
            ]
        ),
        None,
        ["town", "a__pca0", "b__pca0", "b__pca1"],
    ),
    "selected columns": (
        make_pipeline(
            ColumnTransformer([("w", one_hot(), ["town"]), ("n", StandardScaler(), ["age", "income"])]),
            SelectKBest(k=2),
        ),
        None,
        ["town"],
    ),
    "union": (
        make_pipeline(
            ColumnTransformer([("w", one_hot(), ["town"]), ("n", StandardScaler(), ["age", "income"])]),
            FeatureUnion(
                [("same", "passthrough"), ("no", "drop"), ("pca", PCA(1)), ("best", SelectKBest(k=1))]
            ),
        ),
        None,
        ["town", "age", "income", "pca__pca0"],
    ),
    "frames between the steps": (
        make_pipeline(
            ColumnTransformer([("w", one_hot(), ["town"]), ("n", StandardScaler(), ["age", "income"])]),
            SimpleImputer(),
            StandardScaler(),
        ).set_output(transform="pandas"),
        None,
        ["town", "age", "income"],
    ),
    "columns of frames between the steps": (
        make_pipeline(
            ColumnTransformer([("w", one_hot(), ["town"]), ("n", StandardScaler(), ["age", "income"])]),
            ColumnTransformer([("some", "passthrough", ["n__age", "w__town_Rome"])]),
        ).set_output(transform="pandas"),
        None,
        ["age", "town"],
    ),
    "transformer without names": (
        make_pipeline(
            ColumnTransformer([("w", one_hot(), ["town"]), ("n", StandardScaler(), ["age"])]),
            ReverseColumns(),
        ),
        None,
        ["reversecolumns0", "reversecolumns1", "reversecolumns2", "reversecolumns3"],
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("name", list(PEOPLE_STEPS))
def test_names_are_traced_through_the_steps(people, name):
    frame, y = people
    steps, note, expected = PEOPLE_STEPS[name]
    frame = frame.drop(columns="pet") if note == "drop pet" else frame
    pipe = make_pipeline(steps, RNNClassifier(**QUICK)).fit(frame, y)
    explainer = fit_explainer(pipe, frame, method="saliency")
    assert explainer.get_feature_names_out().tolist() == expected
    assert explainer.transform(frame).shape == (N, len(expected))
    assert len(explainer.explain(frame[:2]).to_frame()) == 2 * len(expected)


def test_components_have_names_and_values_of_their_own():
    pipe = make_pipeline(StandardScaler(), PCA(3), RNNClassifier(**QUICK)).fit(TABLE, Y)
    explainer = fit_explainer(pipe, TABLE)
    assert explainer.get_feature_names_out().tolist() == ["pca0", "pca1", "pca2"]
    shown = explainer.explain(TABLE[:1]).to_frame()
    np.testing.assert_allclose(shown.value.astype(float), pipe[:-1].transform(TABLE[:1])[0], rtol=1e-5)


def test_counted_words_are_columns():
    texts = ["good film", "bad film"] * 12
    pipe = make_pipeline(CountVectorizer(), TruncatedSVD(2, random_state=0), RNNClassifier(**QUICK))
    explainer = fit_explainer(pipe.fit(texts, Y), texts)
    assert explainer.get_feature_names_out().tolist() == ["truncatedsvd0", "truncatedsvd1"]
    dense = FunctionTransformer(np.asarray)
    pipe = make_pipeline(
        CountVectorizer(), FunctionTransformer(_to_array, accept_sparse=True), dense, RNNClassifier(**QUICK)
    )
    explainer = fit_explainer(pipe.fit(texts, Y), texts)
    assert explainer.get_feature_names_out().tolist() == ["bad", "film", "good"]
    assert explainer.explain(texts[:1]).to_frame().value.tolist() == [0, 1, 1]


def _to_array(X):
    return X.toarray().astype(float)


def test_a_function_that_selects_columns_of_a_frame_is_traced(people):
    frame, y = people
    pipe = make_pipeline(FunctionTransformer(_select_numbers), RNNClassifier(**QUICK)).fit(frame, y)
    explainer = fit_explainer(pipe, frame)
    assert explainer.get_feature_names_out().tolist() == ["income", "age"]
    assert explainer.explain(frame[:1]).to_frame().value.tolist() == frame.iloc[0][["income", "age"]].tolist()


def _select_numbers(frame):
    return frame[["income", "age"]].astype(float)


def test_a_union_of_pipelines_has_names():
    union = make_union(StandardScaler(), make_pipeline(StandardScaler(), PCA(1)))
    pipe = make_pipeline(union, CNNClassifier(**QUICK)).fit(TABLE, Y)
    explainer = fit_explainer(pipe, TABLE, n_steps=4, max_steps=4)
    assert explainer.get_feature_names_out().tolist() == ["x0", "x1", "x2", "pipeline__pca0"]
    names = explainer.get_feature_names_out(["a", "b", "c"])
    assert names.tolist() == ["a", "b", "c", "pipeline__pca0"]


def test_an_explainer_in_a_pipeline_keeps_the_names():
    explainer = CaptumExplainer(RNNClassifier(**QUICK), target=1)
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    pipe = make_pipeline(StandardScaler(), explainer).fit(frame, Y)
    assert pipe.get_feature_names_out().tolist() == ["a", "b", "c"]
