"""Residual nets, the default for series and images, through the estimators."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from explain_helpers import FEW_PARAMS, METHODS
from sklearn.base import clone
from sklearn.metrics import log_loss
from skorch.callbacks import Callback

from sklearn_tree import CNNClassifier, CNNRegressor, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.explain import CaptumExplainer
from sklearn_tree.nn import ConvolutionalEncoder, ResidualEncoder

RNG = np.random.RandomState(0)
Y = np.arange(40) % 2
WAVES = np.sin(np.arange(60) / (2.0 + Y[:, None])) + 0.3 * RNG.randn(40, 60)
RAGGED = [wave[: 20 + i % 7] for i, wave in enumerate(WAVES)]
IMAGES = (RNG.rand(40, 9, 8, 2) + Y[:, None, None, None] * np.eye(9, 8)[..., None]).astype(np.float32)
SAMPLES = {"series": WAVES[..., None], "ragged series": RAGGED, "images": IMAGES}
kinds = pytest.mark.parametrize("X", SAMPLES.values(), ids=SAMPLES)


def quick(cls=CNNClassifier, **params):
    return cls(**{"random_state": 0, "n_filters": 4, "max_epochs": 3, **params})


def state(clf):
    return {name: value.clone() for name, value in clf.net_.module_.state_dict().items()}


@kinds
def test_few_samples_are_learned_without_an_argument(X):
    X = X.astype(np.float32) if isinstance(X, np.ndarray) else X
    clf = CNNClassifier(random_state=0).fit(X[:30], Y[:30])
    assert isinstance(clf.net_.module_.encoder, ResidualEncoder)
    assert clf.score(X[30:], Y[30:]) >= 0.9
    assert clf.transform(X).shape == (40, 64)


@kinds
def test_predictions_depend_neither_on_the_batch_nor_on_the_order(X):
    clf = quick().fit(X, Y)
    expected = clf.predict_proba(X)
    for batch_size in (1, 7, 1000):
        clf.net_.batch_size = batch_size
        np.testing.assert_allclose(clf.predict_proba(X), expected, rtol=0, atol=1e-6)
    clf.net_.module_.train()  # the control
    with torch.no_grad():
        outputs = [clf.net_.module_(clf.kind_.batch(clf.kind_.read(X), np.arange(n)))[:2] for n in (2, 40)]
    assert not torch.allclose(*outputs, atol=1e-3)


@kinds
def test_the_training_defaults_follow_the_kind_and_the_number_of_blocks(X):
    residual, plain = quick(max_epochs=None).make_net(X, Y), quick(max_epochs=None, n_blocks=1).make_net(X, Y)
    is_image = getattr(X, "ndim", 2) == 4
    assert (residual.lr, residual.max_epochs) == ((0.01, 200) if is_image else (0.003, 300))
    assert (plain.lr, plain.max_epochs, plain.callbacks) == (0.005, 100, [])
    assert type(residual.callbacks[0][1]).__name__ == "OneCycle"
    assert plain.module__pooling == "max"
    assert residual.module__pooling == "mean"


@kinds
def test_explicit_blocks_train_the_same_net_as_with_explicit_parameters(X):
    one = quick(n_blocks=2).fit(X, Y)
    two = quick(n_blocks=2, lr=0.005, lr_schedule=None, pooling="max").fit(X, Y)
    assert isinstance(one.net_.module_.encoder, ConvolutionalEncoder)
    torch.testing.assert_close(state(one), state(two), rtol=0, atol=0)
    residual = quick().fit(X, Y)  # the control
    assert state(residual).keys() != state(one).keys()


def make_pairs(X):
    pairs = np.empty((len(X), 2), dtype=object)
    pairs[:] = [[X[i], X[-i - 1]] for i in range(len(X))]
    return pairs


ORDINARY = (0.005, 100, [])


@pytest.mark.parametrize(
    ("cls", "X", "expected"),
    [
        (RNNClassifier, WAVES[..., None], ORDINARY),
        (RNNClassifier, RAGGED, ORDINARY),
        (RNNClassifier, make_pairs(RAGGED), ORDINARY),
        (CNNClassifier, RNG.rand(40, 3), ORDINARY),
        (CNNClassifier, make_pairs(["a b", "c"] * 20), ORDINARY),
        (RecursiveNetClassifier, RNG.rand(40, 3), ORDINARY),
        (CNNClassifier, ["a b", "c"] * 20, (0.005, 100, [])),
        (CNNClassifier, [f"{i} it" for i in range(40)], (0.001, 100, ["EpochSchedule"])),
        (CNNClassifier, make_pairs(RAGGED), (0.003, 300, ["OneCycle"])),
        (CNNClassifier, make_pairs(IMAGES), (0.01, 200, ["OneCycle"])),
    ],
)
def test_only_convolutional_nets_on_series_and_images_train_longer(cls, X, expected):
    net = cls().make_net(X, Y)
    assert (net.lr, net.max_epochs, [type(callback).__name__ for _, callback in net.callbacks]) == expected


def test_a_changed_number_of_blocks_is_named_when_the_training_continues():
    clf = quick(max_epochs=1, warm_start=True).fit(IMAGES, Y)
    with pytest.raises(ValueError, match=r"n_blocks must stay None .* got 2"):
        clf.set_params(n_blocks=2).fit(IMAGES, Y)


def test_texts_and_tables_have_one_block():
    for X in (["a b", "c"] * 20, RNG.rand(40, 3)):
        encoder = quick().fit(X, Y).net_.module_.encoder
        assert isinstance(encoder, ConvolutionalEncoder)
        assert len(encoder.convolutions) == 1


def test_running_averages_are_trained_pickled_and_continued():
    clf = quick(warm_start=True).fit(IMAGES, Y)
    before = state(clf)
    assert before["encoder.norm.running_mean"].abs().max() > 1e-3
    restored = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(restored.predict_proba(IMAGES), clf.predict_proba(IMAGES))
    assert "net_" not in vars(clone(clf))
    for fitted in (clf, restored):
        fitted.fit(IMAGES, Y)
    torch.testing.assert_close(state(clf), state(restored), rtol=0, atol=0)
    assert not torch.equal(state(clf)["encoder.norm.running_mean"], before["encoder.norm.running_mean"])


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_running_averages_are_restored_if_a_continued_fit_fails(error):
    class Fail(Callback):
        def on_batch_end(self, net, **kwargs):
            raise error

    clf = quick(warm_start=True).fit(IMAGES, Y)
    before = copy.deepcopy(state(clf))
    with pytest.raises(error):
        clf.set_params(callbacks=[Fail()]).fit(IMAGES, Y)
    torch.testing.assert_close(state(clf), before, rtol=0, atol=0)


@kinds
def test_single_samples_are_learned(X):
    clf = quick(input_kind="image" if X is IMAGES else "series")
    clf.partial_fit(X[:1], Y[:1], classes=[0, 1]).partial_fit(X[1:2], Y[1:2])
    assert np.isfinite(clf.predict_proba(X)).all()


def test_long_series_are_shortened_and_large_images_downsampled():
    for n_steps, pool_size in ((128, 1), (129, 2), (1000, 8)):
        encoder = quick(max_epochs=1).fit(RNG.rand(4, n_steps, 1), Y[:4]).net_.module_.encoder
        assert (encoder.pool_size, encoder.stride) == (pool_size, 4 * pool_size)
    assert quick(max_epochs=1).fit(RNG.rand(4, 20, 40, 1), Y[:4]).net_.module_.encoder.pool_size == 2


def test_the_lengths_of_series_are_weighted():
    X, y = [RNG.rand(100), RNG.rand(300), RNG.rand(100)], [0, 1, 1]
    for weight, pool_size in ((None, 2), ([1, 0, 1], 1)):
        clf = quick(max_epochs=1).fit(X, y, sample_weight=weight)
        assert clf.net_.module_.encoder.pool_size == pool_size


def test_doubles_targets_of_numbers_and_weights_are_learned():
    reg = quick(CNNRegressor).fit(WAVES[..., None], Y, sample_weight=1.0 + Y)
    assert reg.net_.module_.head.weight.dtype == torch.float64
    assert np.isfinite(reg.predict(WAVES[..., None])).all()


@pytest.mark.parametrize("X", [RAGGED[:20], IMAGES[:20]], ids=["ragged series", "images"])
def test_both_sides_of_pairs_go_through_one_encoder(X):
    pairs, weight = make_pairs(X), np.arange(20) % 3
    clf = quick().fit(pairs, Y[:20], sample_weight=weight)
    assert isinstance(clf.net_.module_.encoder, ResidualEncoder)
    vectors, swapped = clf.transform(pairs), clf.transform(pairs[:, ::-1])
    size = vectors.shape[1] // 4
    assert size == clf.net_.module_.encoder.output_size
    np.testing.assert_allclose(vectors[:, :size], swapped[:, size : 2 * size], atol=1e-6)
    repeated = quick().fit(pairs.repeat(weight, axis=0), Y[:20].repeat(weight))
    np.testing.assert_allclose(clf.predict_proba(pairs), repeated.predict_proba(pairs), atol=1e-4)
    unweighted = quick().fit(pairs, Y[:20])  # the control
    assert not np.allclose(unweighted.predict_proba(pairs), repeated.predict_proba(pairs), atol=1e-3)


@kinds
def test_weights_equal_repetitions(X):
    weight = np.arange(40) % 5
    X, y = X if isinstance(X, np.ndarray) else np.array(X, dtype=object), Y[::-1]
    clf = quick(batch_size=80)
    weighted = clf.fit(X, y, sample_weight=weight).predict_proba(X)
    repeated = clf.fit(X.repeat(weight, axis=0), y.repeat(weight)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-5)
    assert not np.allclose(clf.fit(X, y).predict_proba(X), repeated, atol=1e-4)  # the control


@kinds
def test_averaged_weights_have_averaged_statistics(X):
    clf = quick(max_epochs=60, weight_averaging="ema").fit(X[:30], Y[:30])
    assert clf.score(X[30:], Y[30:]) >= 0.9
    plain = quick(max_epochs=60).fit(X[:30], Y[:30])
    name = "encoder.norm.running_mean"
    assert not torch.equal(state(clf)[name], state(plain)[name])


@kinds
def test_early_stopping_restores_the_running_averages_of_the_best_epoch(X):
    y = np.random.RandomState(0).permutation(Y)  # so that the net overfits
    clf = quick(max_epochs=30, lr=0.01, lr_schedule=None, early_stopping=True, patience=3)
    clf.fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    losses = clf.history_.valid_loss
    found = log_loss(y[30:], clf.predict_proba(X[30:]))
    np.testing.assert_allclose(found, losses.min(), rtol=1e-4)
    assert not np.isclose(losses.iloc[-1], losses.min(), rtol=1e-4)  # the control


@pytest.mark.parametrize("batch_size", [1, 4])
@kinds
def test_batches_of_samples_of_weight_zero_are_trained(X, batch_size):
    weight = np.r_[np.ones(8), np.zeros(len(X) - 8)]
    clf = quick(batch_size=batch_size, max_epochs=2).fit(X, Y, sample_weight=weight)
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize("n", [9, 33])
@kinds
def test_a_last_batch_of_one_sample_is_trained(X, n):
    clf = quick(batch_size=8).fit(X[:n], Y[:n])
    assert np.isfinite(clf.predict_proba(X)).all()
    assert all(value.isfinite().all() for value in state(clf).values())


@kinds
def test_nets_learn_with_bfloat16_products(X):
    X = X.astype(np.float32) if isinstance(X, np.ndarray) else X
    clf = quick(max_epochs=60, precision="bfloat16").fit(X, Y)
    weights = clf.net_.module_.encoder.state_dict().values()
    assert {weight.dtype for weight in weights if weight.is_floating_point()} == {torch.float32}
    assert clf.score(X, Y) >= 0.95
    rounded, exact = clf.predict_proba(X), clf.set_params(precision="float32").predict_proba(X)
    assert 0 < np.abs(rounded - exact).max() < 0.05


@kinds
def test_concurrent_fits_have_the_bits_of_a_serial_one(X):
    def fit(seed):
        return quick(dropout=0.3, random_state=seed).fit(X, Y).predict_proba(X)

    serial = [fit(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as pool:
        np.testing.assert_array_equal(list(pool.map(fit, range(3))), serial)


@kinds
def test_an_interrupted_first_fit_can_predict(X):
    class Interrupt(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    clf = quick(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert clf.n_iter_ == 2
    assert np.isfinite(clf.predict_proba(X)).all()


@kinds
def test_predictions_and_explanations_leave_the_net_unchanged(X):
    clf = quick().fit(X, Y)
    before = state(clf)
    clf.predict(X), clf.transform(X)
    for method in sorted(set(METHODS) - {"interaction", "node_prediction"}):  # those of trees
        CaptumExplainer(clf, method, method_params=FEW_PARAMS, max_steps=2048).fit(X[:8]).explain(X[:2])
    torch.testing.assert_close(state(clf), before, rtol=0, atol=0)
    clf.partial_fit(X, Y)  # the control
    assert not torch.equal(state(clf)["encoder.norm.running_mean"], before["encoder.norm.running_mean"])


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "grad_cam", "saliency"])
@kinds
def test_residual_nets_are_explained(X, method):
    clf = quick(max_epochs=10).fit(X, Y)
    explanations = CaptumExplainer(clf, method=method, max_steps=2048).fit(X).explain(X[:2])
    assert len(explanations) == 2
    assert np.isfinite(explanations.to_frame()["attribution"]).all()
