"""The fast walk equals the plain one, for every cell that takes it; its products are torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

import sklearn_tree.nn.walk as walk
from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, POOLINGS, GatedCell, RecursiveNet, TreeBatch, gemm
from sklearn_tree.nn.walkable import can_walk
from sklearn_tree.trees.subtrees import number_subtrees

IDS = st.integers(2, 6)
GATED = sorted(name for name, cell in CELLS.items() if issubclass(cell, GatedCell))


class SoftSumCell(GatedCell):
    """A cell as a user might write one: children vote with a gate, and the node adds itself."""

    x_gates = ("u", "g")
    h_gates = ("g", "k")
    child_gates = ("v", "w")
    tanh_gates = ("u", "w")
    linear_gates = ("k",)
    n_messages = 2

    def message(self, gates, states):
        v, w = gates
        return v, v * (states[0] + torch.sin(w))

    def update(self, gates, messages):
        u, g, k = gates
        total, votes = messages
        return (u * g + votes / (1 + total + k * k),)


class ClippedLSTM(CELLS["nary_lstm"]):
    """A user's variant of a cell that knows its own gradients: they are not this one's."""

    def update(self, gates, messages):
        h, c, _ = super().update(gates, messages)
        return h.sin(), c.clamp(-0.3, 0.3)


class Wave:
    """A mixin, which is no cell: its update has no gradient of its own."""

    def update(self, gates, messages):
        i, o, u = gates
        c = messages[0] + i * u
        return o * torch.sin(c), c

    def message(self, gates, states):
        return (gates[0] * states[1] * states[0],)


class Mixed(Wave, CELLS["child_sum_lstm"]):
    pass


class TwoGates(CELLS["child_sum_lstm"]):
    """One more gate than the inherited backward knows of; u is linear, though its base says tanh."""

    child_gates = ("f", "q")
    linear_gates = ("u",)


class Positions(CELLS["nary_lstm"]):
    def __init__(self, *args):
        super().__init__(*args)
        self.register_buffer("position", torch.arange(1.0, self.max_arity + 1).unsqueeze(1))

    def message(self, gates, states):
        return (gates[0] * states[1] * self.position.to(states[1]),)


class PlacedCell(GatedCell):
    """Gates that a place has for itself, of all kinds, between gates without children."""

    x_gates = ("a", "b")
    h_gates = ("b", "c")
    child_gates = ("s", "t")
    tanh_gates = ("t", "b")
    linear_gates = ("a",)
    n_states = 2
    is_placed = True

    def message(self, gates, states):
        s, t = gates
        return (s * states[1] + t * states[0].softmax(-1),)

    def update(self, gates, messages):
        a, b, c = gates
        return b * c + messages[0], a.cos() * messages[0]


class AcrossUnits(SoftSumCell):
    def message(self, gates, states):
        return super().message(gates, (states[0].flip(-1),))

    def update(self, gates, messages):
        return (super().update(gates, messages)[0].softmax(dim=-1).cumsum(-1),)


ALL_CELLS = {
    **{name: CELLS[name] for name in GATED},
    "a user's": SoftSumCell,
    "a user's variant": ClippedLSTM,
    "a user's with places": PlacedCell,
    "a user's across units": AcrossUnits,
    "a user's mixin": Mixed,
    "a user's with more gates": TwoGates,
    "a user's positions": Positions,
}
each_cell = pytest.mark.parametrize("cell", list(ALL_CELLS))


def make_net(cell, dtype, pooling="mean", **kwargs):
    torch.manual_seed(0)
    kwargs = {"hidden_size": 6, "embedding_dim": 5, "max_arity": 4, **kwargs}
    return RecursiveNet(7, 3, cell=ALL_CELLS[cell], pooling=pooling, dtype=dtype, **kwargs).eval()


def run(net, batch, is_fast):
    """Logits, and gradients of all parameters by a sum of weighted logits."""
    net.encoder.is_fast = is_fast
    net.zero_grad()
    logits = net(batch)
    weights = torch.randn(logits.shape, dtype=logits.dtype, generator=torch.Generator().manual_seed(1))
    (logits * weights).sum().backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in net.parameters()]
    return logits.detach(), grads


def compare(net, batch, output, gradient):
    fast, slow = run(net, batch, True), run(net, batch, False)
    torch.testing.assert_close(fast[0], slow[0], rtol=0, atol=output)
    for a, b in zip(fast[1], slow[1]):
        torch.testing.assert_close(a, b, rtol=0, atol=gradient * max(1.0, float(b.abs().max())))


@each_cell
@given(forest=forests(labels=IDS), data=st.data())
def test_it_equals_the_plain_walk_in_double_precision(cell, forest, data):
    pooling = data.draw(st.sampled_from(sorted(POOLINGS)))
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    compare(make_net(cell, torch.float64, pooling), batch, 1e-9, 1e-9)


@each_cell
@given(forest=forests(labels=IDS))
def test_it_equals_the_plain_walk_in_single_precision(cell, forest):
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    compare(make_net(cell, torch.float32), batch, 1e-5, 1e-4)


@each_cell
def test_large_batches_of_many_shapes(cell):
    rng = np.random.RandomState(0)
    trees = []
    for _ in range(40):
        n = rng.randint(1, 60)
        parents = [-1] + [rng.randint(max(0, i - 6), i) for i in range(1, n)]
        ranks = [sum(p == parents[i] for p in parents[:i]) for i in range(n)]
        parents = [p if r < 4 else i - 1 for i, (p, r) in enumerate(zip(parents, ranks))]
        trees.append(Tree(rng.randint(2, 7, n).tolist(), parents))
    batch = TreeBatch.from_array(TreeArray.from_trees(trees))
    compare(make_net(cell, torch.float64), batch, 1e-9, 1e-9)
    compare(make_net(cell, torch.float32, hidden_size=70), batch, 1e-5, 1e-4)


@each_cell
def test_without_dedupe_the_result_is_the_same(cell):
    """Nodes with values have inputs of their own; with dropout, too."""
    array = TreeArray.from_trees([Tree([2, 3, 3, 2], [-1, 0, 0, 2], values=[None, 1.0, 2.0, None])] * 2)
    net = make_net(cell, torch.float64, value_shift=[0.0] * 7, value_scale=[1.0] * 7)
    compare(net, TreeBatch.from_array(array), 1e-9, 1e-9)


def last_branches(tree):
    """The nodes whose subtree ends the tree in preorder, but the root."""
    return [k for k in range(1, len(tree.labels)) if min(tree.parents[k + 1 :], default=k) >= k]


@each_cell
@given(forest=forests(labels=IDS), data=st.data())
def test_equal_subtrees_may_be_computed_once(cell, forest, data):
    """Trees come twice and inside one another, so most of them are shared."""
    more = [
        Tree(tree.labels[k:], [-1, *(p - k for p in tree.parents[k + 1 :])])
        for tree in forest
        for k in last_branches(tree)
    ]
    array = TreeArray.from_trees([*forest, *more, *forest])
    pooling = data.draw(st.sampled_from(sorted(POOLINGS)))
    batch = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array)))
    plain = TreeBatch.from_array(array)
    net, net32 = make_net(cell, torch.float64, pooling), make_net(cell, torch.float32)
    compare(net, batch, 1e-9, 1e-9)
    compare(net32, batch, 1e-5, 1e-4)
    torch.testing.assert_close(net(batch), net(plain), rtol=0, atol=1e-12)
    if batch.shared is not None:
        assert sum(batch.shared.n_rows) <= sum(plain.n_inner) // 2


@each_cell
def test_a_wrong_derivative_is_caught(cell, monkeypatch):  # the control of the laws above
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])]))
    right = walk._Descent._arrived
    monkeypatch.setattr(walk._Descent, "_arrived", lambda *args: [1.01 * grad for grad in right(*args)])
    with pytest.raises(AssertionError):
        compare(make_net(cell, torch.float64), batch, 1e-9, 1e-9)
    with pytest.raises(AssertionError):
        compare(make_net(cell, torch.float32), batch, 1e-5, 1e-4)


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
    def activated(self, table, names):
        return tuple(gate.sin() for gate in super().activated(table, names))


class WithConstant(SoftSumCell):
    def __init__(self, *args):
        super().__init__(*args)
        self.constant = torch.ones((), requires_grad=True)  # no parameter, but its gradient is wanted

    def update(self, gates, messages):
        return (super().update(gates, messages)[0] * self.constant,)


class WithGenerator(SoftSumCell):
    def __init__(self, *args):
        super().__init__(*args)
        self.generator = torch.Generator()

    def update(self, gates, messages):
        h = super().update(gates, messages)[0]
        return (h * torch.rand(h.shape, generator=self.generator).to(h),)


STRANGE = [
    WithParameter, WithDropout, WithForward, WithRandomness, WithItsOwnWeights, WithActivation, WithConstant,
    WithGenerator,
]  # fmt: skip


@pytest.mark.parametrize("cls", STRANGE)
def test_cells_that_are_more_than_gates_take_the_plain_walk(cls):
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]))
    before = torch.get_rng_state()
    cell, plain = cls(4, 5, 2), SoftSumCell(4, 5, 2)
    torch.set_rng_state(before)
    assert not can_walk(cell, batch)
    with torch.no_grad():
        assert not can_walk(cell, batch)
    assert can_walk(plain, batch)
    assert torch.equal(torch.get_rng_state(), before)


def test_changed_and_watched_cells_take_the_plain_walk():
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]))
    cell = SoftSumCell(4, 5, 2)
    assert can_walk(cell, batch)
    handle = cell.U.register_forward_hook(lambda *args: None)
    assert not can_walk(cell, batch)
    handle.remove()
    assert can_walk(cell, batch)
    torch.nn.utils.parametrizations.spectral_norm(cell.U)
    assert not can_walk(cell, batch)
    cell = SoftSumCell(4, 5, 2)
    cell.U = torch.nn.Linear(5, 5, bias=True)
    assert not can_walk(cell, batch)


class Risky(SoftSumCell):
    """Dropout that may be switched on after the first batch."""

    p = 0.0

    def update(self, gates, messages):
        return (torch.nn.functional.dropout(super().update(gates, messages)[0], self.p),)


def test_what_changes_after_the_first_batch_is_seen(monkeypatch):
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])]))
    cell = Risky(4, 5, 2)
    assert can_walk(cell, batch)
    cell.p = 0.5
    assert not can_walk(cell, batch)
    cell = CELLS["child_sum_lstm"](4, 5)
    cell.register_full_backward_hook(lambda *args: None)
    assert not can_walk(cell, batch)
    net = make_net("child_sum_lstm", torch.float64)
    wave = Wave()
    net.encoder.cell.update = wave.update
    compare(net, batch, 1e-9, 1e-9)
    net.encoder.cell.forward = lambda wx, children: None
    assert not can_walk(net.encoder.cell, batch)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"tanh_gates": ("v",)}, r"tanh_gates of Odd must name gates, .*; got \['v'\]"),
        ({"linear_gates": ("w",)}, r"linear_gates of Odd must name gates"),
        ({"h_gates": ("i", "o")}, r"h_gates of Odd must be the last of its gates, .*; got \('i', 'o'\)"),
    ],
)
def test_names_of_gates_that_make_no_sense_are_refused(names, message):
    odd = type("Odd", (CELLS["child_sum_lstm"],), names)
    with pytest.raises(ValueError, match=message):
        odd(3, 4)


class Mean(GatedCell):
    """Messages may be constants: here each child is counted."""

    x_gates = ("u",)
    h_gates = ("u",)
    n_messages = 2

    def message(self, gates, states):
        return states[0], torch.ones_like(states[0])

    def update(self, gates, messages):
        total, n = messages
        return (torch.tanh(gates[0]) + total / (1 + n),)


def test_constant_messages_have_no_gradient(monkeypatch):
    monkeypatch.setitem(ALL_CELLS, "mean", Mean)
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])]))
    assert can_walk(make_net("mean", torch.float64).encoder.cell, batch)
    compare(make_net("mean", torch.float64), batch, 1e-9, 1e-9)


@each_cell
def test_mixed_precision_trains(cell, monkeypatch):
    monkeypatch.setattr(gemm, "_ONEDNN", None)
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])]))
    net = make_net(cell, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(batch).float().sum()
    loss.backward()
    assert torch.isfinite(net.encoder.cell.W.weight.grad).all()
    torch.testing.assert_close(loss, net(batch).sum(), rtol=0.05, atol=0.05)


def test_weights_that_change_before_the_way_back_are_noticed_and_nothing_stays_behind():
    net = make_net("nary_lstm", torch.float64)
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]))
    loss = net(batch).sum()
    with torch.no_grad():
        net.encoder.cell.U.weight.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    x = net.embedding(batch).detach().requires_grad_()
    h = net.encoder(x, batch)
    h.sum().backward()
    way_back = h.grad_fn.next_functions[0][0]
    with pytest.raises(RuntimeError, match="freed"):
        _ = way_back.saved_tensors


def test_more_children_than_places_take_the_plain_walk():
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2] * 6, [-1, 0, 0, 0, 0, 0])]))
    assert can_walk(make_net("child_sum_lstm", torch.float64).encoder.cell, batch)
    net = make_net("nary_lstm", torch.float64)
    assert not can_walk(net.encoder.cell, batch)
    compare(net, batch, 1e-12, 1e-12)


@each_cell
def test_no_step_waits_for_a_number_from_the_device(cell):
    """The meta device has no numbers: reading one, as a level of unknown size would, is an error there."""
    array = TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])] * 3)
    net = make_net(cell, torch.float32).to("meta")
    for subtrees in (None, number_subtrees(array)):
        batch = TreeBatch.from_array(array.replace(subtrees=subtrees)).to("meta")
        assert can_walk(net.encoder.cell, batch)
        assert subtrees is None or batch.shared.rows.device.type == "meta"
        loss = net(batch).sum()
        loss.backward()
        assert all(p.grad.shape == p.shape for p in net.parameters())
    with pytest.raises((RuntimeError, NotImplementedError)):  # the control
        loss.item()


@each_cell
def test_two_batches_may_be_on_the_way_at_once(cell):
    net = make_net(cell, torch.float64)
    one, two = (
        TreeBatch.from_array(TreeArray.from_trees([Tree(labels, [-1, 0, 0, 1])]))
        for labels in ([2, 3, 4, 5], [6, 5, 4, 3])
    )
    net.zero_grad()
    (net(one).sum() + net(two).sum()).backward()
    together = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    net(one).sum().backward()
    net(two).sum().backward()
    for a, p in zip(together, net.parameters()):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-12)


def test_without_gradients_nothing_is_kept():
    net = make_net("nary_lstm", torch.float32)
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]))
    with torch.no_grad():
        assert net(batch).grad_fn is None
    x = net.embedding(batch).detach().requires_grad_()
    (grad,) = torch.autograd.grad(net.encoder(x, batch).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(st.integers(1, 150), st.integers(1, 9), st.integers(1, 9), st.integers(0, 7))
def test_products_are_torchs(onednn, dtype, m, k, n, layout):
    with pytest.MonkeyPatch.context() as patch:
        if not onednn:
            patch.setattr(gemm, "_ONEDNN", None)
        a = torch.randn(k, m, dtype=dtype).t() if layout & 1 else torch.randn(m, k, dtype=dtype)
        b = torch.randn(n, k, dtype=dtype).t() if layout & 2 else torch.randn(k, n, dtype=dtype)
        if layout & 4:  # some columns of a wider table
            a = torch.randn(m, k + 3, dtype=dtype)[:, 2 : 2 + k]
        torch.testing.assert_close(gemm.matmul(a, b), a @ b, rtol=0, atol=1e-5)
        torch.testing.assert_close(gemm.matmul_transposed(a.t(), b), a @ b, rtol=0, atol=1e-5)
        start, stop = m // 3, max(m // 3 + 1, m - 5)
        torch.testing.assert_close(gemm.matmul_rows(a, start, stop, b), a[start:stop] @ b, rtol=0, atol=1e-5)


def test_a_linear_map_has_the_right_gradients():
    x, w, b = (torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((5, 3), (4, 3), (4,)))
    assert torch.autograd.gradcheck(gemm.linear, (x, w, b))
    torch.testing.assert_close(gemm.linear(x, w, b), torch.nn.functional.linear(x, w, b))
