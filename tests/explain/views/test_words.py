"""Baselines and columns of words."""

import numpy as np
import pytest
from explain_helpers import QUICK, TEXTS, TREES, Y

from sklearn_tree import RecursiveNetClassifier, RNNClassifier
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.views import find_view

each_kind = pytest.mark.parametrize(
    ("cls", "X", "unseen"),
    [(RNNClassifier, TEXTS, "a dull film"), (RecursiveNetClassifier, TREES, "(S (NP it) (VP sleeps))")],
    ids=["texts", "trees"],
)


def make_view(cls, X, samples, **params):
    """Return the view of a fitted net, the net, and encoded samples."""
    net = ExplainedNet(cls(**QUICK, **params).fit(X, Y))
    return find_view(net.kind), net, net.encode(samples)[0]


@each_kind
def test_the_mean_baseline_is_the_mean_vector_of_all_words(cls, X, unseen):
    view, net, encoded = make_view(cls, X, [*X[:3], unseen])
    weight = net.module.label_table().numpy(force=True)
    ids = view.ids(encoded).tolist()
    assert 1 in ids  # the unknown word counts
    mean = sum(weight[i] for i in ids) / len(ids)
    np.testing.assert_allclose(view.choose_baseline(net, encoded, "mean"), mean, atol=1e-6)
    assert not view.choose_baseline(net, encoded, "zero").any()
    assert np.abs(mean - view.choose_baseline(net, encoded, "unknown")).max() > 1e-3  # the control


@each_kind
def test_the_automatic_baseline_is_the_unknown_word_only_if_the_net_has_learned_it(cls, X, unseen):
    for word_dropout, name, other in ((0.2, "unknown", "mean"), (0, "mean", "unknown")):
        view, net, encoded = make_view(cls, X, X, word_dropout=word_dropout)
        found = view.choose_baseline(net, encoded, "auto")
        np.testing.assert_array_equal(found, view.choose_baseline(net, encoded, name))
        assert np.abs(found - view.choose_baseline(net, encoded, other)).max() > 1e-3  # the control


def test_columns_are_the_words_of_enough_samples():
    view, net, encoded = make_view(RNNClassifier, TEXTS, TEXTS)
    for min_df in (1, 7):
        features = view.learn_features(net, encoded, aggregate="sum", min_df=min_df, max_features=None)
        counts = {word: sum(word in text.split() for text in TEXTS) for word in " ".join(TEXTS).split()}
        assert set(features.names) == {word for word, count in counts.items() if count >= min_df}
    assert 0 < len(features.names) < len(counts)  # the control


@each_kind
def test_the_automatic_baseline_is_that_of_the_fitted_net(cls, X, unseen):
    view, net, encoded = make_view(cls, X, X, word_dropout=0.2)
    expected = view.choose_baseline(net, encoded, "auto")
    net.estimator.set_params(word_dropout=0.0)
    np.testing.assert_array_equal(view.choose_baseline(net, encoded, "auto"), expected)
    assert np.abs(view.choose_baseline(net, encoded, "mean") - expected).max() > 1e-3  # the control
