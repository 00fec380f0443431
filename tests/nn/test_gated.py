"""Gated cells: declarations, placement of children and differentiation of functions."""

import pytest
import torch
from user_cells import SoftSumCell

from sklearn_tree.nn import CELLS, Children
from sklearn_tree.nn.gated import differentiate, place_children, sum_children, tanh

CHILDREN = Children((torch.arange(8.0).view(4, 2),), torch.tensor([0, 0, 0, 2]), torch.tensor([0, 1, 2, 0]))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"tanh_gates": ("v",)}, r"tanh_gates of Odd must be names of its gates, .*, got \['v'\]"),
        ({"linear_gates": ("w",)}, r"linear_gates of Odd must be names of its gates"),
        ({"h_gates": ("i", "o")}, r"h_gates of Odd must be the last of its gates, .*, got \('i', 'o'\)"),
    ],
)
def test_inconsistent_names_of_gates_are_refused(names, message):
    odd = type("Odd", (CELLS["child_sum_lstm"],), names)
    with pytest.raises(ValueError, match=message):
        odd(3, 4)


def test_children_are_summed_per_parent():
    assert sum_children(CHILDREN.states[0], CHILDREN, 3).tolist() == [[6, 9], [0, 0], [6, 7]]


def test_children_are_placed_by_rank_and_share_the_last_place():
    placed = place_children(CHILDREN.states[0], CHILDREN, 3, 2)
    assert placed.tolist() == [[0, 1, 6, 8], [0, 0, 0, 0], [6, 7, 0, 0]]


def test_tanh_equals_torchs():
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(tanh(x), torch.tanh(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["child_sum_lstm", "nary_lstm"])
@pytest.mark.parametrize("function", ["message", "update"])
def test_the_derivatives_of_a_cell_equal_those_by_autograd(name, function):
    cell = CELLS[name](3, 4).double()
    n_gates, n_inputs = (1, 2) if function == "message" else (3, 1)
    gates, inputs = (
        tuple(torch.rand(5, 4, dtype=torch.float64) for _ in range(n)) for n in (n_gates, n_inputs)
    )
    results = getattr(cell, function)(gates, inputs)
    n_results = 1 if function == "message" else 2
    grads = [torch.randn(5, 4, dtype=torch.float64) for _ in range(n_results)]
    kept = (results[n_results:],) if function == "update" else ()
    ours = getattr(cell, f"{function}_backward")(gates, inputs, *kept, grads)
    theirs = differentiate(getattr(cell, function), gates, inputs, grads)
    for a, b in zip(ours[0] + ours[1], theirs[0] + theirs[1], strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_unused_arguments_have_no_gradient():
    x = torch.rand(5, 4)
    gates, inputs = differentiate(lambda g, s: (g[0] * s[1], torch.ones(5, 4)), (x, x), (x, x), [x, x])
    torch.testing.assert_close(gates[0], x * x)
    assert gates[1].abs().max() == 0
    assert inputs[0] is None
    torch.testing.assert_close(inputs[1], x * x)


def test_a_constant_function_has_no_gradients():
    x = torch.rand(5, 4)
    gates, inputs = differentiate(lambda g, s: (torch.ones(5, 4),), (x,), (x,), [x])
    assert gates[0].abs().max() == 0
    assert inputs == (None,)


def test_a_leaf_is_an_inner_node_without_children():
    cell = SoftSumCell(3, 4).double()
    wx = cell.project(torch.randn(2, 3, dtype=torch.float64))
    none = torch.zeros(0, dtype=torch.int64)
    childless = cell(wx, Children((torch.zeros(0, 4, dtype=torch.float64),), none, none))
    torch.testing.assert_close(cell(wx, None)[0], childless[0], rtol=0, atol=1e-12)
