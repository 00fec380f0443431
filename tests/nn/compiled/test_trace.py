"""Traced expressions compute what the functions compute."""

import math

import pytest
import torch
from user_cells import ELEMENTWISE_CELLS, GATED_CELLS

from sklearn_tree.nn import GatedCell
from sklearn_tree.nn.compiled.trace import trace_cell
from sklearn_tree.nn.gated import differentiate

FUNCTIONS = {
    **{name: getattr(math, name) for name in ("cos", "exp", "inf", "log", "sin", "sqrt", "tanh")},
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "maximum": max,
    "minimum": min,
}


def evaluate(expressions, arguments):
    values = dict(arguments)
    for name, text in expressions.assignments:
        values[name] = eval(text, FUNCTIONS, values)
    return [None if x is None else float(eval(x, FUNCTIONS, values)) for x in expressions.results]


@pytest.mark.parametrize("cell", ELEMENTWISE_CELLS)
def test_expressions_compute_the_functions_and_their_derivatives(cell):
    cell = GATED_CELLS[cell](2, 1, 2)
    traced = trace_cell(cell)
    g, k, s, m = len(cell.gates), len(cell.child_gates), cell.n_states, cell.n_messages
    for letters, n_gates, n_inputs, n_results, name in (
        ("gm", g, m, s, "update"),
        ("ks", k, s, m, "message"),
    ):
        generator = torch.Generator().manual_seed(0)
        x = torch.rand(
            n_gates + n_inputs + n_results, 1, 1, dtype=torch.float64, generator=generator
        ).unbind()
        gates, inputs, grads = x[:n_gates], x[n_gates : n_gates + n_inputs], x[n_gates + n_inputs :]
        names = [letters[0] + str(i) for i in range(n_gates)] + [letters[1] + str(i) for i in range(n_inputs)]
        names += [f"d{i}" for i in range(n_results)]
        arguments = dict(zip(names, map(float, x)))
        function = getattr(cell, name)
        found = evaluate(getattr(traced, name), arguments)
        assert found == pytest.approx([float(y) for y in function(gates, inputs)[:n_results]], abs=1e-9)
        derivatives = [y for part in differentiate(function, gates, inputs, grads) for y in part]
        found = evaluate(getattr(traced, f"{name}_backward"), arguments)
        assert len(found) == n_gates + n_inputs
        for a, b in zip(found, derivatives):
            assert (0.0 if a is None else a) == pytest.approx(0.0 if b is None else float(b), abs=1e-9)


class Base(GatedCell):
    x_gates = h_gates = ("u",)
    is_pure = True

    def message(self, gates, states):
        return states


def make(update):
    return type("Cell", (Base,), {"update": update})(2, 3, 2)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.softmax(-1),
        lambda x: x - x.mean(),
        lambda x: x.cumsum(-1),
        lambda x: x.flip(-1),
        lambda x: torch.nn.functional.dropout(x),
        lambda x: x + torch.rand_like(x),
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * torch.ones(3),
        lambda x: x.to(torch.int64).to(x.dtype),
        lambda x: x.erfinv(),
        lambda x: x / x.shape[-1],
        lambda x: x / x.shape[0],
        lambda x: x / x.numel(),
        lambda x: ((x > 0) + (x > 1)) * x,
        lambda x: x * ((x > 0) * 2).masked_fill(x > 1, 1.7),
        lambda x: torch.rsub(x, 1.0, alpha=2.0),
    ],
)
def test_functions_without_a_scalar_form_are_refused(function):
    assert trace_cell(make(lambda self, gates, messages: (function(gates[0]),))) is None


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: torch.where(x > y, x, 0.5 * y),
        lambda x, y: torch.where((x > 0.2) & ~(y > 0.5) | (y != x), x, y * y),
        lambda x, y: x.clamp(-0.3, 0.3) + y.clamp(min=0.2) + (x * y).clamp(max=0.1),
        lambda x, y: torch.nn.functional.leaky_relu(x - y) + torch.nn.functional.leaky_relu(x, 0.3),
        lambda x, y: torch.nn.functional.silu(x - y),
        lambda x, y: torch.add(x, y, alpha=2) - torch.sub(x * y, y, alpha=3),
        lambda x, y: x * torch.tensor(0.5) + y**2,
        lambda x, y: x.sin() + y.cos() - x.sign() * y,
        lambda x, y: torch.addcmul(x, x, y, value=0.5),
    ],
)
def test_branches_and_activations_have_a_scalar_form(function):
    cell = make(lambda self, gates, messages: (function(gates[0], messages[0]),))
    traced = trace_cell(cell)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        x, y, grad = torch.randn(3, 1, 1, dtype=torch.float64, generator=generator).unbind()
        arguments = dict(zip(["g0", "m0", "d0"], map(float, (x, y, grad))))
        assert evaluate(traced.update, arguments) == pytest.approx([float(function(x, y))], abs=1e-6)
        (dx,), (dy,) = differentiate(cell.update, (x,), (y,), (grad,))
        found = evaluate(traced.update_backward, arguments)
        assert found == pytest.approx([float(dx), float(dy)], abs=1e-6)


def test_leaves_may_have_their_own_equation():
    def update(self, gates, messages):
        return (gates[0] if messages[0].dim() == 0 else gates[0] * messages[0],)

    traced = trace_cell(make(update))
    assert evaluate(traced.leaf, {"g0": 0.5}) == [0.5]
    assert evaluate(traced.leaf_backward, {"g0": 0.5, "d0": 3.0}) == [3.0]
    assert evaluate(traced.update, {"g0": 0.5, "m0": 3.0}) == [1.5]


def test_functions_that_raise_are_refused():
    def update(self, gates, messages):
        raise RuntimeError

    assert trace_cell(make(update)) is None


def test_a_function_that_changes_an_argument_in_place_is_refused():
    def update(self, gates, messages):
        x = gates[0] + messages[0]
        y = x.masked_fill_(x > 1, 0.0)
        return (x + y,)

    assert trace_cell(make(update)) is None


def test_a_change_through_another_name_is_refused():
    def update(self, gates, messages):
        x = gates[0] * 2
        x.detach().masked_fill_(gates[0] < 0, 0.0)
        return (x + messages[0],)

    assert trace_cell(make(update)) is None


def test_tracing_draws_no_random_numbers_and_ignores_the_modes_of_the_caller():
    before = torch.get_rng_state()
    cell = GATED_CELLS["nary_lstm"](2, 3, 2)
    before = torch.get_rng_state()
    expected = trace_cell(cell)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert trace_cell(cell) == expected
    torch.set_default_dtype(torch.float64)
    try:
        assert trace_cell(cell) == expected
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.get_rng_state(), before)
