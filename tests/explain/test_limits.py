"""The limit of rows bounds the copies of a batch."""

from types import SimpleNamespace

import pytest

from sklearn_tree.explain.limits import Limits


@pytest.mark.parametrize("max_rows", [1, 7, 100])
def test_as_many_copies_are_computed_at_once_as_the_limit_of_rows_allows(max_rows):
    limits = Limits(max_rows=max_rows)
    for n_positions in range(1, max_rows + 1):
        n_copies = limits.n_copies(SimpleNamespace(n_positions=n_positions))
        assert n_copies * n_positions <= max_rows < (n_copies + 1) * n_positions


def test_a_batch_above_the_limit_and_an_empty_batch_are_computed():
    limits = Limits(max_rows=5)
    assert limits.n_copies(SimpleNamespace(n_positions=6)) == 1
    assert limits.n_copies(SimpleNamespace(n_positions=0)) == 5
    assert limits.n_copies(SimpleNamespace(n_positions=2)) == 2  # the control
