"""Residual nets, the default for series and images, through the estimators."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from sklearn_tree import CNNClassifier, CNNRegressor
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


def test_doubles_targets_of_numbers_weights_and_pairs_are_learned():
    reg = quick(CNNRegressor).fit(WAVES[..., None], Y, sample_weight=1.0 + Y)
    assert reg.net_.module_.head.weight.dtype == torch.float64
    assert np.isfinite(reg.predict(WAVES[..., None])).all()
    pairs = np.empty((20, 2), dtype=object)
    pairs[:] = [[RAGGED[i], RAGGED[-i - 1]] for i in range(20)]
    clf = quick().fit(pairs, Y[:20])
    assert isinstance(clf.net_.module_.encoder, ResidualEncoder)
    assert clf.transform(pairs).shape == (20, 4 * 8)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "grad_cam", "saliency"])
@kinds
def test_residual_nets_are_explained(X, method):
    clf = quick(max_epochs=10).fit(X, Y)
    explanations = CaptumExplainer(clf, method=method, max_steps=2048).fit(X).explain(X[:2])
    assert len(explanations) == 2
    assert np.isfinite(explanations.to_frame()["attribution"]).all()
