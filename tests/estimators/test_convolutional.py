"""``CNNClassifier`` and ``CNNRegressor``: what they learn, and what they refuse."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from sklearn_tree import CNNClassifier, CNNRegressor, RNNClassifier


def classifier(**params):
    return CNNClassifier(**{"random_state": 0, "n_filters": 16, "hidden_size": 16, **params})


@pytest.fixture(scope="module")
def phrases():
    """Texts whose class is whether "not good" occurs, among the same words in other orders."""
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
def test_it_finds_phrases_wherever_they_are(phrases, params):
    X, y = phrases
    assert classifier(**params).fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.95


def test_filters_of_one_word_cannot(phrases):  # the control of the test above
    X, y = phrases
    assert classifier(kernel_sizes=[1]).fit(X[:150], y[:150]).score(X[150:], y[150:]) < 0.7


@pytest.fixture(scope="module")
def squares():
    """Pictures with a bright block somewhere, solid or hollow; as a bag of pixels nearly equal."""
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
def test_images_are_learned_and_other_sizes_read(squares, n_blocks):
    X, y = squares
    clf = classifier(input_kind="image", n_blocks=n_blocks).fit(X[:180], y[:180])
    assert clf.score(X[180:], y[180:]) > 0.95
    assert clf.n_channels_in_ == 1
    larger = np.pad(X[180:], ((0, 0), (3, 5), (0, 4)), constant_values=30)
    assert (clf.predict(larger) == y[180:]).mean() > 0.9
    flat = X.reshape(len(X), -1) / 255
    control = LogisticRegression(max_iter=1000).fit(flat[:180], y[:180])
    assert control.score(flat[180:], y[180:]) < 0.9


def test_predictions_depend_neither_on_the_batch_nor_on_the_order(phrases):
    X, y = phrases
    clf = classifier(max_epochs=3, n_blocks=2).fit(X, y)
    reference = clf.predict_proba(X)
    for batch_size in (1, 7, 1000):
        clf.net_.batch_size = batch_size
        np.testing.assert_allclose(clf.predict_proba(X), reference, rtol=0, atol=1e-6)
    np.testing.assert_allclose(clf.predict_proba(X[::-1]), reference[::-1], rtol=0, atol=1e-6)


def test_empty_texts_unseen_words_and_longer_texts_are_fine(phrases):
    X, y = phrases
    clf = classifier(max_epochs=2).fit([*X, ""], [*y, 0])
    assert np.isfinite(clf.predict_proba(["", "never seen", "good " * 500])).all()


def test_the_widths_are_those_of_the_kind_unless_given():
    rng, y = np.random.RandomState(0), [0, 1] * 5
    kinds = {(3, 4, 5): ["a b"] * 10, (9, 19, 39): rng.rand(10, 5, 1), (3, 5): rng.rand(10, 4, 4, 1)}
    for widths, X in kinds.items():
        encoder = classifier(max_epochs=1).fit(X, y).net_.module_.encoder
        assert tuple(conv.kernel_size[1] for conv in encoder.convolutions[0].convolutions) == widths
    given = classifier(kernel_sizes=np.array([2, 7]), max_epochs=1).fit(["a b"] * 10, y)
    assert given.net_.module_.encoder.output_size == 2 * 16


def test_a_regressor_learns_from_images():
    rng = np.random.RandomState(0)
    images = np.zeros((300, 8, 8))
    y = rng.randint(1, 6, 300).astype(float)
    for image, n in zip(images, y):  # n bright pixels, each alone
        image.reshape(-1)[rng.choice(64, int(n), replace=False)] = 1
    reg = CNNRegressor(input_kind="image", pooling="mean", random_state=0).fit(images[:200], y[:200])
    assert reg.score(images[200:], y[200:]) > 0.9


IMAGES = np.zeros((4, 5, 5, 2), dtype=np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: classifier(kernel_sizes=[0, 3]), ValueError, r"kernel_sizes must hold at least one int >= 1, got \[0, 3\]"),
        (lambda: classifier(kernel_sizes=[]), ValueError, "kernel_sizes must hold at least one int >= 1"),
        (lambda: classifier(kernel_sizes=[[3], [4, 5]]), ValueError, "kernel_sizes must hold at least one int >= 1"),
        (lambda: classifier(kernel_sizes=[2.5]), ValueError, "kernel_sizes must hold at least one int >= 1"),
        (lambda: classifier(kernel_sizes=3), ValueError, "'kernel_sizes' parameter of CNNClassifier"),
        (lambda: classifier(n_filters=0), ValueError, "'n_filters' parameter"),
        (lambda: classifier(pooling="last"), ValueError, "'pooling' parameter"),
        (lambda: classifier(input_kind="picture"), ValueError, "'input_kind' parameter"),
        (lambda: classifier(max_epochs=0), ValueError, "'max_epochs' parameter"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call().fit(IMAGES, [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.where(np.arange(4)[:, None, None, None] == 2, np.nan, IMAGES), "row 2 of X must hold finite numbers, got nan"),
        (torch.full((4, 5, 5, 2), torch.inf), "row 0 of X must hold finite numbers, got inf"),
        (np.zeros((4, 0, 5, 2)), r"X must be images of shape .* without axes of length 0, got shape \(4, 0, 5, 2\)"),
        (np.zeros((4, 5)), r"X must be images of shape .*, got shape \(4, 5\)"),
        ([np.zeros((5, 5)), np.zeros((5, 6)), np.zeros((5, 5)), np.zeros((5, 5))], r"row 1 must be an image of shape \(5, 5\) like the first one, got \(5, 6\)"),
        ([], "X must contain at least one sample, a column of images, got 0"),
    ],
)  # fmt: skip
def test_bad_images_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        classifier(input_kind="image").fit(X, [0, 1, 0, 1])


def test_images_must_be_like_those_of_fit():
    clf = classifier(max_epochs=1).fit(IMAGES, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="X must have 2 channels, as in fit, got 3"):
        clf.predict(np.zeros((1, 5, 5, 3)))
    with pytest.raises(ValueError, match="X must be of the kind 'images', as in fit, got 'tokens'"):
        clf.predict(["a text"])
    with pytest.raises(NotFittedError):
        classifier().predict(IMAGES)
    with pytest.raises(ValueError, match="got 'images', see CNNClassifier"):
        RNNClassifier().fit(IMAGES, [0, 1, 0, 1])
