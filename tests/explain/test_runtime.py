"""Requests draw from generators of their own, restore torch's threads, and show progress only if asked."""

import pytest
import torch
from explain_helpers import fit_example

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.runtime import isolate, progress_bar
from sklearn_tree.randomness import generator_for


@pytest.fixture(scope="module")
def encoded_texts():
    """Return a net and encoded texts."""
    net, X = fit_example("texts")
    net = ExplainedNet(net)
    return net, net.encode(X)[0]


def test_draws_depend_on_the_seed_only(encoded_texts):
    def draw(seed):
        with isolate(*encoded_texts, seed):
            return torch.rand(3, generator=generator_for(torch.device("cpu")))

    first = draw(0)
    torch.rand(1)
    assert torch.equal(draw(0), first)
    assert not torch.equal(draw(1), first)  # the control


def test_an_error_ends_the_generators_and_restores_the_threads(encoded_texts):
    def fail():
        with isolate(*encoded_texts, 3):
            assert generator_for(torch.device("cpu")) is not None
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError

    n_threads = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert generator_for(torch.device("cpu")) is None
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
