"""Parameters of convolutional nets."""

import numpy as np
import pytest
from samples import TEXTS, Y, cnn_classifier

from sklearn_tree import CNNClassifier
from sklearn_tree.nn import ResidualEncoder

IMAGES = np.zeros((4, 5, 5, 2), dtype=np.float32)


def test_the_kind_sets_the_default_kernel_sizes():
    rng, y = np.random.RandomState(0), [0, 1] * 5
    kinds = {(3, 4, 5): ["a b"] * 10, (9, 19, 39): rng.rand(10, 5, 1), (3, 5): rng.rand(10, 4, 4, 1)}
    for widths, X in kinds.items():
        for n_blocks in (None, 1):
            encoder = cnn_classifier(max_epochs=1, n_blocks=n_blocks).fit(X, y).net_.module_.encoder
            is_residual = isinstance(encoder, ResidualEncoder)
            assert is_residual == (n_blocks is None and not isinstance(X, list))
            first = encoder.convolution if is_residual else encoder.convolutions[0]
            expected = (3,) if is_residual and widths == (3, 5) else widths
            assert tuple(conv.kernel_size[1] for conv in first.convolutions) == expected
    given = cnn_classifier(kernel_sizes=np.array([2, 7]), max_epochs=1).fit(["a b"] * 10, y)
    assert given.net_.module_.encoder.output_size == 2 * 16


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: cnn_classifier(kernel_sizes=[0, 3]), ValueError, r"kernel_sizes must hold at least one int >= 1, got \[0, 3\]"),
        (lambda: cnn_classifier(kernel_sizes=np.array(3)), ValueError, r"kernel_sizes must hold .*, got array\(3\)"),
        (lambda: cnn_classifier(kernel_sizes=[]), ValueError, "kernel_sizes must hold at least one int >= 1"),
        (lambda: cnn_classifier(kernel_sizes=[[3], [4, 5]]), ValueError, "kernel_sizes must hold at least one int >= 1"),
        (lambda: cnn_classifier(kernel_sizes=[2.5]), ValueError, "kernel_sizes must hold at least one int >= 1"),
        (lambda: cnn_classifier(kernel_sizes=3), ValueError, "'kernel_sizes' parameter of CNNClassifier"),
        (lambda: cnn_classifier(n_filters=0), ValueError, "'n_filters' parameter"),
        (lambda: cnn_classifier(pooling="last"), ValueError, "'pooling' parameter"),
        (lambda: cnn_classifier(input_kind="picture"), ValueError, "'input_kind' parameter"),
        (lambda: cnn_classifier(max_epochs=0), ValueError, "'max_epochs' parameter"),
    ],
)  # fmt: skip
def test_invalid_parameters_are_rejected(call, error, message):
    with pytest.raises(error, match=message):
        call().fit(IMAGES, [0, 1, 0, 1])


def test_parameters_reach_the_net():
    own = {"kernel_sizes": (2, 3), "n_filters": 6, "n_blocks": 2, "pooling": "mean"}
    own |= {"hidden_size": 5, "embedding_dim": 7, "dropout": 0.25, "word_dropout": 0.5}
    params = CNNClassifier(**own).make_net(TEXTS, Y).get_params()
    for name, value in own.items():
        assert params[f"module__{name}"] == value
    assert "module__is_image" not in params
    assert CNNClassifier().make_net(IMAGES, [0, 1, 0, 1]).get_params()["module__is_image"]


@pytest.mark.parametrize("input_kind", ["image", "images"])
def test_input_kind_reads_an_array_of_three_axes_as_images(input_kind):
    y = [0, 1, 0, 1]
    assert cnn_classifier(input_kind=input_kind, max_epochs=1).fit(IMAGES[..., 0], y).input_kind_ == "images"
    assert cnn_classifier(max_epochs=1).fit(IMAGES[..., 0], y).input_kind_ == "series"  # the control
