"""The linear path is a penalised linear model over labels, fitted before the net and left out of nothing."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from samples import BRACKETS, CLASSIFIERS, IDS, TABLE, TEXTS, Y, outputs
from samples import quick as make_quick
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from skorch.callbacks import Callback

from sklearn_tree import (
    CNNClassifier,
    RaggedArray,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    Tree,
    TreeVectorizer,
    predict_nodes,
)
from sklearn_tree.estimators import linear_path
from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.training import split_validation
from sklearn_tree.explain import CaptumExplainer

WORDS = np.array(list("abcdefghijkl"))
RNG = np.random.RandomState(0)
N = 150
BAGS = [" ".join(RNG.choice(WORDS, RNG.randint(2, 9))) for _ in range(N)]
CLASSES = np.array([("a" in x) + ("b" in x and "c" not in x) for x in BAGS])
NUMBERS = np.array([x.count("a") - 2.0 * x.count("b") for x in BAGS])
WEIGHTS = np.where(RNG.rand(N) < 0.3, 0.0, RNG.rand(N))
STILL = {"linear_path": True, "lr": 1e-9, "max_epochs": 1, "random_state": 0}  # leaves the net as it starts


def quick(cls, **params):
    """Return a small estimator with a linear path, whatever the vocabulary."""
    return make_quick(cls, **{"linear_path": True, **params})


def make_features(texts):
    """Return the features of the training samples and idf, words in order, then the bigrams that occur."""
    split = [text.split() for text in texts]
    bigrams = sorted({pair for words in split for pair in pairwise(words)})
    counts = np.array(
        [[*map(words.count, WORDS), *map(list(pairwise(words)).count, bigrams)] for words in split],
        dtype=float,
    )
    idf = np.log((1 + len(texts)) / (1 + (counts > 0).sum(0))) + 1
    return counts * idf / np.sqrt([[len(words)] for words in split]), idf


def fitted_weights(estimator):
    """Return the bias and the weights of words and bigrams of a linear path, shape (1 + n, n_outputs)."""
    path = estimator.net_.module_.linear
    ids = estimator.vectorizer_.transform([" ".join(WORDS)]).values
    order = {i: k for k, i in enumerate(ids)}
    codes = path.bigrams.numpy()
    pairs = [(order[a], order[b]) for a, b in zip(codes // len(path.weight), codes % len(path.weight))]
    rows = np.array(sorted(range(len(pairs)), key=pairs.__getitem__), dtype=int)
    return np.vstack([path.bias.numpy(), path.weight.numpy()[ids], path.bigram_weight.numpy()[rows]])


def sequences(ids):
    """Return sequences of ids as encoded samples."""
    return RaggedArray(np.concatenate(ids).astype(int), np.cumsum([0, *map(len, ids)]))


def samples_of(estimator, X, y, weight=None):
    """Return the samples of the linear model, as ``fit`` makes them for a fitted estimator."""
    encoded = estimator.kind_.read(X)
    data = EncodedDataset(encoded, estimator._encode_y(y), weight, kind=estimator.kind_).normalize()
    path = estimator.net_.module_.linear
    features, *_ = linear_path._compute_features(data, *path.weight.shape)
    return linear_path._Samples(
        features, data.y, data.sample_weight, estimator.net_.weighted_loss, path.bias.double()
    )


@pytest.fixture
def one_strength(monkeypatch):
    monkeypatch.setattr(linear_path, "_STRENGTHS", (0.5,))
    monkeypatch.setattr(linear_path, "_TOLERANCE", 1e-7)
    monkeypatch.setattr(linear_path, "_MAX_ITERATIONS", 1000)
    return 0.5


# The model.


@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["equal", "weighted"])
def test_weights_are_those_of_logistic_regression(weight, one_strength):
    clf = RNNClassifier(**STILL).fit(BAGS, CLASSES, sample_weight=weight)
    features, idf = make_features(BAGS)
    with_bias = np.hstack([np.full((N, 1), 10.0), features])  # a penalty of 0.01 for the bias
    reference = LogisticRegression(C=1 / one_strength, fit_intercept=False, tol=1e-8, max_iter=2000)
    reference.fit(with_bias, CLASSES, sample_weight=None if weight is None else weight / weight.mean())
    expected = reference.coef_.T * np.r_[10.0, idf][:, None]
    np.testing.assert_allclose(fitted_weights(clf), expected, atol=2e-3)
    assert np.abs(expected).max() > 1  # the control


def test_weights_are_those_of_ridge_regression(one_strength):
    reg = RNNRegressor(**STILL).fit(BAGS, NUMBERS)
    features, idf = make_features(BAGS)
    reference = Ridge(alpha=one_strength / 2, fit_intercept=False)
    reference.fit(np.hstack([np.full((N, 1), 10.0), features]), (NUMBERS - NUMBERS.mean()) / NUMBERS.std())
    expected = reference.coef_ * np.r_[10.0, idf]
    np.testing.assert_allclose(fitted_weights(reg)[:, 0], expected, atol=4e-3)  # the loss is float32


@pytest.mark.parametrize(
    "target", [CLASSES, np.c_[CLASSES, CLASSES[::-1]], np.c_[CLASSES > 0, CLASSES < 2].astype(int)]
)
def test_the_gradient_of_the_penalised_loss_is_zero(target, monkeypatch):
    monkeypatch.setattr(linear_path, "_TOLERANCE", 1e-7)
    clf = CNNClassifier(**STILL).fit(BAGS, target)
    samples = samples_of(clf, BAGS, target)
    coef = samples.fit(0.3)
    _, gradient = samples.evaluate(samples.predict(coef))
    slopes = np.vstack([gradient.sum(0), samples.features.T @ gradient])
    slopes += 0.3 * np.r_[0.01, np.ones(len(coef) - 1)][:, None] * coef
    assert np.abs(slopes).max() < 5e-3
    assert np.abs(gradient).sum() > 1  # the control


def test_words_and_trees_with_the_same_labels_have_the_same_weights(one_strength):
    one = RNNClassifier(**STILL).fit([text.split()[0] for text in BAGS], CLASSES)  # no bigrams
    trees = [Tree([text.split()[0]], [-1]) for text in BAGS]
    two = RecursiveNetClassifier(**STILL).fit(trees, CLASSES)
    ids = two.vectorizer_.transform([Tree([*WORDS], [-1, *[0] * (len(WORDS) - 1)])]).labels
    np.testing.assert_allclose(
        two.net_.module_.linear.weight.numpy()[ids], fitted_weights(one)[1:], atol=1e-4
    )


def test_samples_of_weight_zero_do_not_matter(one_strength):
    changed = np.where(WEIGHTS == 0, 2 - CLASSES, CLASSES)
    one, two = (RNNClassifier(**STILL).fit(BAGS, y, sample_weight=WEIGHTS) for y in (CLASSES, changed))
    np.testing.assert_allclose(
        fitted_weights(one), fitted_weights(two), atol=5e-3
    )  # L-BFGS stops at its tolerance
    other = RNNClassifier(**STILL).fit(BAGS, 2 - CLASSES, sample_weight=WEIGHTS)  # the control
    assert np.abs(fitted_weights(one) - fitted_weights(other)).max() > 0.1


def test_class_weights_are_sample_weights(one_strength):
    by_class = {0: 1.0, 1: 5.0, 2: 2.0}
    one = RNNClassifier(class_weight=by_class, **STILL).fit(BAGS, CLASSES)
    weight = np.array([by_class[y] for y in CLASSES])
    two = RNNClassifier(**STILL).fit(BAGS, CLASSES, sample_weight=weight)
    np.testing.assert_allclose(fitted_weights(one), fitted_weights(two), atol=1e-4)


# Cross-validation.


def test_held_out_logits_do_not_depend_on_the_targets_of_their_fold(one_strength):
    clf = quick(RNNClassifier).fit(BAGS, CLASSES)
    folds = linear_path._make_folds(N, CLASSES, 0)
    changed = np.where(folds == 2, (CLASSES + 1) % 3, CLASSES)
    one, two = (
        linear_path._choose_strength(samples_of(clf, BAGS, y), folds).logits for y in (CLASSES, changed)
    )
    np.testing.assert_array_equal(one[folds == 2], two[folds == 2])
    assert np.abs(one - two)[folds != 2].max() > 0.1  # the control


def test_the_penalty_has_the_least_held_out_loss():
    clf, folds = quick(RNNClassifier).fit(BAGS, CLASSES), linear_path._make_folds(N, CLASSES, 0)
    samples = samples_of(clf, BAGS, CLASSES)
    losses = {}
    for strength in linear_path._STRENGTHS:
        logits = np.empty((N, 3))
        for k in range(5):
            coef = samples.take(np.flatnonzero(folds != k)).fit(strength)
            logits[folds == k] = samples.take(np.flatnonzero(folds == k)).predict(coef)
        losses[strength] = -log_softmax(logits, axis=1)[np.arange(N), CLASSES].mean()
    best = linear_path._choose_strength(samples, folds)
    assert best.strength == min(losses, key=losses.get)
    found = -log_softmax(best.logits, axis=1)[np.arange(N), CLASSES].mean()
    np.testing.assert_allclose(found, losses[best.strength], atol=1e-3)


def test_noise_gets_the_strongest_penalty_and_a_clean_problem_the_weakest():
    clf, folds = quick(RNNClassifier).fit(BAGS, CLASSES), linear_path._make_folds(N, None, 0)
    noise = np.random.RandomState(1).randint(0, 3, N)
    clean = np.array([x.count("a") > 0 for x in BAGS]) * 2
    found = [linear_path._choose_strength(samples_of(clf, BAGS, y), folds).strength for y in (noise, clean)]
    assert found == [linear_path._STRENGTHS[0], linear_path._STRENGTHS[-1]]


@pytest.mark.parametrize("n", [2, 3, 5, 11, 150])
def test_folds_are_of_equal_size_in_total_and_in_each_class(n):
    strata = np.arange(n) % 2
    folds = linear_path._make_folds(n, strata, 0)
    for rows in (np.arange(n) >= 0, strata == 0, strata == 1):
        assert np.ptp(np.bincount(folds[rows], minlength=min(n, 5))) <= 1
    assert set(folds) == set(range(min(n, 5)))


def test_the_net_is_trained_beside_held_out_logits(monkeypatch):
    seen = []
    n_features = make_features(BAGS)[0].shape[1]
    held_out = linear_path._HeldOut(1.0, np.full((N, 3), [0.0, 7.0, 9.0]), np.zeros((1 + n_features, 3)))
    monkeypatch.setattr(linear_path, "_choose_strength", lambda *args: held_out)

    class Watch(Callback):
        def on_train_begin(self, net, X, y, **kwargs):
            with torch.no_grad():
                batch, _ = X.batch(np.arange(N))
                seen.append(net.module_.train()(batch) + batch.correction)

    RNNClassifier(callbacks=[Watch()], **STILL).fit(BAGS, CLASSES)
    expected = np.tile([0.0, 7.0, 9.0], (N, 1))  # the last layer is zero in the beginning
    np.testing.assert_allclose(seen[0].numpy(), expected, atol=1e-5)


# What the path and the net learn.


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_the_path_learns_a_bag_problem_without_the_net(cls):
    X = [f"({' '.join(text.split())})" for text in BAGS] if cls is RecursiveNetClassifier else BAGS
    y = np.array([text.count("a") > text.count("b") for text in BAGS])
    assert cls(**STILL).fit(X[:100], y[:100]).score(X[100:], y[100:]) >= 0.9
    assert (
        cls(**{**STILL, "linear_path": False}).fit(X[:100], y[:100]).score(X[100:], y[100:]) < 0.9
    )  # the control


def test_the_net_learns_a_structural_problem_beside_the_path(small_trees):
    X, y = small_trees
    path_only = RecursiveNetClassifier(**STILL).fit(X[:80], y[:80])
    assert path_only.score(X[80:], y[80:]) < 0.8
    assert (
        RecursiveNetClassifier(linear_path=True, random_state=0).fit(X[:80], y[:80]).score(X[80:], y[80:])
        == 1
    )


@pytest.mark.filterwarnings("ignore:at least half of the tokens")
@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_unknown_words_have_the_probabilities_of_the_classes(cls):
    rng = np.random.RandomState(0)
    y = (rng.rand(400) < 0.2).astype(int)
    X = [" ".join(rng.choice(list("uvwxyz"), 6)) + (" yes" if k and rng.rand() < 0.5 else "") for k in y]
    unknown = cls(**STILL).fit(X, y).predict_proba(["q r s t", "q"])
    np.testing.assert_allclose(unknown, [[0.8, 0.2]] * 2, atol=0.12)


def test_the_outputs_are_those_of_the_net_plus_those_of_the_path():
    clf = RNNClassifier(linear_path=True, random_state=0, max_epochs=3).fit(BAGS, CLASSES)
    module, vectors = clf.net_.module_, torch.from_numpy(clf.transform(BAGS))
    batch, _ = EncodedDataset(clf.kind_.read(BAGS), kind=clf.kind_).batch(np.arange(N))
    with torch.no_grad():
        expected = (module.head(vectors) + module.linear(batch)).numpy()
    np.testing.assert_allclose(clf.decision_function(BAGS), expected, atol=1e-4)


def test_nodes_are_predicted_as_separate_trees():
    clf = quick(RecursiveNetClassifier).fit(BRACKETS, Y)
    table = predict_nodes(clf, BRACKETS[:1])
    for node, label in ((0, BRACKETS[0]), (1, "(NP it)")):
        np.testing.assert_allclose(
            table.loc[node, [0, 1]].to_numpy(float), clf.predict_proba([label])[0], atol=1e-5
        )
    assert clf.net_.module_.linear.is_fitted


def test_the_path_learns_the_order_of_tokens():
    X = ["a b c", "b a c", "c a b", "c b a"] * 10
    y = np.array(["a b" in text for text in X])
    assert RNNClassifier(**STILL).fit(X, y).score(X, y) == 1
    bags = RecursiveNetClassifier(**STILL).fit([f"(S {text})" for text in X], y)  # the control
    assert bags.score([f"(S {text})" for text in X], y) == 0.5


@pytest.mark.filterwarnings("ignore:at least half of the tokens")
def test_a_bigram_with_an_unknown_token_does_not_count():
    X = ["a b c", "b a c", "c a b", "c b a"] * 10
    clf = RNNClassifier(**STILL).fit(X, [0, 1] * 20)
    path = path_of(clf)
    expected = path.bias + path.weight[clf.vectorizer_.transform(["a b"]).values].sum(0) / 3**0.5
    np.testing.assert_allclose(clf.predict_proba(["a new b"])[0], expected.softmax(0).numpy(), atol=1e-6)


@pytest.mark.parametrize("method", ["occlusion", "shapley", "integrated_gradients"])
def test_the_default_baseline_removes_bigrams(method):
    X, y = ["a b", "b a"] * 30, [0, 1] * 30
    clf = RNNClassifier(**STILL).fit(X, y)
    explainer = CaptumExplainer(clf, method).fit(X)
    attributions = explainer.explain(["a b"]).to_frame()["attribution"].to_numpy()
    margin = abs(float(clf.decision_function(["a b"])[0]))
    np.testing.assert_allclose(attributions, [margin if method == "occlusion" else margin / 2] * 2, rtol=0.02)
    assert margin > 1  # the control


def test_the_number_of_bigrams_is_bounded(monkeypatch):
    monkeypatch.setattr(linear_path, "_MAX_BIGRAM_WEIGHTS", 30)
    clf = RNNClassifier(**STILL).fit(BAGS, CLASSES)
    assert len(path_of(clf).bigrams) == 10


def test_occlusion_of_a_token_removes_its_bigrams():
    clf = RNNClassifier(**STILL).fit(BAGS, CLASSES)
    explainer = CaptumExplainer(clf, "occlusion", baseline="zero", target=0).fit(BAGS)
    attributions = explainer.explain(["a b c"]).to_frame()["attribution"].to_numpy()
    path = path_of(clf)
    ids = clf.vectorizer_.transform(["a b c"]).values
    codes = torch.from_numpy(ids[:-1] * len(path.weight) + ids[1:])
    words, bigrams = path.weight[ids], path.bigram_weight[torch.searchsorted(path.bigrams, codes)]
    words, pairs = ((w[:, 0] - w[:, 1:].mean(1)).numpy() / 3**0.5 for w in (words, bigrams))  # margins
    expected = words + np.array([pairs[0], pairs.sum(), pairs[1]])
    np.testing.assert_allclose(attributions, expected, atol=1e-5)
    assert np.abs(pairs).min() > 1e-4


# Which fits it takes part in.


def path_of(estimator):
    return estimator.net_.module_.linear


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_samples_without_labels_and_nets_without_a_path_have_none(cls):
    assert path_of(quick(cls).fit(TABLE, Y)) is None
    X = BRACKETS if cls is RecursiveNetClassifier else TEXTS
    assert path_of(quick(cls, linear_path=False).fit(X, Y)) is None
    assert path_of(quick(cls).fit(X, Y)).is_fitted


def test_pairs_have_no_path():
    pairs = np.array([TEXTS, TEXTS[::-1]], dtype=object).T
    assert quick(RNNClassifier).fit(pairs, Y).net_.module_.linear is None


@pytest.mark.parametrize("y", [Y, Y.astype(float), np.c_[Y, 1 - Y], np.c_[Y, np.arange(24) % 3]])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 24])
def test_few_samples_can_be_fitted(n, y):
    y = y[:n]
    estimator = quick(RNNRegressor if y.dtype.kind == "f" else RNNClassifier).fit(TEXTS[:n], y)
    assert path_of(estimator).is_fitted == (n > 1)
    assert np.isfinite(estimator.predict(TEXTS[:n])).all()


@pytest.mark.filterwarnings("ignore:at least half of the tokens")
@pytest.mark.parametrize("X", [[[], ["a"]], [["a"], ["a"]], [(1, 1, 1), (1,)], [(1, 2), ()]])
def test_empty_and_unknown_samples_can_be_fitted(X):
    X = SequenceVectorizer().fit_transform(X * 12) if isinstance(X[0], list) else sequences(X * 12)
    clf = quick(RNNClassifier).fit(X, Y)
    assert path_of(clf).is_fitted
    assert np.isfinite(clf.predict_proba(X)).all()


def test_one_class_can_be_fitted():
    assert (quick(RNNClassifier).fit(TEXTS, np.zeros(24)).predict_proba(TEXTS) == 1).all()


def test_partial_fit_leaves_the_path_unchanged():
    clf = quick(RNNClassifier).partial_fit(TEXTS, Y)
    assert not path_of(clf).is_fitted
    assert not path_of(clf.set_params(warm_start=True).fit(TEXTS, Y)).is_fitted  # the net was trained without
    clf = quick(RNNClassifier, warm_start=True).fit(TEXTS, Y)
    before = path_of(clf).weight.clone()
    torch.testing.assert_close(path_of(clf.partial_fit(TEXTS, 1 - Y)).weight, before)
    assert (path_of(clf.fit(TEXTS, 1 - Y)).weight - before).abs().max() > 1e-3  # the control


def test_a_continued_fit_keeps_the_last_layer():
    clf = quick(RNNClassifier, warm_start=True, lr=0.05).fit(TEXTS, Y)
    before = clf.net_.module_.head.weight.detach().clone()
    clf.set_params(lr=1e-9, weight_decay=0.0).fit(TEXTS, Y)
    torch.testing.assert_close(clf.net_.module_.head.weight.detach(), before, atol=1e-6, rtol=0)
    assert before.abs().max() > 1e-3


def test_warm_start_refuses_another_value():
    clf = quick(RNNClassifier, warm_start=True).fit(TEXTS, Y)
    with pytest.raises(ValueError, match="linear_path must stay True when warm_start or partial_fit"):
        clf.set_params(linear_path=False).fit(TEXTS, Y)
    table = quick(RNNClassifier, warm_start=True).fit(TABLE, Y)
    table.set_params(linear_path=False).fit(TABLE, Y)  # it is ignored there


def test_node_labels_leave_the_path_unchanged():
    clf = quick(RecursiveNetClassifier).fit(BRACKETS, Y, node_y=[None] * 24)
    assert not path_of(clf).is_fitted
    clf = quick(RecursiveNetClassifier, warm_start=True).fit(BRACKETS, Y)
    before = path_of(clf).weight.clone()
    clf.fit(BRACKETS, Y, node_y=[None] * 24)
    assert path_of(clf).is_fitted
    torch.testing.assert_close(path_of(clf).weight, before)


def test_a_net_from_make_net_has_a_path_that_adds_nothing():
    X = SequenceVectorizer().fit_transform(TEXTS)
    net = quick(RNNClassifier).make_net(X, Y).fit(X, Y)
    assert not net.module_.linear.is_fitted


def test_net_params_cannot_replace_the_parameter():
    with pytest.raises(ValueError, match="net_params must not contain"):
        quick(RNNClassifier, net_params={"module__linear_path": True}).fit(TABLE, Y)


# Validation, failures and copies.


@pytest.mark.parametrize("params", [{"early_stopping": True}, {}])
def test_validation_samples_see_the_path_and_the_net(params):
    held_out = {} if params else {"X_val": BAGS[100:], "y_val": CLASSES[100:]}
    clf = RNNClassifier(linear_path=True, random_state=0, max_epochs=1, **params).fit(
        BAGS[:100], CLASSES[:100], **held_out
    )
    if params:
        seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
        rows = split_validation(100, CLASSES[:100], 0.1, seed, reason="early_stopping=True")[1]
        X, y = [BAGS[i] for i in rows], CLASSES[rows]
    else:
        X, y = BAGS[100:], CLASSES[100:]
    expected = -np.log(clf.predict_proba(X)[np.arange(len(y)), y]).mean()
    np.testing.assert_allclose(clf.history_["valid_loss"].iloc[-1], expected, atol=1e-4)


class Fail(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise RuntimeError("stop")


def test_a_failed_fit_restores_the_path():
    clf = quick(RNNClassifier, warm_start=True).fit(TEXTS, Y)
    before = clf.predict_proba(TEXTS)
    with pytest.raises(RuntimeError, match="stop"):
        clf.set_params(callbacks=[Fail()]).fit(TEXTS, 1 - Y)
    np.testing.assert_array_equal(clf.predict_proba(TEXTS), before)
    unfitted = quick(RNNClassifier).partial_fit(TEXTS, Y)
    with pytest.raises(RuntimeError, match="stop"):
        unfitted.set_params(callbacks=[Fail()]).fit(TEXTS, Y)  # a new net
    assert not path_of(unfitted).is_fitted


def test_copies_have_the_path():
    clf = quick(RNNClassifier).fit(TEXTS, Y)
    for copied in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        np.testing.assert_array_equal(copied.predict_proba(TEXTS), clf.predict_proba(TEXTS))
    assert clone(clf.set_params(linear_path=False)).linear_path is False


def test_saved_weights_hold_the_path(tmp_path):
    clf = quick(RNNClassifier).fit(TEXTS, Y)
    clf.net_.save_params(f_params=tmp_path / "weights.pt")
    other = quick(RNNClassifier, random_state=1).partial_fit(TEXTS, Y)
    other.net_.load_params(f_params=tmp_path / "weights.pt")
    np.testing.assert_array_equal(other.predict_proba(TEXTS), clf.predict_proba(TEXTS))


# Losses of users, dtypes and ids.


def fit_with(criterion, n=N, **params):
    net_params = {"criterion": criterion, **params}
    return quick(RNNClassifier, net_params=net_params).fit(BAGS[:n], CLASSES[:n])


def test_the_path_has_the_loss_of_the_net(one_strength):
    class Scaled(torch.nn.CrossEntropyLoss):
        def forward(self, logits, y):
            return 3 * super().forward(logits, y)

    weaker = [
        path_of(clf).weight.abs().sum() for clf in (fit_with(torch.nn.CrossEntropyLoss), fit_with(Scaled))
    ]
    assert weaker[1] > 1.2 * weaker[0]
    fit_with(torch.nn.CrossEntropyLoss, criterion__weight=torch.tensor([1.0, 2.0, 3.0]))


def test_a_loss_that_is_not_finite_leaves_the_path_unfitted():
    class Fragile(torch.nn.CrossEntropyLoss):
        def forward(self, logits, y):
            return super().forward(logits, y) * (float("nan") if len(y) > 100 else 1.0)

    clf = fit_with(Fragile)
    assert not path_of(clf).is_fitted
    assert np.isfinite(clf.predict_proba(BAGS)).all()
    assert path_of(fit_with(Fragile, n=90)).is_fitted  # the control


def test_losses_draw_from_the_generators_of_the_fit():
    class Noisy(torch.nn.CrossEntropyLoss):
        def forward(self, logits, y):
            return super().forward(logits + 0.1 * torch.rand(len(y), 1) * logits, y)

    torch.manual_seed(0)
    state = torch.get_rng_state()
    one = fit_with(Noisy)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    np.testing.assert_array_equal(fit_with(Noisy).predict_proba(BAGS), one.predict_proba(BAGS))


def test_label_smoothing_applies_to_every_fit_of_the_path():
    clf = quick(RNNClassifier, warm_start=True, label_smoothing=0.3).fit(BAGS, CLASSES)
    first = path_of(clf).weight.clone()
    torch.testing.assert_close(path_of(clf.fit(BAGS, CLASSES)).weight, first)
    plain = quick(RNNClassifier).fit(BAGS, CLASSES)
    assert (path_of(plain).weight - first).abs().max() > 0.1  # the control


def test_nets_of_doubles_have_paths_of_doubles():
    clf = quick(RNNClassifier, net_params={"module__dtype": torch.float64}).fit(TEXTS, Y)
    assert path_of(clf).weight.dtype == torch.float64
    assert clf.predict_proba(TEXTS).dtype == np.float64


def test_larger_ids_are_unknown():
    clf = quick(RNNClassifier).fit(sequences(IDS), Y)
    table, path = clf.net_.module_.label_table(), path_of(clf)
    assert len(table) == len(path.weight) == 6
    assert not path.weight[:2].any()


def test_new_words_with_vectors_are_unknown_to_the_path():
    vectors = {word: RNG.rand(4) for word in (*WORDS, "new", "words")}
    clf = quick(RNNClassifier, embeddings=vectors).fit(BAGS, CLASSES)
    batch, _ = EncodedDataset(clf.kind_.read(["new a", "words a"]), kind=clf.kind_).batch(np.arange(2))
    one, two = path_of(clf)(batch)
    torch.testing.assert_close(one, two)
    assert np.abs(np.subtract(*clf.decision_function(["new a", "words a"]))).max() > 0  # the control


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RecursiveNetRegressor])
def test_encoded_samples_give_the_bits_of_raw_ones(cls):
    raw, encoded = quick(cls).fit(BRACKETS, Y), TreeVectorizer().fit_transform(BRACKETS)
    np.testing.assert_array_equal(outputs(raw, BRACKETS), outputs(quick(cls).fit(encoded, Y), encoded))


# Threads.


def test_fits_in_threads_have_the_bits_of_serial_ones():
    def fit(seed):
        return quick(RNNClassifier, random_state=seed).fit(BAGS, CLASSES).predict_proba(BAGS)

    serial = [fit(seed) for seed in range(4)]
    np.testing.assert_array_equal(Parallel(2, prefer="threads")(delayed(fit)(i) for i in range(4)), serial)
