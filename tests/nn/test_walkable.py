"""Only cells that the fast walk computes correctly use it."""

import pytest
import torch
from user_cells import PlainCell, SoftSumCell, WaveMixin
from walks import compare_walks, make_net

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, TreeBatch
from sklearn_tree.nn.walkable import backward_of, can_walk, is_declared_pure, is_hooked

SMALL = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]))


class WithParameter(SoftSumCell):
    def __init__(self, *args):
        super().__init__(*args)
        self.own = torch.nn.Parameter(torch.ones(()))

    def update(self, gates, messages):
        return (super().update(gates, messages)[0] * self.own,)


class WithDropout(SoftSumCell):
    def __init__(self, *args):
        super().__init__(*args)
        self.dropout = torch.nn.Dropout(0.5)


class WithForward(SoftSumCell):
    def forward(self, wx, children):
        return (super().forward(wx, children)[0] * 2,)


class WithRandomness(SoftSumCell):
    def update(self, gates, messages):
        h = super().update(gates, messages)[0]
        return (torch.nn.functional.dropout(h, 0.5, self.training),)


class WithItsOwnWeights(SoftSumCell):
    def update(self, gates, messages):
        return (super().update(gates, messages)[0] * self.U.weight[0, 0],)


class WithActivation(SoftSumCell):
    def activate_gates(self, table, names):
        return tuple(gate.sin() for gate in super().activate_gates(table, names))


class WithConstant(SoftSumCell):
    def __init__(self, *args):
        super().__init__(*args)
        self.constant = torch.ones((), requires_grad=True)  # not a parameter, but it requires a gradient

    def update(self, gates, messages):
        return (super().update(gates, messages)[0] * self.constant,)


class WithGenerator(SoftSumCell):
    def __init__(self, *args):
        super().__init__(*args)
        self.generator = torch.Generator()

    def update(self, gates, messages):
        h = super().update(gates, messages)[0]
        return (h * torch.rand(h.shape, generator=self.generator).to(h),)


class WithSums(SoftSumCell):
    def _compute_sums(self, wx, children):
        u, messages = super()._compute_sums(wx, children)
        return 2 * u, messages


class Undeclared(SoftSumCell):
    is_pure = False


MORE_THAN_GATES = [
    WithParameter, WithDropout, WithForward, WithRandomness, WithItsOwnWeights, WithActivation, WithConstant,
    WithGenerator, WithSums, Undeclared,
]  # fmt: skip


@pytest.mark.parametrize("cls", MORE_THAN_GATES)
def test_a_cell_with_code_beyond_its_gates_uses_the_plain_walk(cls):
    before = torch.get_rng_state()
    cell, gated = cls(4, 5, 2), SoftSumCell(4, 5, 2)
    torch.set_rng_state(before)
    assert not can_walk(cell, SMALL)
    with torch.no_grad():
        assert not can_walk(cell, SMALL)
    assert can_walk(gated, SMALL)  # the control
    assert torch.equal(torch.get_rng_state(), before)


class OverridesUpdate(SoftSumCell):
    def update(self, gates, messages):
        return super().update(gates, messages)


class OverridesMessage(SoftSumCell):
    def message(self, gates, states):
        return super().message(gates, states)


class Redeclares(OverridesUpdate):
    is_pure = True


class Inherits(SoftSumCell):
    pass


def test_a_declaration_is_void_once_a_function_is_overridden():
    declared = {
        cls: is_declared_pure(cls(4, 5)) for cls in (OverridesUpdate, OverridesMessage, Redeclares, Inherits)
    }
    assert declared == {OverridesUpdate: False, OverridesMessage: False, Redeclares: True, Inherits: True}
    assert all(is_declared_pure(cls(4, 5)) for name, cls in CELLS.items() if name != "rntn")


def test_setting_is_pure_on_an_instance_can_only_disable_the_fast_walk():
    pure, undeclared = SoftSumCell(4, 5), Undeclared(4, 5)
    pure.is_pure, undeclared.is_pure = False, True
    assert not is_declared_pure(pure)
    undeclared.update = undeclared.update
    assert not is_declared_pure(undeclared)


def test_a_changed_or_hooked_cell_uses_the_plain_walk():
    cell = SoftSumCell(4, 5, 2)
    assert can_walk(cell, SMALL)
    handle = cell.U.register_forward_hook(lambda *args: None)
    assert not can_walk(cell, SMALL)
    handle.remove()
    assert can_walk(cell, SMALL)
    torch.nn.utils.parametrizations.spectral_norm(cell.U)
    assert not can_walk(cell, SMALL)
    cell = SoftSumCell(4, 5, 2)
    cell.U = torch.nn.Linear(5, 5, bias=True)
    assert not can_walk(cell, SMALL)
    cell = CELLS["child_sum_lstm"](4, 5)
    cell.register_full_backward_hook(lambda *args: None)
    assert not can_walk(cell, SMALL)


def test_methods_replaced_on_an_instance_are_detected():
    net = make_net("child_sum_lstm", torch.float64)
    mixin = WaveMixin()
    net.encoder.cell.update = mixin.update
    assert not can_walk(net.encoder.cell, SMALL)
    compare_walks(net, SMALL, 1e-9, 1e-9)
    net = make_net("child_sum_lstm", torch.float64)
    net.encoder.cell.forward = lambda wx, children: None
    assert not can_walk(net.encoder.cell, SMALL)


def test_nodes_with_more_children_than_max_arity_use_the_plain_walk():
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2] * 6, [-1, 0, 0, 0, 0, 0])]))
    assert can_walk(make_net("child_sum_lstm", torch.float64).encoder.cell, batch)
    net = make_net("nary_lstm", torch.float64)
    assert not can_walk(net.encoder.cell, batch)
    compare_walks(net, batch, 1e-12, 1e-12)


def test_a_cell_without_gates_uses_the_plain_walk():
    assert not can_walk(PlainCell(4, 5), SMALL)


def test_a_derivative_is_ignored_if_its_function_is_overridden():
    lstm = CELLS["child_sum_lstm"]
    overridden = type("Overridden", (lstm,), {"update": lambda self, gates, messages: gates})
    more_gates = type("MoreGates", (lstm,), {"child_gates": ("f", "q")})
    assert backward_of(lstm(4, 5), "update") is not None
    assert backward_of(overridden(4, 5), "update") is None
    assert backward_of(overridden(4, 5), "message") is not None
    assert backward_of(more_gates(4, 5), "message") is None
    assert backward_of(SoftSumCell(4, 5), "update") is None


def test_hooks_of_all_kinds_are_found():
    for register in ("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"):
        module = torch.nn.Linear(2, 2)
        assert not is_hooked(module)
        handle = getattr(module, register)(lambda *args: None)
        assert is_hooked(module)
        handle.remove()
        assert not is_hooked(module)
