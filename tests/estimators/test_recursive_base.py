"""Parameters of recursive nets."""

import numpy as np
import pytest
import skorch
from samples import BRACKETS, Y

from sklearn_tree import RecursiveNetClassifier


def repetitive_trees(n):
    """Return trees of few different phrases, and classes."""
    rng = np.random.RandomState(0)
    phrases = [f"(P (Q {word}) {other})" for word in "ab" for other in "cd"]
    return [f"(S {' '.join(rng.choice(phrases, 3))})" for _ in range(n)], np.arange(n) % 2


def fit_and_record_sharing(X, y, **params):
    """Return a fitted estimator and whether each batch shared its equal subtrees."""
    clf, seen = RecursiveNetClassifier(max_epochs=2, random_state=0, **params), []

    class Watch(skorch.callbacks.Callback):
        def on_batch_begin(self, net, batch, training, **kwargs):
            seen.append(batch[0].shared is not None)

    clf.set_params(callbacks=[Watch()]).fit(X, y)
    return clf, seen


def test_sharing_equal_subtrees_does_not_change_the_fit():
    X, y = repetitive_trees(200)
    shared, seen = fit_and_record_sharing(X, y)
    assert all(seen)
    params = {"iterator_train__share_subtrees": False}
    plain, seen = fit_and_record_sharing(X, y, net_params=params)
    assert not any(seen)
    np.testing.assert_allclose(shared.predict_proba(X), plain.predict_proba(X), rtol=0, atol=1e-3)
    np.testing.assert_allclose(shared.history_.train_loss, plain.history_.train_loss, rtol=1e-4)
    repeated, _ = fit_and_record_sharing(X, y)
    assert np.array_equal(shared.predict_proba(X), repeated.predict_proba(X))


@pytest.mark.parametrize("params", [{"dropout": 0.1}, {"word_dropout": 0.1}])
def test_dropout_disables_the_sharing_of_subtrees(params):
    assert not any(fit_and_record_sharing(*repetitive_trees(100), **params)[1])


def test_distinct_subtrees_and_chains_are_not_shared():
    y = np.arange(100) % 2
    different = [f"(S (P a{i} b{i}) (Q c{i}))" for i in range(100)]
    assert not any(fit_and_record_sharing(different, y)[1])
    assert not any(fit_and_record_sharing(np.random.RandomState(0).rand(100, 3), y)[1])
    chains = ["(S " * 30 + "a" + ")" * 30] * 2  # equal, but the search does not pay off
    assert not any(fit_and_record_sharing(chains, y[:2])[1])


def test_max_batch_nodes_can_change_after_a_fit(listops, monkeypatch):
    X, y = listops
    clf, seen = RecursiveNetClassifier(max_epochs=1, warm_start=True, random_state=0).fit(X, y), []
    walk = type(clf.net_.module_).encode
    monkeypatch.setattr(
        type(clf.net_.module_),
        "encode",
        lambda self, batch: (seen.append(batch.n_nodes), walk(self, batch))[1],
    )
    largest = int(X.sizes.max())
    for run in (lambda: clf.fit(X, y), lambda: clf.predict(X)):
        clf.set_params(max_batch_nodes=None)
        run()
        assert max(seen) > 2 * largest
        seen.clear()
        clf.set_params(max_batch_nodes=largest)
        run()
        assert max(seen) <= largest
        seen.clear()


@pytest.mark.parametrize("bad", [0, -1, 1.5])
def test_an_invalid_max_batch_nodes_is_rejected(bad, listops):
    with pytest.raises(ValueError, match=f"'max_batch_nodes' parameter .* Got {bad}"):
        RecursiveNetClassifier(max_batch_nodes=bad).fit(*listops)


def test_parameters_reach_the_net():
    own = {"cell": "nary_gru", "pooling": "mean", "bidirectional": True, "max_arity": 3}
    own |= {"hidden_size": 5, "embedding_dim": 7}
    clf = RecursiveNetClassifier(**own, dropout=0.25, word_dropout=0.5, max_batch_nodes=99)
    params = clf.make_net(BRACKETS, Y).get_params()
    for name, value in {**own, "dropout": 0.25, "word_dropout": 0.5}.items():
        assert params[f"module__{name}"] == value
    assert params["iterator_train__max_nodes"] == params["iterator_valid__max_nodes"] == 99


@pytest.mark.parametrize(("max_arity", "expected"), [(None, 5), (2, 2), (9, 9)])
def test_max_arity_defaults_to_the_largest_of_the_training_trees(max_arity, expected):
    clf = RecursiveNetClassifier("nary_lstm", max_arity=max_arity, max_epochs=1)
    net = clf.fit(["(S a b c d e)", "(S a)"], [0, 1]).net_
    assert net.module_.encoder.cell.max_arity == expected


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"cell": "lstm"}, ValueError, "'cell' parameter of RecursiveNetClassifier must be .* Got 'lstm'"),
        ({"cell": int}, TypeError, "'cell' .* or a subclass of TreeCell. Got <class 'int'>"),
        ({"cell": lambda *sizes: None}, ValueError, "'cell' .* or a subclass of TreeCell. Got <function"),
        ({"cell": RecursiveNetClassifier()}, ValueError, "'cell' parameter"),
        ({"pooling": "last"}, ValueError, "'pooling' parameter"),
        ({"max_arity": 0}, ValueError, "'max_arity' parameter .* Got 0"),
    ],
)
def test_invalid_parameters_are_rejected(params, error, message):
    with pytest.raises(error, match=message):
        RecursiveNetClassifier(**params).fit(BRACKETS, Y)
