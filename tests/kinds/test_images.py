"""Images of one size."""

import json
import warnings

import numpy as np
import pytest
import torch
from samples import CONTAINERS, PIXELS

from sklearn_tree.kinds import Images

COLOUR = np.stack([PIXELS, PIXELS // 2, 255 - PIXELS], axis=3)


def fit(X):
    kind = Images()
    return kind, kind.fit(X)


@pytest.mark.parametrize("name", [name for name in CONTAINERS if name.startswith("images")])
def test_images_of_all_containers_become_arrays_with_channels(name):
    X = CONTAINERS[name].X
    kind, encoded = fit(X)
    assert encoded.shape == (24, 6, 5, kind.n_channels_in_)
    pixels = torch.stack(X) if isinstance(X, list) and torch.is_tensor(X[0]) else np.asarray(X)
    np.testing.assert_array_equal(np.asarray(encoded).ravel(), np.asarray(pixels, np.float64).ravel())


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("uint8", "uint8"), ("int64", "float32"), ("float32", "float32"), ("float64", "float64"), ("float16", "float32")],
)  # fmt: skip
def test_bytes_stay_bytes_and_other_integers_become_single_precision(dtype, expected):
    for X in (PIXELS.astype(dtype), torch.tensor(PIXELS.astype(dtype))):
        kind, encoded = fit(X)
        assert str(encoded.dtype).endswith(expected)
        assert kind.dtype(encoded) == (torch.float64 if expected == "float64" else torch.float32)


def test_module_params_hold_the_statistics_of_the_channels():
    kind, encoded = fit(COLOUR)
    params = kind.module_params(encoded, None)
    assert (params["is_image"], params["n_channels"]) == (True, 3)
    np.testing.assert_allclose(params["value_shift"], COLOUR.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(params["value_scale"], COLOUR.std(axis=(0, 1, 2)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (PIXELS, "X must have 3 channels, as in fit, got 1"),
        (PIXELS[0], r"X must be images of shape .*, got shape \(6, 5\)"),
        (np.zeros((2, 3, 0, 3)), r"without axes of length 0, got shape \(2, 3, 0, 3\)"),
        ([COLOUR[0], COLOUR[1][:4]], r"X\[1\] must be an image of shape \(6, 5, 3\) like X\[0\], got \(4, 5, 3\): resize .* or pad"),
        (np.where(np.arange(24)[:, None, None, None] == 3, np.nan, COLOUR), r"X\[3\] must hold finite numbers, got nan"),
    ],
)  # fmt: skip
def test_errors_name_the_row_the_rule_and_the_value(X, message):
    kind, _ = fit(COLOUR)
    with pytest.raises(ValueError, match=message):
        kind.encode(X)


FLOATS = PIXELS[..., None] / 255


@pytest.mark.parametrize(
    ("fitted_on", "X", "ranges"),
    [
        (PIXELS, FLOATS, r"\[0, 0\.99.*\], but in \[0, 254\]"),
        (PIXELS * 1.0, FLOATS, r"\[0, 0\.99.*\], but in \[0, 254\]"),
        (FLOATS, PIXELS, r"\[0, 254\], but in \[0, 0\.99.*\]"),
        (PIXELS // 16 * 1.0, PIXELS // 16 / 16, r"\[0, 0\.93.*\], but in \[0, 15\]"),
    ],
)
def test_another_scale_than_in_fit_gives_a_warning_with_both_ranges(fitted_on, X, ranges):
    kind, _ = fit(fitted_on)
    restored = Images.from_state(json.loads(json.dumps(kind.to_state())))
    for one in (kind, restored):
        for make in (np.asarray, torch.tensor):
            with pytest.warns(UserWarning, match=f"X holds numbers in {ranges} in fit: scale images"):
                one.read(make(X))


@pytest.mark.parametrize(
    ("fitted_on", "X"),
    [
        (PIXELS, PIXELS * 1.0),
        (PIXELS * 1.0, PIXELS),
        (PIXELS, PIXELS // 32),
        (PIXELS, PIXELS // 254),  # almost black
        (PIXELS, np.zeros_like(PIXELS)),
        (FLOATS, FLOATS * 0.1),
        (FLOATS, FLOATS * 2 - 1),
        (np.zeros_like(FLOATS), FLOATS),
        (PIXELS // 200, FLOATS),
        ((FLOATS - 0.5) * 4, (FLOATS - 0.5) * 9),
    ],
)
def test_images_of_a_plausible_range_give_no_warning(fitted_on, X):
    kind, _ = fit(fitted_on)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(kind.read(X)) == len(PIXELS)


@pytest.mark.parametrize(
    ("n", "remedy"),
    [(784, "28, 28"), (3072, "32, 32, 3"), (15, "height, width"), (1, "height, width")],
)
def test_the_error_of_flat_images_proposes_a_shape(n, remedy):
    with pytest.raises(ValueError, match=rf"got shape \(2, {n}\): X\.reshape\(-1, {remedy}\)$"):
        Images().fit(np.zeros((2, n)))
