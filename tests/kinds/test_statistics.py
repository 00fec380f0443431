"""Means and standard deviations of channels, columns and node values."""

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from sklearn_tree import Tree, TreeVectorizer
from sklearn_tree.kinds import statistics
from sklearn_tree.kinds.statistics import channel_statistics, replace_zero_scale, unit_of, value_statistics

RNG = np.random.RandomState(0)
N_ROWS = RNG.randint(0, 5, 40)
ROWS = RNG.randn(N_ROWS.sum(), 3) * [1, 1e6, 1e-3] + [0, 1e8, 5]
WEIGHT = RNG.rand(40)


def weighted_statistics(columns, weight):
    """Return numpy's weighted mean and standard deviation of each column."""
    mean = np.average(columns, axis=0, weights=weight)
    return mean, np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize("weight", [None, WEIGHT, 1e-200 * WEIGHT])
def test_channel_statistics_equal_those_of_numpy(make, weight):
    expected = weighted_statistics(ROWS, None if weight is None else np.repeat(weight, N_ROWS))
    np.testing.assert_allclose(channel_statistics(make(ROWS), weight, N_ROWS), expected)
    other = channel_statistics(make(ROWS), WEIGHT[::-1], N_ROWS)
    assert not np.allclose(other, expected, rtol=1e-6)  # the control


@pytest.mark.parametrize("power", [-990, -520, 520, 990])
def test_powers_of_two_scale_the_statistics_exactly(power, measured):
    trees = measured[0].replace(values=np.ldexp(measured[0].values, power))
    statistics_of = [
        (channel_statistics(ROWS, WEIGHT, N_ROWS), channel_statistics(np.ldexp(ROWS, power), WEIGHT, N_ROWS)),
        (value_statistics(measured[0], None), value_statistics(trees, None)),
    ]
    for plain, scaled in statistics_of:
        has_scale = np.isfinite(plain[1])
        for part, other in zip(plain, scaled, strict=True):
            expected = np.ldexp(part, power)
            assert np.array_equal(np.array(other)[has_scale], expected[has_scale])
        assert not np.array_equal(plain[0], scaled[0])  # the control


def test_statistics_have_the_bits_of_the_plain_formulas():
    weight = np.repeat(WEIGHT, N_ROWS)

    def mean_of(numbers):
        return np.einsum("i,ij->j", weight, numbers) / weight.sum()

    mean = mean_of(ROWS)
    expected = mean.tolist(), np.sqrt(mean_of((ROWS - mean) ** 2)).tolist()
    assert channel_statistics(ROWS, WEIGHT, N_ROWS) == expected


def test_units_are_powers_of_two_whose_inverses_are_normal_numbers():
    largest = np.array([5e-324, 1e-308, 0.3, 4.0, 1.7e308, 0.0])
    units = unit_of(largest)
    assert (np.frexp(units)[0] == 0.5).all()
    assert (np.abs(largest[2:4] / units[2:4]) <= 1).all()
    assert np.isfinite(1 / units).all()
    assert np.isfinite((largest / units) ** 2).all()


def test_chunks_do_not_change_the_statistics(monkeypatch):
    whole = channel_statistics(ROWS, WEIGHT, N_ROWS)
    monkeypatch.setattr(statistics, "_CHUNK_SIZE", 7)
    np.testing.assert_allclose(channel_statistics(ROWS, WEIGHT, N_ROWS), whole)


def test_weights_of_zero_count_as_equal_weights():
    zero, equal = (channel_statistics(ROWS, weight, N_ROWS) for weight in (np.zeros(40), None))
    assert zero == equal


def test_no_rows_have_mean_0_and_scale_1():
    assert channel_statistics(np.zeros((0, 2)), None, np.zeros(3, dtype=int)) == ([0.0, 0.0], [1.0, 1.0])


def test_large_numbers_with_a_small_spread_keep_their_scale():
    stamps = 1.7e12 + np.array([[0.0], [2000.0]])
    assert channel_statistics(stamps, None, np.ones(2, dtype=int)) == ([1.7e12 + 1000], [1000.0])


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1, 1e-30])
def test_constant_channels_have_scale_1(value):
    _, scale = channel_statistics(np.full((1000, 1), value), None, np.ones(1000, dtype=int))
    assert scale == [1.0]


@pytest.mark.parametrize("size", [1e-30, 1e-13, 1.0, 1e30])
@pytest.mark.parametrize("mean", [0.0, 1.0, 1e6])
def test_the_bound_of_constant_channels_is_that_of_scikit_learn(size, mean):
    channel = (size * RNG.randn(50) + mean)[:, None]
    scaler = StandardScaler().fit(channel)
    _, scale = channel_statistics(channel, None, np.ones(50, dtype=int))
    np.testing.assert_allclose(scale, scaler.scale_, rtol=1e-5)
    assert replace_zero_scale(np.zeros(1), np.full(1, mean), 50).tolist() == [1.0]


def test_statistics_of_many_pixels_need_little_memory():
    images = np.zeros((2000, 32, 32, 3), dtype=np.uint8)
    images[::2] = 200
    tracemalloc.start()
    shift, scale = channel_statistics(images.reshape(-1, 3), None, np.full(2000, 32 * 32))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (shift, scale) == ([100.0] * 3, [100.0] * 3)
    assert peak < 5 * images.nbytes


@pytest.fixture
def measured():
    """Return trees with values at the labels a and b but not c, the ids of the labels, and the values."""
    values = RNG.randn(10, 2) * [1, 100]
    trees = [Tree(["c", "a", "b", "b"], [-1, 0, 0, 0], values=[None, a, b, None]) for a, b in values]
    vectorizer = TreeVectorizer().fit(trees)
    return vectorizer.transform(trees), vectorizer.vocabulary_, values


@pytest.mark.parametrize("weight", [None, WEIGHT[:10]])
def test_value_statistics_equal_those_of_numpy(measured, weight):
    trees, ids, values = measured
    shift, scale = value_statistics(trees, weight)
    expected = weighted_statistics(values, weight)
    np.testing.assert_allclose([shift[ids["a"]], shift[ids["b"]]], expected[0])
    np.testing.assert_allclose([scale[ids["a"]], scale[ids["b"]]], expected[1])


def test_labels_without_a_value_have_an_infinite_scale(measured):
    trees, ids, _ = measured
    shift, scale = value_statistics(trees, None)
    assert (shift[ids["c"]], scale[ids["c"]]) == (0.0, np.inf)
    assert np.isfinite(scale[ids["a"]])  # the control


def test_trees_without_values_have_no_statistics():
    assert value_statistics(TreeVectorizer().fit_transform(["(a b)"]), None) == (None, None)
