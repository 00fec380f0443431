"""Size of pickles, and side effects of fits."""

import pickle
import random

import numpy as np
import pytest
import torch
from combinations import each_once
from samples import tree_classifier

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
)

N = 400
Y = np.arange(N) % 3 % 2
WORDS = [f"word{i}" for i in range(300)]
rng = np.random.RandomState(0)
TEXTS = [" ".join(rng.choice(WORDS, 12)) for _ in range(N)]
TREES = [("S", *text.split()) for text in TEXTS]
CASES = [
    (RecursiveNetClassifier, TREES),
    (RecursiveNetRegressor, TREES),
    (RNNClassifier, TEXTS),
    (RNNRegressor, TEXTS),
    (CNNClassifier, TEXTS),
    (CNNRegressor, TEXTS),
    (CNNClassifier, rng.rand(N, 9, 9, 2)),
]
OPEN = [f"{text} once{i}" for i, text in enumerate(TEXTS)]  # an open vocabulary, which has other defaults
CASES += [
    (RNNClassifier, OPEN),
    (CNNRegressor, OPEN),
    (RecursiveNetClassifier, [("S", *text.split()) for text in OPEN]),
]
IDS = [f"{cls.__name__}-{i}" for i, (cls, _) in enumerate(CASES)]


def necessary_bytes(net):
    """Return the bytes of the weights and of the vocabulary."""
    state = net.net_.module_.state_dict().values()
    weights = sum(t.numel() * t.element_size() for t in state if isinstance(t, torch.Tensor))
    return weights + len(pickle.dumps(getattr(net, "vectorizer_", None)))


@pytest.mark.parametrize(("case", "schedule"), each_once(CASES, ["auto", "cosine", "one_cycle"]), ids=IDS)
def test_a_pickle_is_hardly_larger_than_weights_and_vocabulary(case, schedule):
    cls, X = case
    net = cls(max_epochs=3, lr_schedule=schedule, random_state=0).fit(X, Y)
    assert len(pickle.dumps(net)) <= 1.05 * necessary_bytes(net)


@pytest.mark.parametrize("is_continued", [False, True])
def test_a_pickle_holds_weights_in_a_common_storage_once(is_continued):
    net = RNNClassifier(max_epochs=3, random_state=0, cell="gru").fit(TEXTS, Y)
    if is_continued:
        net.partial_fit(TEXTS, Y)
    size, proba = len(pickle.dumps(net)), net.predict_proba(TEXTS)
    layers = [m for m in net.net_.module_.modules() if isinstance(m, torch.nn.RNNBase)]
    weights = [weight for layer in layers for weight in layer.parameters()]
    flat = torch.cat([weight.data.flatten() for weight in weights])  # as cuDNN stores them
    parts = flat.split([weight.numel() for weight in weights])
    for weight, part in zip(weights, parts, strict=True):
        weight.data = part.view(weight.shape)
    assert len(pickle.dumps(net)) <= size + 1000
    other = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(other.predict_proba(TEXTS), proba)
    for fit in (net, other):
        fit.partial_fit(TEXTS, Y)
    np.testing.assert_array_equal(other.predict_proba(TEXTS), net.predict_proba(TEXTS))
    assert {weight.data_ptr() for weight in weights} == {part.data_ptr() for part in parts}


@pytest.mark.parametrize(("cls", "X"), CASES[:7], ids=IDS[:7])  # repeated samples close a vocabulary
def test_an_estimator_keeps_no_training_data(cls, X):
    few = pickle.dumps(cls(max_epochs=1, random_state=0).fit(X, Y))
    net = cls(max_epochs=1, random_state=0, early_stopping=True).fit(X, Y, X_val=X, y_val=Y)
    many = pickle.dumps(cls(max_epochs=1, random_state=0).fit(list(X) * 3, np.tile(Y, 3)))
    assert abs(len(many) - len(few)) < 200
    assert net.net_.train_split is None
    assert not [name for name in vars(net) if name.startswith("X")]


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_fit_and_predict_restore_generators_modes_and_arguments(cls, X):
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    before, threads = pickle.dumps((X, Y)), torch.get_num_threads()
    net = cls(max_epochs=1, random_state=0).fit(X, Y)
    net.predict(X)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]
    assert pickle.dumps((X, Y)) == before
    assert torch.get_num_threads() == threads
    assert not net.net_.module_.training


def test_a_pickled_estimator_is_small_and_predicts_the_same(encoded):
    X, y = encoded
    clf = tree_classifier(hidden_size=64, max_epochs=20, early_stopping=True).fit(X, y)
    data = pickle.dumps(clf)
    weights = sum(p.numel() * p.element_size() for p in clf.net_.module_.parameters())
    assert len(data) < 2 * weights
    back = pickle.loads(data)
    np.testing.assert_array_equal(back.predict_proba(X), clf.predict_proba(X))
    assert back.history_.equals(clf.history_)
    back.partial_fit(X, y)  # continues with a new optimizer
    assert back.n_iter_ == clf.n_iter_ + 1
