"""Explanations of models that contain nets."""

import pickle
from itertools import product
from math import factorial

import numpy as np
import pandas as pd
import pytest
from explain_helpers import NAMES, NUMBERS, QUICK, TEXTS, TREES, Y, fit_explainer
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import LinearSVC

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    CNNRegressor,
    NetEncoder,
    RecursiveNetClassifier,
    RNNClassifier,
    Tree,
)
from sklearn_tree.explain.metrics import deletion_curve, randomization_test, sensitivity

FRAME = pd.DataFrame(
    {
        "text": TEXTS,
        "price": np.arange(24) % 5,
        "city": pd.Series(["rome", "paris", "rome"] * 8, dtype="category"),
        "tree": TREES,
        "unused": range(24),
    }
)
SAMPLE = FRAME.iloc[[0, 2]]


class SameColumns(TransformerMixin, BaseEstimator):
    """Transformer that returns its table, which must have the columns and dtypes of ``fit``."""

    def fit(self, X, y=None):
        self.dtypes_ = X.dtypes.astype(str).tolist()
        return self

    def transform(self, X):
        assert isinstance(X, pd.DataFrame)
        assert X.dtypes.astype(str).tolist() == self.dtypes_
        return X


def encode_net(net=None):
    return NetEncoder(CNNClassifier(**QUICK) if net is None else net, cv=2, random_state=0)


def columns():
    return make_column_transformer(
        (encode_net(), "text"),
        (encode_net(RecursiveNetClassifier(**QUICK)), "tree"),
        ("passthrough", ["price"]),
        (OneHotEncoder(), ["city"]),
    )


@pytest.fixture(scope="module")
def mixed():
    return make_pipeline(columns(), LogisticRegression()).fit(FRAME, NAMES)


@pytest.fixture(scope="module")
def stack():
    words = make_pipeline(TfidfVectorizer(), LogisticRegression())
    return StackingClassifier([("net", CNNClassifier(**QUICK)), ("words", words)], cv=2).fit(TEXTS, NAMES)


@pytest.fixture(scope="module")
def tree_stack():
    return StackingClassifier([("net", RecursiveNetClassifier(**QUICK))], cv=2).fit(TREES, NAMES)


def log_odds(model, X):
    """Return the margin of the second class."""
    return np.diff(np.log(model.predict_proba(X)), axis=1).ravel()


def test_the_attribution_of_a_word_is_the_decrease_without_it(stack):
    text = "Really good, a film"
    without = [
        ", a film".lstrip(),
        "Really, a film",
        "Really good a film",
        "Really good, film",
        "Really good, a",
    ]
    without[0] = "good, a film"
    found = fit_explainer(stack, TEXTS, target="good").explain([text])
    expected = log_odds(stack, [text]) - log_odds(stack, without)
    assert found.to_frame().token.tolist() == ["Really", "good", ",", "a", "film"]
    assert np.allclose(found.own[0], expected, atol=1e-6)
    assert not np.allclose(found.own[0], expected[::-1], atol=1e-3)  # control


def test_shapley_values_are_those_of_all_shorter_texts(stack):
    words = ["a", "good", "really"]
    value = {
        flags: log_odds(stack, [" ".join(w for w, f in zip(words, flags, strict=True) if f)])[0]
        for flags in product([0, 1], repeat=3)
    }
    expected = np.zeros(3)
    for flags, i in product(value, range(3)):
        if not flags[i]:
            weight = factorial(sum(flags)) * factorial(2 - sum(flags)) / 6
            expected[i] += weight * (value[tuple(np.eye(3, dtype=int)[i] + flags)] - value[flags])
    found = fit_explainer(stack, TEXTS, method="shapley", target="good").explain(["a good really"])
    assert np.allclose(found.own[0], expected, atol=1e-6)
    assert abs(found.completeness_error[0]) < 1e-5


def test_a_linear_model_gives_cells_their_weights(mixed):
    found = fit_explainer(mixed, FRAME, target="good").explain(SAMPLE).to_frame()
    price = found[found.column == "price"].attribution.to_numpy()
    expected = mixed[-1].coef_[0][-3] * (SAMPLE.price - FRAME.price.median())
    assert np.allclose(price, expected, atol=1e-5)
    assert np.abs(expected).max() > 1e-3
    city = found[found.column == "city"].attribution.to_numpy()
    paris, rome = mixed[-1].coef_[0][-2:]
    assert np.allclose(city, [0 if city == "rome" else paris - rome for city in SAMPLE.city], atol=1e-5)


@pytest.mark.parametrize(("baseline", "typical"), [("mean", FRAME.price.mean()), ("zero", 0)])
def test_numbers_are_replaced_by_the_baseline(mixed, baseline, typical):
    found = fit_explainer(mixed, FRAME, baseline=baseline, target="good").explain(SAMPLE).to_frame()
    price = found[found.column == "price"].attribution.to_numpy()
    assert np.allclose(price, mixed[-1].coef_[0][-3] * (SAMPLE.price - typical), atol=1e-5)


def test_subtrees_are_deleted(tree_stack):
    found = fit_explainer(tree_stack, TREES, target="good").explain(["(S (NP it) (VP works))"])
    without = [
        Tree([""], [-1]),
        "(S (VP works))",
        "(S NP (VP works))",
        "(S (NP it))",
        "(S (NP it) VP)",
    ]
    unlabelled = [
        Tree(["", "NP", "it", "VP", "works"], [-1, 0, 1, 0, 3]),
        Tree(["S", "", "it", "VP", "works"], [-1, 0, 1, 0, 3]),
        "(S NP (VP works))",
        Tree(["S", "NP", "it", "", "works"], [-1, 0, 1, 0, 3]),
        "(S (NP it) VP)",
    ]
    full = log_odds(tree_stack, TREES[:1])
    assert np.allclose(found.attributions[0], full - log_odds(tree_stack, without), atol=1e-6)
    assert np.allclose(found.own[0], full - log_odds(tree_stack, unlabelled), atol=1e-6)
    assert not np.allclose(found.own[0], found.attributions[0], atol=1e-3)


def test_values_and_edges_of_removed_nodes_are_removed():
    trees = [
        {"name": "good", "children": [{"name": "price", "value": value, "edge": "has"}]}
        for value in (3.5, 1.5)
    ] * 12
    model = StackingClassifier([("net", RecursiveNetClassifier(**QUICK))], cv=2).fit(trees, NAMES)
    found = fit_explainer(model, trees, target="good", method="shapley").explain(trees[:2])
    assert np.allclose(found.completeness_error, 0, atol=1e-5)
    assert "edge" in found.to_frame()


def test_the_value_of_a_row_is_that_of_the_model(mixed, stack):
    for model, X in ((mixed, SAMPLE), (stack, TEXTS[:3])):
        found = fit_explainer(model, FRAME if model is mixed else TEXTS, target="good").explain(X)
        assert np.allclose(found.values, log_odds(model, X), atol=1e-6)
        proba = fit_explainer(
            model, FRAME if model is mixed else TEXTS, target="good", output="probability"
        ).explain(X)
        assert np.allclose(proba.values, model.predict_proba(X)[:, 1], atol=1e-6)
        assert [float(p) for p in found.predictions.probabilities] == pytest.approx(
            model.predict_proba(X).max(axis=1)
        )


def test_numbers_of_regressors_are_explained_in_their_units():
    y = NUMBERS * 50 + 100
    model = make_pipeline(make_union(encode_net(CNNRegressor(**QUICK)), TfidfVectorizer()), Ridge())
    model.fit(TEXTS, y)
    text = ["a good film", "good film"]
    found = fit_explainer(model, TEXTS).explain(text[:1])
    assert found.values == pytest.approx(model.predict(text[:1]))
    assert found.own[0][0] == pytest.approx(-np.diff(model.predict(text))[0], abs=1e-6)


def test_rows_keep_their_dtypes_and_are_not_changed():
    model = make_pipeline(SameColumns(), columns(), LogisticRegression())
    assert len(fit_explainer(model.fit(FRAME, NAMES), FRAME).explain(SAMPLE)) == 2
    inner = make_column_transformer(
        (make_pipeline(SameColumns(), encode_net()), ["text"]),
        (make_pipeline(SameColumns(), OneHotEncoder()), ["city", "price"]),
    )
    before = FRAME.copy(deep=True)
    search = GridSearchCV(make_pipeline(inner, LogisticRegression()), {}, cv=2)
    found = fit_explainer(search.fit(FRAME, NAMES), FRAME).explain(FRAME.iloc[:4])
    assert set(found.to_frame().column) == {"text", "city", "price"}  # the unused columns are not explained
    pd.testing.assert_frame_equal(before, FRAME)


@pytest.mark.parametrize(
    ("model", "X"),
    [
        (VotingClassifier([("net", CNNClassifier(**QUICK))], voting="soft"), TEXTS),
        (CalibratedClassifierCV(CNNClassifier(**QUICK), cv=2), TEXTS),
        (make_pipeline(make_union(encode_net(), TfidfVectorizer()), LinearSVC()), TEXTS),
        (make_pipeline(make_union(encode_net(), TfidfVectorizer()), RandomForestClassifier(5)), TEXTS),
        (StackingClassifier([("net", CNNClassifier(**QUICK))], cv=2), [text.split() for text in TEXTS]),
        (StackingClassifier([("net", CNNClassifier(**QUICK))], cv=2), pd.DataFrame({"a": TEXTS, "b": TEXTS})),
        (StackingClassifier([("net", RNNClassifier(**QUICK))], cv=2), np.arange(48).reshape(24, 2) % 7),
        (StackingClassifier([("net", RNNClassifier(**QUICK))], cv=2), pd.DataFrame({"a": NUMBERS, "b": Y})),
    ],
    ids=["voting", "calibrated", "svm", "forest", "tokens", "pairs", "array", "frame"],
)
def test_models_with_nets_are_explained(model, X):
    model.fit(X, NAMES)
    for method in ("occlusion", "shapley", "feature_ablation", "kernel_shap", "lime"):
        found = fit_explainer(model, X, method=method).explain(X[:2])
        assert all(np.isfinite(part).all() for part in found.own)
        if method == "shapley":
            assert np.allclose(found.completeness_error, 0, atol=1e-5)
    features = fit_explainer(model, X).transform(X[:3])
    assert features.shape == (3, len(fit_explainer(model, X).get_feature_names_out()))


def test_polars_frames_and_texts_without_words_are_read():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"text": ["", *TEXTS[1:]], "city": FRAME.city.astype(str).tolist()})
    model = make_pipeline(
        make_column_transformer((encode_net(), "text"), (OneHotEncoder(), ["city"])), LogisticRegression()
    ).fit(frame, NAMES)
    found = fit_explainer(model, frame).explain(frame[:2])
    assert [part.size for part in found.own] == [1, 4]
    assert "\u2205" in repr(found)
    assert "\u2205" in found._repr_html_()


def test_attributions_become_columns(mixed):
    explainer = fit_explainer(mixed, FRAME, target="good").set_output(transform="pandas")
    frame, own = explainer.transform(FRAME), explainer.explain(FRAME).to_frame()
    assert frame.columns[-2:].tolist() == ["price", "city"]
    assert "text_good" in frame
    assert "tree_works" in frame
    is_good = (own.column == "text") & (own.value == "good")
    sums = own[is_good].groupby("sample").own.sum().reindex(range(24), fill_value=0)
    assert np.allclose(frame.text_good, sums, atol=1e-6)
    few = fit_explainer(mixed, FRAME, max_features=1, min_df=2).get_feature_names_out()
    assert few.tolist() == ["text_good", "price", "city"]
    assert explainer.feature_importances_ == pytest.approx(np.abs(frame.to_numpy()).mean(axis=0), abs=1e-6)
    mean = fit_explainer(mixed, FRAME, target="good", aggregate="mean").transform(FRAME)[2]
    assert mean[frame.columns.get_loc("text_good")] == pytest.approx(frame.text_good[2] / 2, abs=1e-6)


def test_rows_are_shown_part_by_part(mixed):
    hostile = SAMPLE.assign(text=["<script>alert(1)</script> good", "good"]).rename(
        columns={"tree": "<tree>"}
    )
    model = make_pipeline(
        ColumnTransformer(
            [("net", encode_net(), "text"), ("trees", encode_net(RecursiveNetClassifier(**QUICK)), "<tree>")]
        ),
        LogisticRegression(),
    ).fit(FRAME.rename(columns={"tree": "<tree>"}), NAMES)
    found = fit_explainer(model, hostile).explain(hostile, NAMES[:2])
    html, text = found._repr_html_(), repr(found)
    assert "<script>" not in html
    assert "<tree>" not in html
    assert text.startswith("Explanations(2 rows, method='occlusion')")
    assert "Predicted" in text
    assert "<tree>:" in text
    assert "script" in found.to_markdown()
    assert '"column": "<tree>"' in found.to_json()
    names = found.summary(min_count=1).to_frame().name
    assert "text: good" in set(names)
    again = pickle.loads(pickle.dumps(found))
    assert again._repr_html_() == html


def test_an_explainer_of_a_model_is_pickled(mixed):
    explainer = fit_explainer(mixed, FRAME)
    again = pickle.loads(pickle.dumps(explainer))
    assert (again.transform(SAMPLE) == explainer.transform(SAMPLE)).all()
    assert (again.feature_importances_ == explainer.feature_importances_).all()


def test_a_model_that_was_fitted_again_is_refused():
    model = make_pipeline(encode_net(), LogisticRegression()).fit(TEXTS, NAMES)
    explainer = fit_explainer(model, TEXTS)
    explainer.explain(TEXTS[:1])
    model.fit(TEXTS, NAMES)
    with pytest.raises(ValueError, match="estimator was fitted again"):
        explainer.explain(TEXTS[:1])


def test_an_unfitted_model_is_fitted():
    model = make_pipeline(encode_net(), LogisticRegression())
    explainer = CaptumExplainer(model).fit(TEXTS, NAMES)
    assert len(explainer.explain(TEXTS[:2])) == 2
    assert not hasattr(model[-1], "coef_")


def test_deletion_curves_delete_words(stack):
    curve = deletion_curve(fit_explainer(stack, TEXTS, target="good"), TEXTS[:1], n_points=4)
    texts = ["a good film", "a film", "a", ""]
    assert curve.values[0, [0, -1]] == pytest.approx(stack.predict_proba(texts)[[0, -1], 1], abs=1e-6)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"method": "saliency"}, ValueError, "got 'saliency': the net is inside another model"),
        ({"method": "noise_tunnel(saliency)"}, ValueError, "the net is inside another model"),
        ({"baseline": "unknown"}, ValueError, "baseline='unknown' is for nets that are explained themselves"),
        (
            {"target": "ugly"},
            ValueError,
            r"target must be 'predicted' or one of the classes \['bad', 'good'\]",
        ),
    ],
)
def test_wrong_parameters_are_refused(stack, params, error, message):
    with pytest.raises(error, match=message):
        CaptumExplainer(stack, **params).fit(TEXTS)


def test_models_that_cannot_be_explained_are_refused():
    words = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, NAMES)
    with pytest.raises(TypeError, match="must be a net of sklearn_tree or contain one, got Pipeline"):
        CaptumExplainer(words).fit(TEXTS)
    with pytest.raises(TypeError, match=r"must end in a classifier or regressor.* got NetEncoder"):
        CaptumExplainer(encode_net().fit(TEXTS, NAMES)).fit(TEXTS)
    series = np.random.RandomState(0).rand(24, 6, 2)
    net = StackingClassifier([("net", RNNClassifier(**QUICK))], cv=2).fit(series, NAMES)
    with pytest.raises(TypeError, match="got one for series inside it"):
        CaptumExplainer(net).fit(series)
    both = MultiOutputRegressor(CNNRegressor(**QUICK)).fit(TEXTS, np.column_stack([NUMBERS, NUMBERS]))
    with pytest.raises(ValueError, match=r"one class or number per row.* shape \(24, 2\)"):
        CaptumExplainer(both).fit(TEXTS)


def test_unknown_columns_are_refused(mixed):
    explainer = fit_explainer(mixed, FRAME)
    with pytest.raises(
        ValueError, match="X must have the columns that the ColumnTransformer in the model was fitted to"
    ):
        explainer.explain(FRAME[["price", "text", "city", "tree", "unused"]])
    select = FunctionTransformer(lambda frame: frame["text"].tolist())
    model = make_pipeline(select, encode_net(), LogisticRegression()).fit(FRAME, NAMES)
    with pytest.raises(ValueError, match=r"X must have 1 column, unless a ColumnTransformer.*got 5 columns"):
        CaptumExplainer(model).fit(FRAME)


@pytest.mark.parametrize("metric", [randomization_test, sensitivity])
def test_metrics_of_weights_and_gradients_refuse_models(mixed, metric):
    explainer = CaptumExplainer(mixed).fit(FRAME)
    with pytest.raises(
        ValueError, match=f"explainer must explain a net, since {metric.__name__} .* Pipeline"
    ):
        metric(explainer, FRAME[:3])
