"""CaptumExplainer follows scikit-learn's conventions for transformers."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.utils.estimator_checks as checks
import torch
from explain_helpers import (
    NAMES,
    QUICK,
    TABLE,
    TEXTS,
    Y,
    each_kind,
    fit_example,
    fit_explainer,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
)

# The gradients of convolutional nets are not smooth, so their integrals take the largest number of steps.
EXPLAINERS = {
    "recurrent": CaptumExplainer(RNNClassifier(**QUICK), dtype="float64", random_state=0),
    "recurrent regressor": CaptumExplainer(RNNRegressor(**QUICK), dtype="float64", random_state=0),
    "convolutional": CaptumExplainer(
        CNNClassifier(**QUICK), dtype="float64", random_state=0, n_steps=4, max_steps=4
    ),
    "recursive": CaptumExplainer(
        RecursiveNetClassifier(**QUICK), "occlusion", dtype="float64", random_state=0
    ),
}
# Checks that check_estimator does not run.
EXTRA = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_inplace_ensure_writeable",
]


@pytest.mark.parametrize("name", list(EXPLAINERS))
def test_scikit_learn_checks_pass_on_tables(name):
    results = check_estimator(EXPLAINERS[name], expected_failed_checks={}, on_skip=None, on_fail=None)
    failed = [f"{r['check_name']}: {r['exception']!r}" for r in results if r["status"] == "failed"]
    assert failed == []
    names = {r["check_name"] for r in results if r["status"] == "passed"}
    assert len(names) >= 40
    assert {
        "check_transformer_general",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_fit_idempotent",
        "check_estimators_pickle",
        "check_dict_unchanged",
        "check_n_features_in",
    } <= names


# These checks fit on frames and transform arrays on purpose.
@pytest.mark.filterwarnings("ignore:X .*feature names:UserWarning")
@pytest.mark.parametrize("name", EXTRA)
def test_further_scikit_learn_checks_pass(name):
    if not hasattr(checks, name):
        pytest.skip(f"{name} does not exist in this version of scikit-learn")
    getattr(checks, name)("CaptumExplainer", EXPLAINERS["recurrent"])


@pytest.fixture(scope="module")
def trees():
    words = ["p", "q", "r"]
    shapes = ("(S (A {}) {} {})", "(S (A {} {}) {})")
    rows = [shapes[i % 2].format(words[i % 3], words[i // 2 % 3], words[i // 5 % 3]) for i in range(30)]
    return rows, ["one", "two"] * 15


def make_explainer(**params):
    return CaptumExplainer(RecursiveNetClassifier(**QUICK), **{"random_state": 0, **params})


@pytest.fixture(scope="module")
def fitted(trees):
    return make_explainer().fit(*trees)


def test_fit_returns_the_explainer_and_does_not_change_parameters(trees):
    net = RecursiveNetClassifier(**QUICK)
    explainer = CaptumExplainer(net, method_params={"n_samples": 3})
    before = {name: repr(value) for name, value in explainer.get_params().items()}
    assert explainer.fit(*trees) is explainer
    assert {name: repr(value) for name, value in explainer.get_params().items()} == before
    assert explainer.estimator is net
    with pytest.raises(NotFittedError):
        check_is_fitted(net)
    check_is_fitted(explainer.estimator_)


def test_fit_sets_attributes_with_an_underscore_and_transform_sets_none(trees):
    explainer = make_explainer()
    public = set(vars(explainer))
    explainer.fit(*trees)
    assert all(name.endswith("_") or name.startswith("_") for name in set(vars(explainer)) - public)
    before = pickle.dumps(explainer)
    explainer.transform(trees[0])
    explainer.explain(trees[0])
    assert pickle.dumps(explainer) == before


@pytest.mark.parametrize("method", ["transform", "explain", "get_feature_names_out"])
def test_methods_require_a_fitted_explainer(trees, method):
    with pytest.raises(NotFittedError, match="CaptumExplainer"):
        getattr(make_explainer(), method)(trees[0])
    with pytest.raises(AttributeError):
        make_explainer().vocabulary_  # noqa: B018


def test_a_clone_has_the_parameters_but_is_not_fitted(fitted, trees):
    copy = clone(fitted)
    assert copy.get_params()["estimator__hidden_size"] == 4
    assert not hasattr(copy, "estimator_")
    with pytest.raises(NotFittedError):
        copy.transform(trees[0])
    np.testing.assert_array_equal(copy.fit(*trees).transform(trees[0]), fitted.transform(trees[0]))


def test_a_clone_of_a_frozen_estimator_needs_no_targets(fitted, trees):
    frozen = CaptumExplainer(FrozenEstimator(fitted.estimator_), random_state=0)
    copy = clone(frozen).fit(trees[0])
    np.testing.assert_array_equal(copy.transform(trees[0]), fitted.transform(trees[0]))


def test_a_pickled_explainer_gives_the_same_attributions(fitted, trees):
    pickled = pickle.dumps(fitted)
    assert len(pickled) < 100_000
    np.testing.assert_array_equal(pickle.loads(pickled).transform(trees[0]), fitted.transform(trees[0]))


def test_pandas_frames_keep_the_index_and_have_column_names(fitted, trees):
    series = pd.Series(trees[0], index=[f"row {i}" for i in range(30)])
    framed = clone(fitted).set_output(transform="pandas").fit(series, trees[1])
    frame = framed.transform(series)
    assert frame.index.tolist() == series.index.tolist()
    assert frame.columns.tolist() == framed.get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame.to_numpy(), fitted.transform(trees[0]))
    assert framed.transform(trees[0]).index.tolist() == list(range(30))


def test_polars_frames_have_column_names(fitted, trees):
    framed = clone(fitted).set_output(transform="polars").fit(*trees)
    frame = framed.transform(trees[0])
    assert frame.columns == framed.get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame.to_numpy(), fitted.transform(trees[0]))


def test_names_vocabulary_and_importances_refer_to_the_same_columns(fitted, trees):
    names = fitted.get_feature_names_out()
    assert names.dtype == object
    assert sorted(names) == ["A", "S", "p", "q", "r"]
    assert fitted.vocabulary_ == {name: i for i, name in enumerate(names)}
    X = fitted.transform(trees[0])
    assert X.shape == (30, 5)
    assert X.dtype == np.float32
    np.testing.assert_allclose(fitted.feature_importances_, np.abs(X).mean(axis=0), rtol=1e-5)


def test_only_tables_have_input_columns(fitted):
    assert not hasattr(fitted, "n_features_in_")
    frame = pd.DataFrame(np.random.RandomState(0).rand(12, 2), columns=["a", "b"])
    explainer = make_explainer().fit(frame, [0, 1] * 6)
    assert explainer.n_features_in_ == 2
    assert explainer.feature_names_in_.tolist() == explainer.get_feature_names_out().tolist() == ["a", "b"]
    explainer.fit(frame.to_numpy(), [0, 1] * 6)
    assert not hasattr(explainer, "feature_names_in_")
    assert explainer.get_feature_names_out().tolist() == ["x0", "x1"]
    assert explainer.get_feature_names_out(["c", "d"]).tolist() == ["c", "d"]
    with pytest.raises(AttributeError, match="trees and texts only"):
        explainer.vocabulary_  # noqa: B018
    with pytest.raises(ValueError, match="2"):
        explainer.transform(np.zeros((2, 3)))


def test_fitting_twice_gives_the_same_bits(trees):
    explainer = make_explainer(method="shapley", method_params={"n_samples": 2})
    first = explainer.fit(*trees).transform(trees[0])
    np.testing.assert_array_equal(explainer.fit(*trees).transform(trees[0]), first)
    explainer.fit(["(x y)", "(y x)"] * 5, [0, 1] * 5)
    assert set(explainer.vocabulary_) == {"x", "y"}


def test_attributions_do_not_depend_on_the_other_samples(fitted, trees):
    batch = fitted.transform(trees[0])
    single = np.concatenate([fitted.transform([tree]) for tree in trees[0]])
    np.testing.assert_allclose(single, batch, atol=1e-6)
    np.testing.assert_allclose(fitted.transform(trees[0][::-1]), batch[::-1], atol=1e-6)


def test_torch_s_generator_and_the_net_are_not_changed(fitted, trees):
    net = fitted.estimator_
    before = {name: value.clone() for name, value in net.net_.module_.state_dict().items()}
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    for method in ("occlusion", "noise_tunnel(saliency)", "gradient_shap", "shapley"):
        CaptumExplainer(net, method, method_params={"n_samples": 2}, random_state=0).fit(trees[0])
    assert torch.equal(torch.rand(3), expected)
    after = net.net_.module_.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(p.requires_grad for p in net.net_.module_.parameters())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "nonsense"}, r"method must be one of \[.*'occlusion'.*got 'nonsense'"),
        ({"method": None}, "'method' parameter of CaptumExplainer must be .*Got None"),
        ({"baseline": "black"}, "'baseline' parameter of CaptumExplainer must be .*'unknown'.*Got 'black'"),
        ({"output": "odds"}, "'output' parameter of CaptumExplainer must be .*'margin'.*Got 'odds'"),
        ({"n_steps": 0}, r"'n_steps' parameter of CaptumExplainer must be an int.*\[1, inf\).*Got 0"),
        ({"max_steps": 2.5}, r"'max_steps' parameter of CaptumExplainer must be an int.*Got 2.5"),
        ({"tol": 0}, r"'tol' parameter of CaptumExplainer must be .*\(0.0, inf\).*Got 0"),
        ({"max_rows": -1}, r"'max_rows' parameter of CaptumExplainer must be .*Got -1"),
        ({"aggregate": "max"}, "'aggregate' parameter of CaptumExplainer must be .*'sum'.*Got 'max'"),
        ({"min_df": -1}, "'min_df' parameter of CaptumExplainer must be .*Got -1"),
        ({"max_features": 0}, "'max_features' parameter of CaptumExplainer must be .*Got 0"),
        ({"random_state": "one"}, "'random_state' parameter of CaptumExplainer must be .*Got 'one'"),
        ({"dtype": "float16"}, "'dtype' parameter of CaptumExplainer must be .*'float64'.*Got 'float16'"),
        ({"method_params": 3}, "'method_params' parameter of CaptumExplainer must be .*Got 3"),
        (
            {"method_params": {"n_sample": 3}},
            r"method_params must hold only .*'n_samples'.*, got 'n_sample'",
        ),
        (
            {"method_params": {"n_samples": 0}},
            r"method_params\['n_samples'\] must be an int >= 1, got 0",
        ),
        (
            {"method_params": {"n_samples": True}},
            r"method_params\['n_samples'\] must be an int >= 1, got True",
        ),
        (
            {"method_params": {"window": 1.5}},
            r"method_params\['window'\] must be an int >= 1, got 1.5",
        ),
        (
            {"method_params": {"stdevs": -1}},
            r"method_params\['stdevs'\] must be a number >= 0, got -1",
        ),
        (
            {"method_params": {"window": 2, "stride": 3}},
            r"method_params\['stride'\] must be at most the window, 2, got 3",
        ),
        ({"target": np.array(["one", "two"])}, r"target must be .*\['one', 'two'\], got array"),
        ({"verbose": "much"}, "'verbose' parameter of CaptumExplainer must be .*Got 'much'"),
        ({"target": "three"}, r"target must be .*\['one', 'two'\], got 'three'"),
        ({"target": 1}, r"target must be .*\['one', 'two'\], got 1"),
    ],
)
def test_invalid_parameters_are_named_with_their_rule_and_value(trees, params, message):
    with pytest.raises(ValueError, match=message):
        make_explainer(**params).fit(*trees)


def test_parameters_set_after_fit_are_validated(fitted, trees):
    explainer = clone(fitted).fit(*trees)
    explainer.set_params(target="two", output="probability")
    assert set(explainer.explain(trees[0]).targets) == {"two"}
    explainer.set_params(method_params={"n_sample": 3})
    with pytest.raises(ValueError, match="got 'n_sample'"):
        explainer.explain(trees[0])


def test_an_unfitted_estimator_requires_targets(trees):
    with pytest.raises(ValueError, match=r"requires y to be passed, but the target y is None.*not fitted"):
        make_explainer().fit(trees[0])


def test_progress_is_shown_only_if_verbose(capfd):
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    explainer = fit_explainer(clf, TEXTS)
    explainer.explain(TEXTS)
    assert capfd.readouterr() == ("", "")
    explainer.set_params(verbose=1).explain(TEXTS)
    shown = capfd.readouterr()
    assert "24/24" in shown.err
    assert shown.out == ""


def test_tables_must_have_the_columns_of_fit():
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    explainer = CaptumExplainer(RNNClassifier(**QUICK)).fit(frame, Y)
    with pytest.raises(ValueError, match="feature names should match"):
        explainer.transform(frame[["b", "a", "c"]])
    with pytest.raises(ValueError, match="feature names should match"):
        explainer.explain(frame[["a", "b"]])


@each_kind
def test_iterators_are_explained_as_lists(kind):
    net, X = fit_example(kind)
    X = list(X)
    expected = CaptumExplainer(net, "saliency").fit(X)
    explainer = CaptumExplainer(clone(net), "saliency").fit(iter(X), np.arange(len(X)) % 2)
    assert explainer.get_feature_names_out().tolist() == expected.get_feature_names_out().tolist()
    explainer = CaptumExplainer(net, "saliency").fit(iter(X))
    np.testing.assert_array_equal(explainer.transform(iter(X)), expected.transform(X))
    frames = [e.to_frame() for e in (explainer.explain(iter(X)), expected.explain(X))]
    pd.testing.assert_frame_equal(*frames)


def test_iterators_of_raw_samples_pass_the_steps_of_a_pipeline():
    pipe = make_pipeline(SequenceVectorizer(), RNNClassifier(**QUICK)).fit(TEXTS, Y)
    explainer = fit_explainer(pipe, iter(TEXTS), method="saliency")
    pd.testing.assert_frame_equal(
        explainer.explain(iter(TEXTS)).to_frame(), explainer.explain(TEXTS).to_frame()
    )


def test_a_failed_fit_leaves_the_previous_one_intact():
    net = RNNClassifier(**QUICK).fit(TABLE, Y)
    explainer = CaptumExplainer(net, "occlusion")
    failing = [{"method": "grad_cam"}, {"target": "no class"}, {"baseline": "unknown"}]
    for params in failing:
        with pytest.raises(ValueError, match=r"grad_cam|target|baseline"):
            clone(explainer).set_params(estimator=net, **params).fit(TABLE)
    expected = explainer.fit(TABLE).transform(TABLE)
    for X, params in ((TABLE[:, :2], {}), *((TABLE, params) for params in failing)):
        with pytest.raises(ValueError, match=r"features|grad_cam|target|baseline"):
            explainer.set_params(method="saliency").set_params(**params).fit(X)
        explainer.set_params(method="occlusion", target="predicted", baseline="auto")
        assert explainer.method_ == "occlusion"
        np.testing.assert_array_equal(explainer.transform(TABLE), expected)
    other = CaptumExplainer(net, "grad_cam")
    with pytest.raises(ValueError, match="grad_cam"):
        other.fit(TABLE)
    assert not hasattr(other, "estimator_")


def test_an_explainer_refuses_an_estimator_that_was_fitted_again():
    net = RNNClassifier(**QUICK).fit(TEXTS, Y)
    explainer = fit_explainer(net, TEXTS, method="saliency")
    expected = explainer.transform(TEXTS)
    net.partial_fit(TEXTS, Y)  # the control: further training keeps the words
    assert explainer.transform(TEXTS).shape == expected.shape
    loaded = pickle.loads(pickle.dumps(explainer))
    np.testing.assert_array_equal(loaded.transform(TEXTS), explainer.transform(TEXTS))
    net.fit(["cat sat", "dog ran"] * 6, [0, 1] * 6)
    for call in (explainer.transform, explainer.explain):
        with pytest.raises(ValueError, match=r"estimator was fitted again .* fit the explainer again"):
            call(["cat sat"])
    assert explainer.fit(["cat sat"]).transform(["cat sat"]).shape == (1, 2)
