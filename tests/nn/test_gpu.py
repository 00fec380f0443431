"""Nets on a GPU transfer a batch once and read no result in main memory.

A CPU build of torch runs the nets on fake CUDA tensors. On a machine with a GPU, torch itself raises an error
if a net waits for the GPU.
"""

import warnings
from dataclasses import replace
from functools import partial

import fake_cuda
import numpy as np
import pytest
import torch
from combinations import each_once
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from user_cells import GATED_CELLS, PlainCell

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.nn import (
    CELLS,
    CONVOLUTION_POOLINGS,
    POOLINGS,
    RECURRENT_CELLS,
    SEQUENCE_POOLINGS,
    ConvolutionalNet,
    ImageBatch,
    RecurrentNet,
    RecursiveNet,
    SequenceBatch,
    TreeBatch,
)
from sklearn_tree.nn.tensors import iterate_tensors
from sklearn_tree.trees.subtrees import number_subtrees

pytestmark = pytest.mark.filterwarnings("ignore:PyTorch was compiled without cuDNN")

RNG = np.random.RandomState(0)
STATISTICS = {"value_shift": [0.1, 0.2], "value_scale": [1.0, 2.0]}
LABEL_STATISTICS = {"value_shift": [0.1] * 7, "value_scale": [2.0] * 7}
CHANNELS = {"n_channels": 2, **STATISTICS}


def comb(depth):
    """Return a binary tree with one inner node at each depth below ``depth``."""
    inner = range(0, 2 * depth, 2)
    return Tree([2] + [3, 4] * depth, [-1] + [i for i in inner for _ in range(2)])


def tree_batch(*trees, **columns):
    array = TreeArray.from_trees(trees)
    return TreeBatch.from_array(array.replace(**columns))


LEAF = Tree([5], [-1])
FOREST = comb(3), comb(1), LEAF
N_NODES = sum(tree.n_nodes for tree in FOREST)
TREES = tree_batch(*FOREST)
SHARED = tree_batch(*FOREST, subtrees=number_subtrees(TreeArray.from_trees(FOREST)))
EDGES = tree_batch(*FOREST, edges=np.arange(N_NODES) % 3)
VALUES = tree_batch(*FOREST, values=np.r_[np.nan, RNG.rand(N_NODES - 1)])
WEIGHTED = replace(TREES, sample_weight=torch.ones(len(FOREST)))
TOKENS = SequenceBatch.from_array(RaggedArray([2, 3, 4, 2], np.array([0, 3, 4])))
SERIES = SequenceBatch.from_array(RaggedArray(RNG.rand(4, 2), np.array([0, 3, 4])))
FULL = SequenceBatch.from_array(RNG.rand(2, 5, 2))
TABLE = SequenceBatch.from_array(RNG.rand(2, 5))
IMAGES = ImageBatch.from_array(RNG.rand(2, 5, 4, 2))
BATCHES = [TREES, SHARED, EDGES, VALUES, WEIGHTED, tree_batch(LEAF), TOKENS, SERIES, FULL, TABLE, IMAGES]

USER_CELLS = {**{name: cell for name, cell in GATED_CELLS.items() if name not in CELLS}, "plain": PlainCell}
TREE_CASES = {
    "trees": (TREES, {}),
    "shared": (SHARED, {}),
    "edges": (EDGES, {"n_edge_labels": 3}),
    "values": (VALUES, LABEL_STATISTICS),
    "leaf": (tree_batch(LEAF), {}),
}
STEP_CASES = {
    "tokens": (TOKENS, {"n_labels": 7}),
    "series": (SERIES, CHANNELS),
    "series of one length": (FULL, CHANNELS),
    "table": (TABLE, {"n_labels": 7, **LABEL_STATISTICS}),
}
GRID_CASES = {**STEP_CASES, "images": (IMAGES, {"is_image": True, **CHANNELS})}


@pytest.fixture(scope="session")
def guard(tmp_path_factory):
    if torch.cuda.is_available():
        return None
    return fake_cuda.build_guard(tmp_path_factory.mktemp("fake_cuda"))


@pytest.fixture
def cuda(guard):
    """Return a context in which "cuda" is a device of fake tensors; nets and batches are made outside."""
    return partial(fake_cuda.install, guard)


def skip_on_a_gpu():
    if torch.cuda.is_available():
        pytest.skip("counts operations on fake CUDA tensors")


def train_step(cuda, net, batch):
    """Return the record of the forward and the backward pass of a net on the GPU."""
    skip_on_a_gpu()
    with cuda():
        net, batch = net.to("cuda"), batch.to("cuda")
        with fake_cuda.Record() as operations:
            net(batch).sum().backward()
    return operations


def assert_no_transfers(cuda, net, batch):
    if torch.cuda.is_available():
        return assert_no_waits(net, batch)
    operations = train_step(cuda, net, batch)
    assert (operations.uploads, operations.downloads) == ([], [])
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    assert {grad.device.type for grad in grads} == {"cuda"}


def assert_no_waits(net, batch):
    net, batch = net.to("cuda"), batch.to("cuda")
    torch.cuda.synchronize()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mode is a prototype
        torch.cuda.set_sync_debug_mode("error")
    try:
        net(batch).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("case", list(TREE_CASES))
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_recursive_nets_transfer_nothing(cell, case, cuda):
    batch, params = TREE_CASES[case]
    assert_no_transfers(cuda, RecursiveNet(7, 3, cell=cell, **params), batch)


@pytest.mark.parametrize("cell", list(USER_CELLS))
def test_cells_of_users_transfer_nothing(cell, cuda):
    assert_no_transfers(cuda, RecursiveNet(7, 3, cell=USER_CELLS[cell]), TREES)


@pytest.mark.parametrize("is_fast", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_poolings_of_trees_transfer_nothing(pooling, is_fast, cuda):
    net = RecursiveNet(7, 3, pooling=pooling)
    net.encoder.is_fast = is_fast
    assert_no_transfers(cuda, net, TREES)


@pytest.mark.parametrize("is_fast", [True, False])
@pytest.mark.parametrize(("case", "pooling"), each_once(list(TREE_CASES), list(POOLINGS)))
def test_bidirectional_nets_transfer_nothing(case, pooling, is_fast, cuda):
    batch, params = TREE_CASES[case]
    net = RecursiveNet(7, 3, pooling=pooling, bidirectional=True, linear_path=True, **params)
    net.linear.set_weights(torch.rand(7, 3), torch.rand(3))
    net.encoder.is_fast = is_fast
    assert_no_transfers(cuda, net, batch)


@pytest.mark.parametrize(("case", "pooling"), each_once(list(STEP_CASES), list(SEQUENCE_POOLINGS)))
@pytest.mark.parametrize("cell", sorted(RECURRENT_CELLS))
def test_recurrent_nets_transfer_nothing(case, cell, pooling, cuda):
    batch, params = STEP_CASES[case]
    assert_no_transfers(cuda, RecurrentNet(3, cell=cell, pooling=pooling, n_layers=2, **params), batch)


@pytest.mark.parametrize("n_blocks", [1, 2])
@pytest.mark.parametrize(("case", "pooling"), each_once(list(GRID_CASES), list(CONVOLUTION_POOLINGS)))
def test_convolutional_nets_transfer_nothing(case, pooling, n_blocks, cuda):
    batch, params = GRID_CASES[case]
    assert_no_transfers(cuda, ConvolutionalNet(3, pooling=pooling, n_blocks=n_blocks, **params), batch)


@pytest.mark.parametrize("batch", [TREES, SHARED, TOKENS], ids=["trees", "shared", "tokens"])
def test_linear_paths_transfer_nothing(batch, cuda):
    makers = [RecursiveNet] if isinstance(batch, TreeBatch) else [RecurrentNet, ConvolutionalNet]
    for maker in makers:
        net = maker(n_outputs=3, n_labels=7, linear_path=True)
        net.linear.set_weights(torch.rand(7, 3), torch.rand(3))
        assert_no_transfers(cuda, net, batch)


class UploadingCell(CELLS["child_sum_lstm"]):
    """Cell with a constant that is made in main memory in every forward pass."""

    def update(self, gates, messages):
        return super().update(gates, tuple(m + m.new_tensor([1.0]) for m in messages))


class DownloadingCell(CELLS["child_sum_lstm"]):
    """Cell that reads a result in main memory."""

    def update(self, gates, messages):
        gates[0].cpu()
        return super().update(gates, messages)


class WaitingCell(CELLS["child_sum_lstm"]):
    """Cell whose factors depend on a number that the GPU computes."""

    def update(self, gates, messages):
        return super().update(gates, tuple(m * float(gates[0].mean()) for m in messages))


class SelectingCell(CELLS["child_sum_lstm"]):
    """Cell that selects rows by a mask, whose number of rows the GPU computes."""

    def update(self, gates, messages):
        assert len(gates[0][gates[0][:, 0] > 0])
        return super().update(gates, messages)


def test_transfers_and_waiting_are_detected(cuda):  # the control of the laws above
    assert "aten._to_copy.default" in train_step(cuda, RecursiveNet(7, 3, cell=UploadingCell), TREES).uploads
    assert (
        "aten._to_copy.default" in train_step(cuda, RecursiveNet(7, 3, cell=DownloadingCell), TREES).downloads
    )
    with pytest.raises(DataDependentOutputException):
        train_step(cuda, RecursiveNet(7, 3, cell=WaitingCell), TREES)
    with pytest.raises(DynamicOutputShapeException):
        train_step(cuda, RecursiveNet(7, 3, cell=SelectingCell), TREES)


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: type(batch).__name__)
def test_a_batch_is_transferred_in_one_copy(batch, cuda):
    skip_on_a_gpu()
    with cuda():
        with fake_cuda.Record() as operations:
            moved = batch.to("cuda")
        with fake_cuda.Record() as no_operations:
            moved.to("cuda")
    assert operations.uploads == ["aten._to_copy.default"]
    assert operations.n_pinned == 1
    assert all(tensor.is_cuda for tensor in iterate_tensors(moved))
    assert len(moved) == len(batch)
    assert (no_operations.uploads, no_operations.n_pinned) == ([], 0)


def test_tensors_of_a_batch_on_the_gpu_stay_there(cuda):
    skip_on_a_gpu()
    with cuda():
        values = FULL.values.to("cuda")
        with fake_cuda.Record() as operations:
            moved = replace(FULL, values=values).to("cuda")
        assert operations.uploads == ["aten._to_copy.default"]  # the lengths
        assert moved.lengths.is_cuda


def count_level(cuda, cell, **params):
    """Return the number of kernels that one more level of inner nodes costs in a training step."""
    nets = (RecursiveNet(7, 3, cell=cell, **params) for _ in range(2))
    counts = [len(train_step(cuda, net, tree_batch(comb(n))).kernels) for net, n in zip(nets, (6, 7))]
    return counts[1] - counts[0]


# The user guide gives these numbers.
@pytest.mark.parametrize(
    ("cell", "n_kernels"),
    [
        ("child_sum_gru", 41),
        ("child_sum_lstm", 44),
        ("nary_gru", 43),
        ("nary_lstm", 30),
        ("rnn", 12),
        ("rntn", 34),
    ],
)
def test_a_level_costs_few_kernels(cell, n_kernels, cuda):
    assert count_level(cuda, cell) <= n_kernels


@pytest.mark.parametrize(
    ("cell", "n_kernels"), [("child_sum_lstm", 74), ("nary_lstm", 60), ("nary_gru", 86), ("rnn", 24)]
)
def test_a_level_of_a_bidirectional_net_costs_few_kernels(cell, n_kernels, cuda):
    assert count_level(cuda, cell, bidirectional=True) <= n_kernels


def test_more_trees_cost_no_more_kernels(cuda):
    nets = (RecursiveNet(7, 3, cell="nary_lstm") for _ in range(2))
    one, many = (train_step(cuda, net, tree_batch(*[comb(4)] * n)).kernels for net, n in zip(nets, (1, 20)))
    assert len(one) == len(many)
