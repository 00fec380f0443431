"""Means and standard deviations of channels, columns and node values."""

import tracemalloc

import numpy as np

from sklearn_tree.kinds.statistics import channel_statistics


def test_statistics_of_many_pixels_need_little_memory():
    images = np.zeros((2000, 32, 32, 3), dtype=np.uint8)
    images[::2] = 200
    tracemalloc.start()
    shift, scale = channel_statistics(images.reshape(-1, 3), None, np.full(2000, 32 * 32))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (shift, scale) == ([100.0] * 3, [100.0] * 3)
    assert peak < 5 * images.nbytes
