"""Requests leave torch's random generators and threads unchanged, and show progress only if asked."""

import pytest
import torch
from explain_helpers import fit_example

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.runtime import isolate, progress_bar


@pytest.fixture(scope="module")
def encoded_texts():
    """Return a net and encoded texts."""
    net, X = fit_example("texts")
    net = ExplainedNet(net)
    return net, net.encode(X)[0]


def test_draws_depend_on_the_seed_only(encoded_texts):
    def draw(seed):
        with isolate(*encoded_texts, seed):
            return torch.rand(3)

    first = draw(0)
    torch.rand(1)
    assert torch.equal(draw(0), first)
    assert not torch.equal(draw(1), first)  # the control


def test_an_error_restores_the_generator_and_the_threads(encoded_texts):
    def fail():
        with isolate(*encoded_texts, 3):
            torch.rand(1)
            assert not torch.equal(torch.get_rng_state(), state)  # the control
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError

    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads


def test_a_progress_bar_counts_samples_only_if_verbose(capfd):
    with progress_bar(4, 0) as advance:
        advance(4)
    assert capfd.readouterr() == ("", "")
    with progress_bar(4, 1) as advance:
        advance(1)
        advance(2)
    shown = capfd.readouterr().err
    assert "3/4" in shown
    assert "4/4" not in shown  # the control
