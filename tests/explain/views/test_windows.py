"""Windows of series and images."""

from types import SimpleNamespace

import pytest
import torch

from sklearn_tree.explain.views.images import ImagesView
from sklearn_tree.explain.views.series import SeriesView

SHAPES = [(SeriesView, (n, 2)) for n in (1, 5, 40, 101)]
SHAPES += [(ImagesView, (*sizes, 3)) for sizes in ((1, 1), (7, 8), (30, 4), (64, 64))]
each_shape = pytest.mark.parametrize(("view", "shape"), SHAPES)


def make_inputs(shape):
    return SimpleNamespace(x=torch.zeros(2, *shape), x0=torch.zeros(2, *shape))


@each_shape
def test_the_longest_axis_has_a_limited_number_of_windows_by_default(view, shape):
    length, longest = view().window_length(make_inputs(shape), {}), max(shape[:-1])
    assert -(-longest // length) <= view.n_windows
    assert (
        length == 1 or -(-longest // (length - 1)) > view.n_windows
    )  # the control: shorter windows are more
    assert view().window_length(make_inputs(shape), {"window": 3}) == 3


@each_shape
@pytest.mark.parametrize("params", [{}, {"window": 3}, {"stride": 2}, {"window": 2, "stride": 9}])
def test_sliding_windows_fit_into_a_sample_and_leave_no_gaps(view, shape, params):
    window, strides = view().sliding_window(make_inputs(shape), params)
    assert len(window) == len(strides) == len(shape)
    for length, stride, size in zip(window, strides, shape):
        assert 1 <= stride <= length <= size
    assert window[-1] == (1 if view is SeriesView else shape[-1])


def test_strides_are_half_of_the_windows_unless_given():
    view, inputs = SeriesView(), make_inputs((40, 2))
    assert view.sliding_window(inputs, {"window": 6}) == ((6, 1), (3, 1))
    assert view.sliding_window(inputs, {"window": 6, "stride": 2}) == ((6, 1), (2, 1))  # the control
