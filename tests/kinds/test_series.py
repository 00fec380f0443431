"""Series of one or several channels."""

import numpy as np
import pytest
import torch
from samples import DENSE, WAVES

from sklearn_tree import RaggedArray
from sklearn_tree.kinds import Series


def fit(X):
    kind = Series()
    return kind, kind.fit(X)


@pytest.mark.parametrize("X", [DENSE, DENSE.astype(np.float32), torch.tensor(DENSE)])
def test_arrays_keep_their_type_and_precision(X):
    kind, encoded = fit(X)
    assert type(encoded) is type(X)
    assert encoded.dtype == X.dtype
    assert kind.dtype(encoded) == (torch.float32 if "float32" in str(X.dtype) else torch.float64)
    assert kind.n_channels_in_ == 2


def test_series_of_unequal_length_are_ragged_and_trained_in_single_precision():
    kind, encoded = fit(WAVES)
    assert isinstance(encoded, RaggedArray)
    assert kind.dtype(encoded) == torch.float32
    np.testing.assert_array_equal(encoded.values, np.concatenate(WAVES))


@pytest.mark.parametrize("X", [[[1.5, 2.0], [3.0]], [[1, 2], [3]], [[1, 2], [3, 4]]])
def test_lists_of_numbers_are_series_of_one_channel_in_double_precision(X):
    kind, encoded = fit(X)
    assert kind.n_channels_in_ == 1
    assert encoded.values.dtype == np.float64
    assert encoded.values[:, 0].tolist() == [number for row in X for number in row]


def test_empty_series_have_the_channels_of_the_training_series():
    kind, _ = fit(DENSE)
    assert kind.encode([[], []]).values.shape == (0, 2)
    assert fit([[], []])[0].n_channels_in_ == 1


def test_module_params_hold_the_statistics_of_the_channels():
    kind, encoded = fit(WAVES)
    steps = np.concatenate(WAVES)
    params = kind.module_params(encoded, None)
    assert params["n_channels"] == 2
    np.testing.assert_allclose(params["value_shift"], steps.mean(axis=0))
    np.testing.assert_allclose(params["value_scale"], steps.std(axis=0))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (DENSE[..., :1], ValueError, "X must have 2 channels, as in fit, got 1"),
        ([wave[:, :1] for wave in WAVES], ValueError, "X must have 2 channels, as in fit, got 1"),
        ([np.ones((3, 2)), np.ones((2, 1))], ValueError, r"X\[1\] must have 2 channels"),
        (np.where(np.arange(24)[:, None, None] == 5, np.inf, DENSE), ValueError, r"X\[5\] must hold finite numbers, got inf"),
        (np.zeros((4, 0, 2)), ValueError, r"X must have 3 axes of at least one entry, got shape \(4, 0, 2\)"),
        ([np.ones((3, 2)), None], ValueError, r"X\[1\] is missing"),
    ],
)  # fmt: skip
def test_errors_name_the_row_the_rule_and_the_value(X, error, message):
    kind, _ = fit(DENSE)
    with pytest.raises(error, match=message):
        kind.encode(X)


def test_the_error_of_transposed_series_names_the_remedy():
    X = [np.ones((3, 20)), np.ones((3, 26))]
    with pytest.raises(
        ValueError, match=r"20 channels .* got 26; is X \(channels, steps\)\? .* channels='first'"
    ):
        Series("Reader").fit(X)
    assert Series("Reader", channels="first").fit(X).sizes.tolist() == [20, 26]
    with pytest.raises(ValueError, match="2 channels") as caught:  # the control
        Series("Reader").fit([np.ones((3, 2)), np.ones((4, 1))])
    assert "transpose" not in str(caught.value)


def test_bfloat16_is_read_in_single_precision():
    tensors = [torch.ones(n, 2, dtype=torch.bfloat16) for n in (2, 3)]
    assert Series().fit(tensors).values.dtype == np.float32
    assert Series().fit(tensors[0][None]).dtype == torch.float32
