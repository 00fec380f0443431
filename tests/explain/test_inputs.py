"""Whatever nets predict from can be explained: texts, series, tables, images, tensors and trees."""

import ast

import numpy as np
import pandas as pd
import pytest
import torch
from explaining import (
    IMAGES,
    LEARNS,
    NAMES,
    QUICK,
    SERIES,
    TABLE,
    TEXTS,
    TREES,
    N,
    Y,
    adds_up,
    explained,
    ragged_series,
)
from nltk import Tree as NltkTree
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RaggedArray,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    SequenceVectorizer,
    ToDevice,
    TreeArray,
    TreeParser,
    TreeVectorizer,
)
from sklearn_tree.trees.formats import TreeNode

# -- texts


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_texts_token_lists_and_ids_say_the_same(cls):
    vectorizer = SequenceVectorizer()
    ids = vectorizer.fit_transform(TEXTS)
    clf = cls(**QUICK).fit(ids, NAMES)
    expected = explained(clf, ids).explain(ids)
    assert set(expected.to_frame().token) <= {str(i) for i in range(2, 20)}
    pipe = make_pipeline(vectorizer, FrozenEstimator(clf))
    texts = explained(pipe, TEXTS).explain(TEXTS)
    np.testing.assert_array_equal(texts.to_frame().attribution, expected.to_frame().attribution)
    assert texts.to_frame().token[:3].tolist() == ["a", "good", "film"]
    raw = cls(**QUICK).fit(TEXTS, NAMES)
    lists = [text.split() for text in TEXTS]
    of_texts, of_lists = (explained(raw, X).explain(X).to_frame() for X in (TEXTS, lists))
    pd.testing.assert_frame_equal(of_texts, of_lists)
    np.testing.assert_allclose(of_texts.attribution, expected.to_frame().attribution, atol=1e-6)
    for column in (np.array(TEXTS, dtype=object), pd.Series(TEXTS), pd.DataFrame({"text": TEXTS})):
        pd.testing.assert_frame_equal(explained(raw, column).explain(column).to_frame(), of_texts)


def test_words_keep_their_names_behind_a_step_that_knows_none():
    pipe = make_pipeline(SequenceVectorizer(), FunctionTransformer(), RNNClassifier(**QUICK)).fit(TEXTS, Y)
    explainer = explained(pipe, TEXTS)
    assert set(explainer.vocabulary_) == set(" ".join(TEXTS).split())
    assert explainer.explain(TEXTS).to_frame().token[:3].tolist() == ["a", "good", "film"]


def test_lists_of_ids_are_explained():
    ids = [[2, 3, 4], [3], [2, 2], [5, 4]] * 6
    clf = RNNClassifier(**QUICK).fit(ids, Y)
    explainer = explained(clf, ids)
    assert explainer.get_feature_names_out().tolist() == ["2", "3", "4", "5"]
    more = explainer.explain([[9, 3]])
    assert more.to_frame().token.tolist() == ["9", "3"]
    assert explainer.transform([[9, 3]])[0, [0, 2, 3]].tolist() == [0, 0, 0]
    ragged = RaggedArray.from_sequences(ids)
    np.testing.assert_array_equal(explainer.transform(ragged), explainer.transform(ids))


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_unseen_words_are_shown_as_the_user_wrote_them(cls):
    clf = cls(**QUICK).fit(TEXTS, NAMES)
    explainer = explained(clf, TEXTS)
    frame = explainer.explain(["A Splendid film", "zzz"]).to_frame()
    assert frame.token.tolist() == ["A", "Splendid", "film", "zzz"]
    assert np.isfinite(frame.attribution).all()
    assert "Splendid" in explainer.explain(["A Splendid film"])._repr_html_()
    pipe = make_pipeline(SequenceVectorizer(min_df=5), cls(**QUICK)).fit(TEXTS, NAMES)
    frame = explained(pipe, TEXTS).explain(["really GOOD"]).to_frame()
    assert frame.token.tolist() == ["really", "GOOD"]


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients", "shapley", "kernel_shap", "lime"])
def test_empty_texts_and_single_words_are_explained(cls, method):
    clf = cls(**QUICK).fit([*TEXTS, "", ""], [*NAMES, "good", "bad"])
    explainer = explained(clf, TEXTS, method=method, method_params={"n_samples": 8})
    explanations = explainer.explain(["", "good", "", "a good film"])
    assert [len(part) for part in explanations.attributions] == [0, 1, 0, 3]
    assert explanations.completeness_error[[0, 2]].tolist() == [0, 0]
    assert explanations.to_frame()["sample"].tolist() == [1, 3, 3, 3]
    assert not explainer.transform([""]).any()
    assert len(explainer.explain([""]).to_frame()) == 0
    assert "<div" in explainer.explain([""])._repr_html_()


def test_words_are_cut_by_min_df_and_max_features():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    everything = explained(clf, TEXTS)
    assert sorted(everything.get_feature_names_out()) == [",", "a", "bad", "film", "good", "really"]
    assert sorted(explained(clf, TEXTS, min_df=7).vocabulary_) == ["a", "bad", "film", "good"]
    assert sorted(explained(clf, TEXTS, min_df=0.3).vocabulary_) == ["a", "bad", "film", "good"]
    few = explained(clf, TEXTS, max_features=2)
    assert len(few.vocabulary_) == 2
    assert few.transform(TEXTS).shape == (N, 2) == (N, len(few.feature_importances_))
    column = few.get_feature_names_out()[0]
    np.testing.assert_array_equal(
        few.transform(TEXTS)[:, 0], everything.transform(TEXTS)[:, everything.vocabulary_[column]]
    )


def test_words_that_come_twice_are_summed_or_averaged():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    summed, mean = (explained(clf, TEXTS, aggregate=how) for how in ("sum", "mean"))
    text = "good , really good"
    frame = summed.explain([text]).to_frame()
    place = summed.vocabulary_["good"]
    goods = frame[frame.token == "good"].attribution
    assert summed.transform([text])[0, place] == pytest.approx(goods.sum(), abs=1e-6)
    assert mean.transform([text])[0, place] == pytest.approx(goods.mean(), abs=1e-6)


def test_characters_are_tokens_too():
    pipe = make_pipeline(SequenceVectorizer("chars"), CNNClassifier(**QUICK)).fit(TEXTS, NAMES)
    frame = explained(pipe, TEXTS).explain(["a bad"]).to_frame()
    assert frame.token.tolist() == list("a bad")
    assert frame.position.tolist() == list(range(5))


# -- series


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_series_of_one_length_have_a_column_per_number(cls):
    clf = cls(**QUICK).fit(SERIES, Y)
    explainer = explained(clf, SERIES, n_steps=8, max_steps=8)
    names = explainer.get_feature_names_out()
    assert names[:3].tolist() == ["ch0_t0", "ch1_t0", "ch0_t1"]
    assert explainer.transform(SERIES).shape == (N, 12)
    explanations = explainer.explain(SERIES[:2])
    np.testing.assert_allclose(
        explanations.attributions[1].ravel(), explainer.transform(SERIES)[1], rtol=1e-4, atol=1e-6
    )
    frame = explanations.to_frame()
    assert frame.columns.tolist() == ["sample", "step", "channel", "value", "attribution", "target", "delta"]
    np.testing.assert_allclose(frame.value, SERIES[:2].ravel())
    assert frame.channel[:3].tolist() == ["ch0", "ch1", "ch0"]
    with pytest.raises(ValueError, match=r"X must have samples of shape \(6, 2\), as in fit, got \(5, 2\)"):
        explainer.transform(SERIES[:, :5])
    assert len(explainer.explain(SERIES[:2, :5]).to_frame()) == 20


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "shapley"])
def test_series_of_unequal_length_have_a_column_per_channel(cls, method):
    series = ragged_series()
    clf = cls(**QUICK).fit(series, Y)
    params = {
        "n_steps": 4,
        "max_steps": 4,
        "method_params": {"n_samples": 4} if method == "shapley" else None,
    }
    explainer = explained(clf, series, method=method, **params)
    assert explainer.get_feature_names_out().tolist() == ["ch0", "ch1"]
    explanations = explainer.explain(series)
    assert [part.shape for part in explanations.attributions] == [s.shape for s in series]
    np.testing.assert_allclose(
        explainer.transform(series), [part.sum(axis=0) for part in explanations.attributions], atol=1e-6
    )
    mean = explained(clf, series, method=method, aggregate="mean", **params)
    np.testing.assert_allclose(
        mean.transform(series), [part.mean(axis=0) for part in explanations.attributions], atol=1e-6
    )
    frame = explanations.to_frame()
    np.testing.assert_allclose(frame.value, np.concatenate(series).ravel())
    assert explainer.transform([np.random.RandomState(0).rand(20, 2)]).shape == (1, 2)


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_series_of_one_channel_and_empty_series_are_explained(cls):
    series = [np.random.RandomState(0).rand(2 + i % 3) for i in range(N)]
    clf = cls(**QUICK).fit(series, Y)
    explainer = explained(clf, series, n_steps=4, max_steps=4)
    explanations = explainer.explain([np.array([]), np.array([0.5, 0.1])])
    assert [part.shape for part in explanations.attributions] == [(0, 1), (2, 1)]
    assert explainer.transform([np.array([]), np.array([0.5])])[0].tolist() == [0]
    assert len(explanations.to_frame()) == 2
    assert "<svg" in explanations._repr_html_()
    assert "<div" in explainer.explain([np.array([])])._repr_html_()


@pytest.mark.parametrize("X", [SERIES, TABLE], ids=["series", "table"])
def test_baselines_that_stand_for_words_are_not_for_numbers(X):
    kind = "series" if X.ndim == 3 else "a? ?table"
    with pytest.raises(ValueError, match=f"baseline='unknown' is for words and labels, not for {kind}"):
        CaptumExplainer(RNNClassifier(**QUICK), baseline="unknown").fit(X, Y)


@pytest.mark.parametrize("X", [SERIES, TABLE, IMAGES], ids=["series", "table", "images"])
@pytest.mark.parametrize("baseline", ["mean", "zero"])
def test_what_is_like_the_baseline_gets_nothing(X, baseline):
    params = {"input_kind": "image"} if X is IMAGES else {}
    clf = CNNClassifier(**QUICK, **params).fit(X, Y)
    explainer = explained(clf, X, method="feature_ablation", baseline=baseline)
    assert explainer.baseline_ == baseline
    if baseline == "zero":
        sample = np.zeros_like(X[:1])
    else:  # statistics are those of a channel
        axes = 0 if X is TABLE else (0, 1) if X is SERIES else (0, 1, 2)
        sample = np.broadcast_to(X.mean(axis=axes), X[:1].shape).copy()
    assert np.abs(explainer.transform(sample)).max() < 1e-5
    assert np.abs(explainer.transform(X[:1])).max() > 1e-5


# -- tables


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier, RecursiveNetClassifier])
def test_tables_have_a_column_per_column(cls):
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    y = np.where(TABLE[:, 1] > 0.5, "high", "low")
    clf = cls(**LEARNS).fit(frame, y)
    explainer = explained(clf, frame, target="high", n_steps=8, max_steps=64)
    assert explainer.method_ == "integrated_gradients"
    assert explainer.get_feature_names_out().tolist() == ["a", "b", "c"]
    assert explainer.feature_importances_.argmax() == 1
    assert np.corrcoef(explainer.transform(frame)[:, 1], TABLE[:, 1])[0, 1] > 0.7
    shown = explainer.explain(frame[:2]).to_frame()
    assert shown.column.tolist() == ["a", "b", "c"] * 2
    np.testing.assert_allclose(shown.value, TABLE[:2].ravel())
    array = cls(**LEARNS).fit(TABLE, y)
    of_array = explained(array, TABLE, target="high", n_steps=8, max_steps=64)
    np.testing.assert_allclose(of_array.transform(TABLE), explainer.transform(frame), atol=1e-5)
    assert of_array.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    np.testing.assert_array_equal(of_array.transform(TABLE.tolist()), of_array.transform(TABLE))


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier, RecursiveNetClassifier])
@pytest.mark.parametrize("method", ["occlusion", "feature_ablation", "shapley", "saliency", "gradient_shap"])
def test_tables_can_be_explained_by_every_method(cls, method):
    clf = cls(**QUICK).fit(TABLE, Y)
    X = explained(clf, TABLE, method=method).transform(TABLE)
    assert X.shape == TABLE.shape
    assert np.isfinite(X).all()
    assert X.any()


def test_tables_must_be_those_of_fit():
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    explainer = CaptumExplainer(RNNClassifier(**QUICK)).fit(frame, Y)
    with pytest.raises(ValueError, match="feature names should match"):
        explainer.transform(frame[["b", "a", "c"]])
    with pytest.raises(ValueError, match="feature names should match"):
        explainer.explain(frame[["a", "b"]])


# -- images


@pytest.mark.parametrize("how", ["gray", "one channel", "colour", "uint8"])
def test_images_have_a_column_per_number(how):
    images = {
        "gray": IMAGES,
        "one channel": IMAGES[..., None],
        "colour": np.stack([IMAGES, IMAGES / 2, 1 - IMAGES], axis=-1),
        "uint8": (IMAGES * 255).astype(np.uint8),
    }[how]
    clf = CNNClassifier(**QUICK, input_kind="image").fit(images, Y)
    explainer = explained(clf, images)
    assert explainer.method_ == "occlusion"
    n_channels = 3 if how == "colour" else 1
    names = explainer.get_feature_names_out()
    assert len(names) == 8 * 6 * n_channels
    assert names[0] == "y0_x0_ch0"
    assert names[-1] == f"y7_x5_ch{n_channels - 1}"
    assert explainer.transform(images).shape == (N, len(names))
    explanations = explainer.explain(images[:2])
    assert explanations.attributions[0].shape == (8, 6, n_channels)
    frame = explanations.to_frame()
    assert frame.columns.tolist() == [
        "sample", "y", "x", "channel", "value", "attribution", "target", "delta",
    ]  # fmt: skip
    np.testing.assert_allclose(frame.value, images[:2].ravel())
    assert "<svg" in explanations._repr_html_() or "<img" in explanations._repr_html_()
    with pytest.raises(ValueError, match=rf"shape \(8, 6, {n_channels}\), as in fit, got \(8, 5, "):
        explainer.transform(images[:, :, :5])


@pytest.mark.parametrize("method", ["integrated_gradients", "grad_cam", "shapley", "lime", "kernel_shap"])
def test_images_can_be_explained_by_every_method(method):
    clf = CNNClassifier(**QUICK, input_kind="image").fit(IMAGES, Y)
    params = {"n_samples": 8, "window": 4} if method in ("shapley", "lime", "kernel_shap") else None
    explainer = explained(clf, IMAGES[:4], method=method, n_steps=4, max_steps=4, method_params=params)
    assert np.isfinite(explainer.transform(IMAGES[:4])).all()


# -- tensors


@pytest.mark.parametrize("X", [TABLE, SERIES, IMAGES[..., None]], ids=["table", "series", "images"])
def test_tensors_say_what_arrays_say(X):
    X = X.astype(np.float32)
    clf = CNNClassifier(**QUICK).fit(X, Y)
    explainer = explained(clf, X, method="input_x_gradient")
    tensor = torch.from_numpy(X)
    np.testing.assert_array_equal(explainer.transform(tensor), explainer.transform(X))
    of_tensors = explained(clf, tensor, method="input_x_gradient")
    np.testing.assert_array_equal(of_tensors.feature_importances_, explainer.feature_importances_)
    assert of_tensors.get_feature_names_out().tolist() == explainer.get_feature_names_out().tolist()
    frame = of_tensors.explain(tensor[:2]).to_frame()
    np.testing.assert_allclose(frame.value, X[:2].ravel(), rtol=1e-6)
    assert tensor.grad is None
    requires_grad = tensor.clone().requires_grad_()
    np.testing.assert_array_equal(explainer.transform(requires_grad), explainer.transform(X))
    assert requires_grad.grad is None


def test_a_step_that_puts_data_on_a_device_is_passed_through():
    pipe = make_pipeline(StandardScaler(), ToDevice("cpu"), RNNClassifier(**QUICK)).fit(TABLE, Y)
    explainer = explained(pipe, TABLE)
    assert explainer.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    trees = make_pipeline(TreeVectorizer(), ToDevice("cpu"), RecursiveNetClassifier(**QUICK)).fit(TREES, Y)
    assert "works" in explained(trees, TREES).vocabulary_


# -- trees


TUPLES = [("S", ("NP", "it"), ("VP", "works")), ("S", ("NP", "it"), ("VP", "fails"))] * 12


def test_trees_of_all_formats_say_the_same():
    brackets = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 12
    clf = RecursiveNetClassifier(**QUICK).fit(brackets, NAMES)
    explainer = explained(clf, brackets)
    expected = explainer.explain(brackets).to_frame()
    assert expected.columns.tolist() == [
        "sample", "node", "parent", "position", "token", "is_leaf", "attribution", "own", "target", "delta",
    ]  # fmt: skip
    formats = {
        "tuples": TUPLES,
        "nltk": [NltkTree.fromstring(text) for text in brackets],
        "TreeArray": TreeArray.from_trees(brackets),
        "Series": pd.Series(brackets),
        "frame": pd.DataFrame({"tree": brackets}),
        "Tree": list(TreeArray.from_trees(brackets)),
        "dicts": [
            {
                "label": "S",
                "children": [
                    {"label": "NP", "children": [{"label": "it"}]},
                    {"label": "VP", "children": [{"label": word}]},
                ],
            }
            for word in ["works", "fails"] * 12
        ],
    }
    for trees in formats.values():
        pd.testing.assert_frame_equal(explained(clf, trees).explain(trees).to_frame(), expected)


def test_a_sentence_can_be_read_from_the_frame_of_a_tree():
    clf = RecursiveNetClassifier(**QUICK).fit(TREES, NAMES)
    frame = explained(clf, TREES).explain(["(S (NP it) (VP works))", "(VP fails not)"]).to_frame()
    first = frame[frame["sample"] == 0]
    assert first.node.tolist() == list(range(5))
    leaves = first[first.is_leaf].sort_values("position")
    assert leaves.token.tolist() == ["it", "works"]
    assert leaves.position.tolist() == [0, 1]
    assert (first[~first.is_leaf].position == -1).all()
    assert first.set_index("node").parent.value_counts().to_dict() == {-1: 1, 0: 2, 1: 1, 3: 1}
    assert frame[frame["sample"] == 1].token.tolist() == ["VP", "fails", "not"]


def test_programs_are_explained():
    sources = ["x = 1", "print(x)", "y = x + 1", "f(1, 2)"] * 6
    trees = [ast.parse(source) for source in sources]
    clf = RecursiveNetClassifier(**QUICK).fit(trees, Y)
    frame = explained(clf, trees).explain(trees[:2]).to_frame()
    assert {"Module", "Assign", "Call"} <= set(frame.token)
    pipe = make_pipeline(TreeParser("python"), TreeVectorizer(), RecursiveNetClassifier(**QUICK))
    parsed = explained(pipe.fit(sources, Y), sources).explain(["print(unseen)"]).to_frame()
    assert {"Call", "print", "unseen"} <= set(parsed.token)


def test_trees_through_a_vectorizer_are_shown_as_written():
    trees = [text.upper() if i % 2 else text for i, text in enumerate(TREES)]
    vectorizer = TreeVectorizer(lowercase=True, min_df=2)
    pipe = make_pipeline(vectorizer, RecursiveNetClassifier(**QUICK)).fit(trees, NAMES)
    explainer = explained(pipe, trees)
    assert set(explainer.vocabulary_) == {"s", "np", "vp", "it", "works", "fails", "not"}
    frame = explainer.explain(["(S (NP Rain) (VP Works))"]).to_frame()
    assert frame.token.tolist() == ["S", "NP", "Rain", "VP", "Works"]
    encoded = vectorizer.transform(trees)
    alone = explained(pipe[-1], encoded)
    np.testing.assert_array_equal(alone.transform(encoded), explainer.transform(trees))
    assert set(alone.explain(encoded[:1]).to_frame().token) <= {str(i) for i in range(2, 20)}


@pytest.mark.parametrize("options", [{"inner_labels": False}, {"edge_labels": False}])
def test_trees_that_a_vectorizer_changes_are_explained_as_the_net_sees_them(options):
    pipe = make_pipeline(TreeVectorizer(**options), RecursiveNetClassifier(**QUICK)).fit(TREES, NAMES)
    explanations = explained(pipe, TREES).explain(TREES[:2])
    sizes = pipe[0].transform(TREES[:2]).sizes
    assert [len(part) for part in explanations.attributions] == sizes.tolist()
    frame = explanations.to_frame()
    leaves = frame[frame.is_leaf & (frame["sample"] == 0)]
    assert leaves.token.tolist() == ["it", "works"]


@pytest.mark.parametrize(
    "method", ["occlusion", "integrated_gradients", "shapley", "interaction", "node_prediction"]
)
def test_trees_of_one_node_and_unseen_labels_are_explained(method):
    clf = RecursiveNetClassifier(**QUICK).fit(TREES, NAMES)
    explainer = explained(clf, TREES, method=method)
    explanations = explainer.explain(["(works)", "(unseen)", "(unseen works)"])
    assert [len(part) for part in explanations.attributions] == [1, 1, 2]
    assert explanations.to_frame().token.tolist() == ["works", "unseen", "unseen", "works"]
    assert np.isfinite(explanations.to_frame().attribution).all()
    assert not explainer.transform(["(unseen)"]).any()
    assert "unseen" in explanations._repr_html_()


def measured_trees():
    """Trees with a number on some nodes and a name on some edges; the number decides."""
    rng = np.random.RandomState(0)
    values = rng.rand(N)

    def leaf(value):
        return TreeNode("leaf", [], value=value, edge="left")

    trees = [
        TreeNode("root", [Node(leaf(v)), Node(TreeNode("other", [], edge="right"))]) for v in values.tolist()
    ]
    return [Node(tree) for tree in trees], values


class Node:
    """A type of tree of somebody's own."""

    def __init__(self, node):
        self.node = node


@pytest.fixture
def measured():
    from sklearn_tree import register_tree_type

    register_tree_type(Node, _read_node)
    return measured_trees()


def _read_node(node):
    return node.node


@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients", "shapley"])
def test_numbers_on_nodes_and_names_on_edges_are_explained(measured, method):
    trees, values = measured
    reg = RecursiveNetRegressor(**{**LEARNS, "max_epochs": 40}).fit(trees, values)
    explainer = explained(reg, trees, method=method)
    frame = explainer.explain(trees).to_frame()
    assert frame.token[:3].tolist() == ["root", "leaf", "other"]
    np.testing.assert_allclose(frame.value[frame.token == "leaf"], values)
    assert frame.value[frame.token != "leaf"].isna().all()
    own = frame[frame.token == "leaf"].own
    assert np.corrcoef(own, values)[0, 1] > 0.8
    assert np.isfinite(frame.attribution).all()
    assert explainer.explain(trees[:2])._repr_html_()


@pytest.mark.parametrize("pooling", ["root", "mean", "max", "attention"])
@pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_lstm", "child_sum_gru", "nary_gru", "rnn", "rntn"])
def test_all_cells_and_poolings_are_explained(cell, pooling):
    clf = RecursiveNetClassifier(cell, pooling=pooling, **QUICK).fit(TREES, NAMES)
    for method in ("occlusion", "integrated_gradients"):
        explanations = explained(clf, TREES, method=method).explain(TREES[:4])
        assert np.isfinite(explanations.to_frame().attribution).all()
    assert adds_up(explanations)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_all_recurrent_nets_are_explained(cell, pooling):
    clf = RNNClassifier(cell, pooling=pooling, n_layers=2, **QUICK).fit(TEXTS, NAMES)
    assert adds_up(explained(clf, TEXTS, method="integrated_gradients").explain(TEXTS[:4]))
