"""Random generators that are confined to a thread and a block."""

import threading

import pytest
import torch
from torch import nn

from sklearn_tree.randomness import InjectedGenerators, generator_for, own_generators, seed_globally

CPU = torch.device("cpu")


def draw():
    return torch.rand(3, generator=generator_for(CPU))


def test_a_block_has_its_own_generators_and_restores_the_outer_ones():
    assert generator_for(CPU) is None
    with own_generators(1):
        first = draw()
        with own_generators(1):
            assert torch.equal(draw(), first)
        assert not torch.equal(draw(), first)
    with pytest.raises(TypeError), own_generators(1):
        torch.rand("three")
    assert generator_for(CPU) is None


def test_other_threads_have_no_generator():
    found = []
    with own_generators(1):
        thread = threading.Thread(target=lambda: found.append(generator_for(CPU)))
        thread.start()
        thread.join()
    assert found == [None]


def test_the_meta_device_has_no_generator():
    with own_generators(1):
        assert generator_for(torch.device("meta")) is None


DRAWS = {
    "rand": lambda: torch.rand(4),
    "randn": lambda: torch.randn(2, 2, dtype=torch.float64),
    "randint": lambda: torch.randint(10, (4,)),
    "randint with bounds": lambda: torch.randint(2, 10, (4,)),
    "randperm": lambda: torch.randperm(9),
    "rand_like": lambda: torch.rand_like(torch.ones(4)),
    "uniform_": lambda: torch.empty(4).uniform_(-1, 1),
    "normal_": lambda: torch.empty(4).normal_(1, 2),
    "normal": lambda: torch.normal(0.0, 1.0, (3,)),
    "bernoulli": lambda: torch.bernoulli(torch.full((9,), 0.5)),
    "multinomial": lambda: torch.multinomial(torch.ones(9), 4),
    "dropout": lambda: nn.functional.dropout(torch.ones(20), 0.5),
    "alpha_dropout": lambda: nn.functional.alpha_dropout(torch.ones(20), 0.5, training=True),
    "rrelu": lambda: nn.functional.rrelu(-torch.ones(9), training=True),
    "exponential": lambda: torch.distributions.Exponential(1.0).sample((4,)),
    "orthogonal_": lambda: nn.init.orthogonal_(torch.empty(3, 3)),
    "trunc_normal_": lambda: nn.init.trunc_normal_(torch.empty(5)),
    "lstm": lambda: nn.LSTM(3, 4).weight_ih_l0.detach(),
    "embedding": lambda: nn.Embedding(3, 4).weight.detach(),
}


@pytest.mark.parametrize("name", DRAWS)
def test_injected_generators_draw_what_the_global_generator_draws_with_the_same_seed(name):
    draw = DRAWS[name]
    with seed_globally(3, CPU):
        expected = draw(), draw()
    state = torch.get_rng_state()
    with own_generators(3), InjectedGenerators():
        found = draw(), draw()
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(*expected)
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a, b)


def test_an_operator_without_a_generator_argument_is_seeded_by_the_block():
    def draw():
        return torch.native_dropout(torch.ones(30), 0.5, train=True)[0]

    state = torch.get_rng_state()
    draws = []
    for seed in (1, 1, 2):
        with own_generators(seed), InjectedGenerators():
            draws.append((draw(), draw()))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(draws[0][0], draws[1][0])
    assert torch.equal(draws[0][1], draws[1][1])
    assert not torch.equal(draws[0][0], draws[0][1])
    assert not torch.equal(draws[0][0], draws[2][0])


def test_nested_blocks_seed_an_operator_without_a_generator_argument():
    with own_generators(1), InjectedGenerators(), own_generators(2), InjectedGenerators():
        nested = torch.native_dropout(torch.ones(30), 0.5, train=True)[0]
    with own_generators(2), InjectedGenerators():
        again = torch.native_dropout(torch.ones(30), 0.5, train=True)[0]
    assert nested.shape == again.shape
    assert set(nested.unique().tolist()) == {0.0, 2.0}


def test_a_generator_of_the_caller_is_used_as_given():
    one, two = (torch.Generator().manual_seed(5) for _ in range(2))
    with own_generators(1), InjectedGenerators():
        found = torch.rand(3, generator=one)
    assert torch.equal(found, torch.rand(3, generator=two))


def test_without_a_block_injection_changes_nothing():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with InjectedGenerators():
        assert torch.equal(torch.rand(3), expected)


def test_a_global_seed_gives_equal_draws_and_the_state_is_restored():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    draws = []
    for seed in (1, 1, 2):
        with seed_globally(seed, CPU):
            draws.append(torch.rand(3).tolist())
    assert draws[0] == draws[1] != draws[2]
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(TypeError), seed_globally(1, CPU):
        torch.rand("three")
    assert torch.equal(torch.get_rng_state(), state)
