"""Batches: every row once, trees of one height together, large batches in parts with the same result."""

import joblib
import numpy as np
import pytest
import skorch
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV
from torch.utils.data import Subset

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, Tree, TreeArray
from sklearn_tree.datasets import make_listops
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset, SplitBatch, split_by_size
from sklearn_tree.kinds import Trees


@pytest.fixture(scope="module")
def listops():
    X, y = make_listops(300, max_depth=6, max_args=4, random_state=0)
    return RecursiveNetClassifier(max_epochs=1, random_state=0).fit(X, y).vectorizer_.transform(X), y


def rows_of(iterator):
    """The targets of each batch, which here are the numbers of the rows."""
    return [y.tolist() for _, y in iterator]


@given(n=st.integers(1, 40), batch_size=st.integers(1, 9), shuffle=st.booleans(), drop_last=st.booleans())
def test_every_row_comes_once(n, batch_size, shuffle, drop_last):
    trees = TreeArray.from_trees([f"(S {'(S ' * (i % 5)}a{')' * (i % 5)})" for i in range(n)])
    batches = rows_of(
        BatchIterator(EncodedDataset(trees, np.arange(n), kind=Trees()), batch_size, shuffle, drop_last)
    )
    rows = [row for batch in batches for row in batch]
    assert len(rows) == len(set(rows)) == (n - n % batch_size if drop_last else n)
    assert sorted(map(len, batches), reverse=True)[: n // batch_size] == [batch_size] * (n // batch_size)
    if not shuffle:
        assert rows == sorted(rows)


def test_shuffled_trees_of_one_height_come_together_in_an_order_of_their_own(listops):
    X, _ = listops
    dataset, heights = (
        EncodedDataset(X, np.arange(300), kind=Trees()),
        np.maximum.reduceat(X.depths, X.offsets[:-1]),
    )

    def spread(batches):
        return np.mean([np.ptp(heights[rows]) for rows in batches])

    torch.manual_seed(0)
    one, two = (rows_of(BatchIterator(dataset, 10, shuffle=True)) for _ in range(2))
    torch.manual_seed(0)
    assert rows_of(BatchIterator(dataset, 10, shuffle=True)) == one != two
    plain = torch.randperm(300).reshape(-1, 10).numpy()
    assert spread(one) < 0.5 * spread(plain)
    firsts = [heights[rows].mean() for rows in one]
    assert firsts != sorted(firsts)
    subset = rows_of(BatchIterator(Subset(dataset, range(100, 300)), 10, shuffle=True))
    assert sorted(row for rows in subset for row in rows) == list(range(100, 300))


def test_a_short_batch_does_not_get_the_highest_trees():
    heights = np.arange(577) % 50
    trees = TreeArray.from_trees([Tree([2] * (h + 1), list(range(-1, h))) for h in heights])
    dataset = EncodedDataset(trees, heights, kind=Trees())
    torch.manual_seed(0)
    short = [
        y.double().mean()
        for _ in range(100)
        for _, y in BatchIterator(dataset, 64, shuffle=True)
        if len(y) < 64
    ]
    assert len(short) == 100
    assert abs(np.mean(short) - heights.mean()) < 6  # of one tree each, so the mean strays by 1.4


def test_few_batches_stay_mixed(listops):
    """Sorted as a whole, small data would come in the same batches in every epoch."""
    dataset = EncodedDataset(listops[0], np.arange(300), kind=Trees())
    one, two = (rows_of(BatchIterator(dataset, 50, shuffle=True)) for _ in range(2))
    assert {frozenset(rows) for rows in one} != {frozenset(rows) for rows in two}


def test_runs_hold_no_more_than_they_may():
    rows = np.arange(6)
    runs = split_by_size(rows, np.array([3, 4, 9, 1, 1, 1]), 7)
    assert [run.tolist() for run in runs] == [[0, 1], [2], [3, 4, 5]]
    assert len(split_by_size(rows, np.ones(6, dtype=int), 6)) == 1


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RecursiveNetRegressor])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_in_parts_gives_the_same_result(cls, weighted, listops):
    X, y = listops
    weight = np.random.RandomState(0).rand(300) if weighted else None
    fits = [
        cls(max_batch_nodes=limit, max_epochs=3, batch_size=100, random_state=0).fit(
            X[:200], y[:200], sample_weight=None if weight is None else weight[:200],
            X_val=X[200:], y_val=y[200:],
        )
        for limit in (None, 700, 1)
    ]  # fmt: skip
    whole, *split = fits
    for clf in split:
        for column in ("train_loss", "valid_loss", "valid_score"):
            np.testing.assert_allclose(clf.history_[column], whole.history_[column], rtol=2e-3)
        np.testing.assert_allclose(clf.transform(X), whole.transform(X), rtol=0, atol=2e-2)
        whole_again = clf.transform(X)
        clf.net_.iterator_valid__max_nodes = None
        np.testing.assert_allclose(clf.transform(X), whole_again, rtol=0, atol=1e-6)


def test_parts_have_the_gradient_of_the_whole(listops):
    X, y = listops
    clf = RecursiveNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    dataset = EncodedDataset(X, y.astype(np.int64), np.random.RandomState(0).rand(300), kind=Trees())

    def gradients(max_nodes):
        batch = dataset.batch(np.arange(100), max_nodes)
        assert isinstance(batch[0], SplitBatch) == (max_nodes is not None)
        clf.net_.module_.zero_grad()
        step = clf.net_.train_step_single(batch)
        return step, [p.grad.clone() for p in clf.net_.module_.parameters()]

    (one, whole), (two, parts) = gradients(None), gradients(500)
    torch.testing.assert_close(one["loss"].detach(), two["loss"], rtol=1e-6, atol=0)
    torch.testing.assert_close(one["y_pred"].detach(), two["y_pred"], rtol=0, atol=1e-6)
    for a, b in zip(whole, parts):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6 + 1e-5 * float(a.abs().max()))
    assert two["loss"].grad_fn is None


def alike(n):
    """Trees of few phrases, many of them the same."""
    rng = np.random.RandomState(0)
    phrases = [f"(P (Q {word}) {other})" for word in "ab" for other in "cd"]
    return [f"(S {' '.join(rng.choice(phrases, 3))})" for _ in range(n)], np.arange(n) % 2


def shared_batches(X, y, **params):
    """Fit, and return the estimator and whether each batch shared its equal subtrees."""
    clf, seen = RecursiveNetClassifier(max_epochs=2, random_state=0, **params), []

    class Watch(skorch.callbacks.Callback):
        def on_batch_begin(self, net, batch, training, **kwargs):
            seen.append(batch[0].shared is not None)

    clf.set_params(callbacks=[Watch()]).fit(X, y)
    return clf, seen


def test_equal_subtrees_are_learned_once_with_the_same_result():
    X, y = alike(200)
    shared, seen = shared_batches(X, y)
    assert all(seen)
    params = {"iterator_train__share_subtrees": False}
    plain, seen = shared_batches(X, y, net_params=params)
    assert not any(seen)
    np.testing.assert_allclose(shared.predict_proba(X), plain.predict_proba(X), rtol=0, atol=1e-3)
    np.testing.assert_allclose(shared.history_.train_loss, plain.history_.train_loss, rtol=1e-4)
    again, _ = shared_batches(X, y)
    assert np.array_equal(shared.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("params", [{"dropout": 0.1}, {"word_dropout": 0.1}])
def test_what_is_dropped_at_random_is_not_shared(params):
    assert not any(shared_batches(*alike(100), **params)[1])


def test_subtrees_that_differ_are_not_shared():
    y = np.arange(100) % 2
    different = [f"(S (P a{i} b{i}) (Q c{i}))" for i in range(100)]
    assert not any(shared_batches(different, y)[1])
    assert not any(shared_batches(np.random.RandomState(0).rand(100, 3), y)[1])
    chains = ["(S " * 30 + "a" + ")" * 30] * 2  # equal, but a search level by level would take longer
    assert not any(shared_batches(chains, y[:2])[1])


def test_predictions_keep_the_order_of_the_rows(listops):
    X, y = listops
    clf = RecursiveNetClassifier(max_epochs=1, batch_size=7, random_state=0).fit(X, y)
    order = np.random.RandomState(0).permutation(300)
    np.testing.assert_allclose(clf.predict_proba(X)[order], clf.predict_proba(X[order]), rtol=0, atol=1e-6)
    alone = np.vstack([clf.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(clf.predict_proba(X)[:20], alone, rtol=0, atol=1e-6)


def test_the_limit_may_change_after_a_fit(listops, monkeypatch):
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
def test_a_limit_that_is_none_is_refused(bad, listops):
    with pytest.raises(ValueError, match=f"'max_batch_nodes' parameter .* Got {bad}"):
        RecursiveNetClassifier(max_batch_nodes=bad).fit(*listops)


def test_workers_share_the_cores_and_threads_stay_as_they_are(listops):
    X, y = listops
    before = torch.get_num_threads()

    def n_threads(estimator, X, y):  # inside, so that it travels by value
        return torch.get_num_threads()

    search = GridSearchCV(
        RecursiveNetClassifier(max_epochs=1, random_state=0),
        {"lr": [0.01, 0.02]},
        cv=2,
        n_jobs=2,
        scoring=n_threads,
    ).fit(X, y)
    assert search.best_score_ <= max(1, joblib.cpu_count() // 2)
    assert torch.get_num_threads() == before
