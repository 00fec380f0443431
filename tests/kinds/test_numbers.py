"""Validation of arrays and tensors of numbers."""

import numpy as np
import pytest
import torch

from sklearn_tree.kinds.numbers import check_n_channels, check_numbers, widen_small_floats


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float64", "float64"), ("float32", "float32"), ("float16", "float32"), ("int64", "float64"), ("uint8", "float64")],
)  # fmt: skip
def test_floats_keep_their_precision_and_integers_become_doubles(make, dtype, expected):
    X = make(np.ones((2, 3), dtype=dtype))
    checked = check_numbers(X, 2)
    assert type(checked) is type(X)
    assert str(checked.dtype).endswith(expected)
    assert np.asarray(checked).tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_integers_become_the_given_type(make):
    assert str(check_numbers(make([[1, 2]]), 2, integers=np.float32).dtype).endswith("float32")


def test_floats_are_not_copied():
    X = np.ones((2, 3))
    assert np.shares_memory(check_numbers(X, 2), X)
    tensor = torch.ones(2, 3)
    assert check_numbers(tensor, 2).data_ptr() == tensor.data_ptr()


def test_gradients_are_not_tracked():
    assert not check_numbers(torch.ones(2, 3, requires_grad=True), 2).requires_grad


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_reported_with_their_row(make, bad):
    X = np.ones((5, 2, 2))
    X[3, 1, 0] = bad
    with pytest.raises(ValueError, match=rf"^X\[3\] must hold finite numbers, got {bad}$"):
        check_numbers(make(X), 3)
    X[3, 1, 0] = np.finfo(float).max  # the control
    assert len(check_numbers(make(X), 3)) == 5


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 3)), r"X must have 3 axes of at least one entry, got shape \(2, 3\)"),
        (np.ones((2, 0, 3)), r"X must have 3 axes of at least one entry, got shape \(2, 0, 3\)"),
        (torch.ones(0, 2, 2), r"X must have 3 axes of at least one entry, got shape \(0, 2, 2\)"),
        (torch.ones(2, 2, 2).to_sparse(), "X must be a dense tensor of real numbers, got torch.float32, torch.sparse_coo: pass X.to_dense"),
        (torch.ones(2, 2, 2, dtype=torch.complex64), "X must be a dense tensor of real numbers, got torch.complex64"),
        (np.full((2, 2, 2), "a"), "could not convert string to float|dtype"),
    ],
)  # fmt: skip
def test_errors_name_the_rule_and_the_value(X, message):
    with pytest.raises(ValueError, match=message):
        check_numbers(X, 3)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "<f4"])
def test_small_floats_become_native_single_precision(dtype):
    widened = widen_small_floats(np.ones(2, dtype=dtype))
    assert widened.dtype == np.float32
    assert widened.dtype.isnative


def test_widening_leaves_other_inputs_unchanged():
    for X in (np.ones(2), np.ones(2, dtype=">f8"), np.ones(2, dtype=int), [1.0], torch.ones(2).half()):
        assert widen_small_floats(X) is X


def test_the_number_of_channels_must_match_fit():
    check_n_channels(3, 3)
    with pytest.raises(ValueError, match=r"^X must have 3 channels, as in fit, got 1$"):
        check_n_channels(1, 3)
