"""The compiled walk equals plain autograd for every cell that can be traced."""

from contextlib import contextmanager, nullcontext
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import forests
from user_cells import ELEMENTWISE_CELLS
from walks import compare_walks, make_large_batch, make_net

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import POOLINGS, TreeBatch, compilation
from sklearn_tree.nn.compiled import kernels
from sklearn_tree.nn.compiled.kernels import find_kernels
from sklearn_tree.nn.parallel import walk_threads
from sklearn_tree.trees.subtrees import number_subtrees

pytest.importorskip("numba")
from sklearn_tree.nn.compiled import walk as compiled_walk

IDS = st.integers(2, 6)


# The compiler takes long for each cell, so the source of the passes of some cells runs as Python. The compiled
# ones are those of the library and one with all operators.
PYTHON_CELLS = ["clipped_lstm", "counting", "mixin", "soft_sum", "two_gates"]
COMPILED_CELLS = sorted(set(ELEMENTWISE_CELLS) - set(PYTHON_CELLS))
each_cell = pytest.mark.parametrize("cell", ELEMENTWISE_CELLS)
each_compiled_cell = pytest.mark.parametrize("cell", COMPILED_CELLS)


def make_compiled(cell, **params):
    net = make_net(cell, torch.float32, **params)
    compilation.choose_walks(net, 10**9)
    assert net.encoder.is_compiled
    return net


@contextmanager
def python_passes():
    """Let the passes of all cells run as Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_kernels", {})
        patch.setattr(kernels.Kernels, "load", interpret)
        yield


def passes_of(cell):
    """Let the passes of a cell run as Python, unless they are to be compiled."""
    return python_passes() if cell in PYTHON_CELLS else nullcontext()


def interpret(found, cell, *, may_compile):
    if found.module is None:
        as_python = "def njit(**options):\n    return lambda function: function"
        found.module = ModuleType(found.name)
        exec(found.source.replace("from numba import njit", as_python), vars(found.module))
        for name in ("climb_level", "descend_level"):
            setattr(found.module, name, without_bounds(getattr(found.module, name)))
        for name in ("climb", "descend"):
            setattr(found.module, name, np.errstate(all="ignore")(getattr(found.module, name)))
    return True


def without_bounds(function):
    """Let a function read empty rows of the products of cells without child gates; compiled ones do."""

    def call(start, stop, edges, wx, products, child_products, messages, states, *grads):
        if not child_products.size:
            child_products = np.empty((states.shape[1], 0), np.float32)
            grads = [(part[0], child_products, *part[2:]) for part in grads]
        function(start, stop, edges, wx, products, child_products, messages, states, *grads)

    return call


def compare(net, batch):
    assert find_kernels(net.encoder.cell, torch.zeros(1)) is not None
    for n_threads in (1, 2):
        with walk_threads(n_threads):
            compare_walks(net, batch, 1e-5, 1e-4)


def draw_and_compare(cell, forest, data):
    pooling = data.draw(st.sampled_from(sorted(POOLINGS)))
    with passes_of(cell):
        compare(make_compiled(cell, pooling=pooling), TreeBatch.from_array(TreeArray.from_trees(forest)))


@each_compiled_cell
@settings(max_examples=30)
@given(forest=forests(labels=IDS), data=st.data())
def test_it_equals_plain_autograd(cell, forest, data):
    draw_and_compare(cell, forest, data)


@pytest.mark.parametrize("cell", PYTHON_CELLS)
@settings(max_examples=8)
@given(forest=forests(labels=IDS), data=st.data())
def test_passes_that_run_as_python_equal_plain_autograd(cell, forest, data):
    draw_and_compare(cell, forest, data)


@each_compiled_cell
@settings(max_examples=15)
@given(forest=forests(labels=IDS))
def test_equal_subtrees_may_be_computed_once(cell, forest):
    array = TreeArray.from_trees([*forest, *forest])
    batch = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array)))
    compare(make_compiled(cell), batch)


@each_compiled_cell
def test_it_equals_plain_autograd_on_large_batches_and_wide_states(cell):
    compare(make_compiled(cell, hidden_size=70), make_large_batch())


def test_chains_are_walked():
    n = 3000
    array = TreeArray.from_trees([Tree([2] * n, [-1, *range(n - 1)]), Tree([3], [-1])])
    compare(make_compiled("child_sum_lstm"), TreeBatch.from_array(array))


@pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_gru"])
def test_every_node_may_have_its_own_input(cell):
    array = TreeArray.from_trees([Tree([2, 3, 3, 2], [-1, 0, 0, 2], values=[None, 1.0, 2.0, None])] * 2)
    net = make_compiled(cell, value_shift=[0.0] * 7, value_scale=[1.0] * 7)
    compare(net, TreeBatch.from_array(array))


@pytest.mark.parametrize(
    ("cell", "passes"), [("child_sum_lstm", nullcontext), ("nary_gru", python_passes), ("rnn", python_passes)]
)
def test_both_walks_of_a_bidirectional_net_are_compiled(cell, passes, monkeypatch):
    calls = []
    walk = compiled_walk.walk_edges
    monkeypatch.setattr(compiled_walk, "walk_edges", lambda *a: calls.append(1) or walk(*a))
    array = TreeArray.from_trees([Tree([2, 3, 4, 5, 6], [-1, 0, 0, 1, 1]), Tree([2], [-1])] * 3)
    with passes():
        net = make_compiled(cell, bidirectional=True)
        calls.clear()
        compare(net, TreeBatch.from_array(array))
    assert len(calls) == 4  # two for each number of threads


def test_a_wrong_derivative_fails_the_comparison(monkeypatch):  # the control of the laws above
    net, batch = (
        make_compiled("nary_lstm"),
        TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3], [-1, 0])])),
    )
    backward = compiled_walk._CompiledWalk.backward
    wrong = lambda ctx, grad: backward(ctx, 1.01 * grad)  # noqa: E731
    monkeypatch.setattr(compiled_walk._CompiledWalk, "backward", staticmethod(wrong))
    with pytest.raises(AssertionError):
        compare(net, batch)


def small_walk(cell="nary_lstm"):
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])]))
    return make_compiled(cell), batch


def test_only_gradients_that_are_needed_are_computed():
    net, batch = small_walk()
    net.encoder.cell.W.requires_grad_(False)
    net.embedding.requires_grad_(False)
    net(batch).sum().backward()
    assert net.encoder.cell.W.weight.grad is None
    assert net.encoder.cell.U.weight.grad is not None


def test_a_change_of_the_weights_between_the_passes_is_an_error():
    net, batch = small_walk()
    loss = net(batch).sum()
    with torch.no_grad():
        net.encoder.cell.U.weight.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_nan_and_infinite_inputs_reach_the_output():
    for cell in ELEMENTWISE_CELLS:
        with passes_of(cell):
            net, batch = small_walk(cell)
            with torch.no_grad():
                net.embedding.labels.weight[4] = torch.nan
            assert net(batch).isnan().all(), cell


def test_it_is_deterministic():
    net, batch = small_walk()
    assert torch.equal(net(batch), net(batch))


@each_cell
def test_autocast_rounds_the_operands_of_products_only(cell):
    """Torch's walk rounds the same operands, so the difference is that of the order of the sums."""
    rng = np.random.RandomState(0)
    trees = [Tree([2, 3, 4, 5, 6, 2], [-1, 0, 1, 1, 0, 4]), Tree([3], [-1]), Tree([4, 5], [-1, 0])]
    batch = TreeBatch.from_array(TreeArray.from_trees([trees[i] for i in rng.randint(3, size=20)]))
    with passes_of(cell):
        net, results = make_compiled(cell), []
        for is_compiled in (True, False):
            net.encoder.is_compiled = is_compiled
            net.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = net(batch).float().square().sum()
            loss.backward()
            results.append([loss.detach(), *(p.grad for p in net.encoder.parameters() if p.grad is not None)])
        with_float32 = net(batch).square().sum()
    assert results[0][0].dtype == torch.float32
    assert results[0][0] != with_float32  # the control
    for a, b in zip(*results):
        torch.testing.assert_close(a, b, rtol=0.02, atol=0.02 * float(b.abs().max()))


def test_double_precision_and_several_threads_take_the_other_walk():
    net, batch = small_walk()
    cell, x = net.encoder.cell, torch.zeros(2, 2)
    assert find_kernels(cell, x) is not None  # the control
    assert find_kernels(cell, x.double()) is None
    assert find_kernels(cell, x.to("meta")) is None
    torch.set_num_threads(2)
    try:
        assert find_kernels(cell, x) is None
        torch.testing.assert_close(net(batch), net.double()(batch).float(), rtol=0, atol=1e-5)
    finally:
        torch.set_num_threads(1)


def test_merging_by_numba_gives_the_same_batch(monkeypatch):
    from sklearn_tree.nn.compiled import loaded

    rng = np.random.RandomState(0)
    trees = [Tree([2], [-1])]
    for _ in range(30):
        n = rng.randint(1, 20)
        trees.append(Tree(rng.randint(0, 9, n).tolist(), [-1] + [rng.randint(0, i) for i in range(1, n)]))
    edges = [Tree(t.labels, t.parents, edges=[None, *[1, 2] * 20][: len(t.labels)]) for t in trees]
    for array in (TreeArray.from_trees(trees), TreeArray.from_trees(edges)):
        batches = []
        for are_loaded in (False, True):
            monkeypatch.setattr(loaded, "_are_loaded", are_loaded)
            batches.append(TreeBatch.from_array(array))
        numpy, numba = batches
        for name in numpy.__dataclass_fields__:
            a, b = getattr(numpy, name), getattr(numba, name)
            assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, name
