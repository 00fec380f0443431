"""Convolutional nets on texts and images."""

import numpy as np
import pytest
import torch
from samples import cnn_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_tree import CNNRegressor, RNNClassifier


@pytest.fixture(scope="module")
def phrases():
    """Return texts with the words "not" and "good" whose class is the order of the two, and the classes."""
    rng = np.random.RandomState(0)
    X, y = [], []
    for i in range(200):
        filler = list(rng.choice(["it", "was", "the", "film"], rng.randint(1, 8)))
        words = [["not", "good"], ["good", "not"]][i % 2]
        at = rng.randint(len(filler) + 1)
        X.append(" ".join(filler[:at] + words + filler[at:]))
        y.append(i % 2)
    return X, np.array(y)


@pytest.mark.parametrize("params", [{}, {"n_blocks": 3}, {"pooling": "mean"}, {"pooling": "attention"}, {"kernel_sizes": (2,)}])  # fmt: skip
def test_a_phrase_is_found_at_any_position(phrases, params):
    X, y = phrases
    assert cnn_classifier(**params).fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.95


def test_filters_of_width_1_do_not_find_phrases(phrases):  # the control of the test above
    X, y = phrases
    assert cnn_classifier(kernel_sizes=[1]).fit(X[:150], y[:150]).score(X[150:], y[150:]) < 0.7


@pytest.fixture(scope="module")
def squares():
    """Return images of a solid or hollow block, with nearly equal sums of pixels, and their classes."""
    rng = np.random.RandomState(0)
    images = rng.randint(0, 60, (240, 12, 10), dtype=np.uint8)
    y = np.arange(240) % 2
    for image, hollow in zip(images, y):
        row, column = rng.randint(8), rng.randint(6)
        image[row : row + 4, column : column + 4] = 150 + 50 * hollow
        if hollow:
            image[row + 1 : row + 3, column + 1 : column + 3] = 0
    return images, y


@pytest.mark.parametrize("n_blocks", [1, 2])
def test_images_are_classified_and_may_have_another_size(squares, n_blocks):
    X, y = squares
    clf = cnn_classifier(input_kind="image", n_blocks=n_blocks).fit(X[:180], y[:180])
    assert clf.score(X[180:], y[180:]) > 0.95
    assert clf.n_channels_in_ == 1
    larger = np.pad(X[180:], ((0, 0), (3, 5), (0, 4)), constant_values=30)
    assert (clf.predict(larger) == y[180:]).mean() > 0.9
    flat = X.reshape(len(X), -1) / 255
    control = LogisticRegression(max_iter=1000).fit(flat[:180], y[:180])
    assert control.score(flat[180:], y[180:]) < 0.9


def test_predictions_do_not_depend_on_the_batch_or_the_order(phrases):
    X, y = phrases
    clf = cnn_classifier(max_epochs=3, n_blocks=2).fit(X, y)
    reference = clf.predict_proba(X)
    for batch_size in (1, 7, 1000):
        clf.net_.batch_size = batch_size
        np.testing.assert_allclose(clf.predict_proba(X), reference, rtol=0, atol=1e-6)
    np.testing.assert_allclose(clf.predict_proba(X[::-1]), reference[::-1], rtol=0, atol=1e-6)


def test_empty_unseen_and_longer_texts_are_predicted(phrases):
    X, y = phrases
    clf = cnn_classifier(max_epochs=2).fit([*X, ""], [*y, 0])
    with pytest.warns(
        UserWarning, match=r"tokens are unknown in 1 of 3 samples, the first of which is X\[1\]"
    ):
        assert np.isfinite(clf.predict_proba(["", "never seen", "good " * 500])).all()


def test_a_regressor_counts_bright_pixels():
    rng = np.random.RandomState(0)
    images = np.zeros((300, 8, 8))
    y = rng.randint(1, 6, 300).astype(float)
    for image, n in zip(images, y):  # n bright pixels
        image.reshape(-1)[rng.choice(64, int(n), replace=False)] = 1
    reg = CNNRegressor(input_kind="image", pooling="mean", random_state=0).fit(images[:200], y[:200])
    assert reg.score(images[200:], y[200:]) > 0.9


IMAGES = np.zeros((4, 5, 5, 2), dtype=np.float32)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.where(np.arange(4)[:, None, None, None] == 2, np.nan, IMAGES), r"X\[2\] must hold finite numbers, got nan"),
        (torch.full((4, 5, 5, 2), torch.inf), r"X\[0\] must hold finite numbers, got inf"),
        (np.zeros((4, 0, 5, 2)), r"X must be images of shape .* without axes of length 0, got shape \(4, 0, 5, 2\)"),
        (np.zeros((4, 5)), r"X must be images of shape .*, got shape \(4, 5\)"),
        ([np.zeros((5, 5)), np.zeros((5, 6)), np.zeros((5, 5)), np.zeros((5, 5))], r"X\[1\] must be an image of shape \(5, 5\) like X\[0\], got \(5, 6\)"),
        ([], "X must contain at least one sample, a column of images, got 0"),
    ],
)  # fmt: skip
def test_invalid_images_are_rejected(X, message):
    with pytest.raises(ValueError, match=message):
        cnn_classifier(input_kind="image").fit(X, [0, 1, 0, 1])


def test_new_images_must_have_the_channels_of_the_training_images():
    clf = cnn_classifier(max_epochs=1).fit(IMAGES, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="X must have 2 channels, as in fit, got 3"):
        clf.predict(np.zeros((1, 5, 5, 3)))
    with pytest.raises(ValueError, match="X must be of the kind 'images', as in fit, got 'tokens'"):
        clf.predict(["a text"])
    with pytest.raises(NotFittedError):
        cnn_classifier().predict(IMAGES)
    with pytest.raises(ValueError, match="got 'images', see CNNClassifier"):
        RNNClassifier().fit(IMAGES, [0, 1, 0, 1])
