"""Combinations of parameters that do not interact."""


def each_once(*lists):
    """Return combinations in which every value occurs, as many as the longest list has values."""
    return [tuple(values[i % len(values)] for values in lists) for i in range(max(map(len, lists)))]
