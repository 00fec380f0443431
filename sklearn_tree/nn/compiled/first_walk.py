"""First walk with the compiled passes of a cell, which compiles them and compares them with the cell."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.compiled import edges, merge, walk
from sklearn_tree.nn.gated import Children, GatedCell
from sklearn_tree.trees import Tree, TreeArray

_TOLERANCE = 1e-3  # of single precision; other equations differ by more
_SCALE = 3.0  # of the inputs
_SIZES = 2, 8  # of the inputs and states of cells without data
# Chains for cells of one place, and further trees for all others.
_CHAINS = (Tree([0] * 4, [-1, 0, 1, 2]), Tree([0] * 2, [-1, 0]), Tree([0], [-1]))
_TREES = (Tree([0] * 6, [-1, 0, 0, 1, 1, 2]), Tree([0] * 7, [-1, 0, 1, 1, 0, 4, 4]))


class MismatchError(Exception):
    """Compiled passes that compute something else than the cell."""


def walk_once(cell: GatedCell, functions: ModuleType, *, is_new: bool) -> None:
    """Walk over a few trees, forwards and backwards.

    Parameters
    ----------
    cell : GatedCell
        Cell, in single precision and main memory or without data.
    functions : module
        Passes to compile.
    is_new : bool
        Whether to compare the results with those of the cell, node by node.

    Raises
    ------
    MismatchError
        If the results differ.
    """
    if next(cell.parameters()).is_meta:
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            cell = type(cell)(*_SIZES, cell.max_arity).to(torch.float32)
    batch = TreeBatch.from_array(TreeArray.from_trees([*_CHAINS, *(_TREES if cell.max_arity > 1 else ())]))
    _compile_shared_functions()
    generator = torch.Generator().manual_seed(0)
    x, factors = (
        _SCALE * torch.randn(len(batch.labels), size, generator=generator, dtype=torch.float32, device="cpu")
        for size in (cell.input_size, cell.hidden_size)
    )
    found = _differentiate(lambda x: walk.walk_batch(cell, functions, x, batch, None, None), cell, x, factors)
    if not is_new:
        return
    expected = _differentiate(lambda x: _walk_plainly(cell, x, batch), cell, x, factors)
    for a, b in zip(found, expected, strict=True):
        if not torch.allclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True):
            raise MismatchError


def _walk_plainly(cell: GatedCell, x: Tensor, batch: TreeBatch) -> Tensor:
    """Compute all nodes one by one, with autograd."""
    states: list[tuple[Tensor, ...]] = [()] * len(x)
    for node in reversed(range(len(x))):
        below = batch.children[batch.parents == node].tolist()
        columns = tuple(torch.cat(state) for state in zip(*(states[child] for child in below), strict=True))
        children = Children(columns, torch.zeros(len(below), dtype=torch.int64), torch.arange(len(below)))
        states[node] = cell(cell.project(x[node : node + 1]), children if below else None)
    return torch.cat([state[0] for state in states])


def _compile_shared_functions() -> None:
    zero = np.zeros(1, np.int64)
    merge.sort_nodes(np.zeros(1, np.int32), zero - 1)
    merge.find_distinct(zero, 0, 1)
    edges.number_trees(zero + 1, zero, 1)


def _differentiate(
    function: Callable[[Tensor], Tensor], cell: GatedCell, x: Tensor, factors: Tensor
) -> list[Tensor]:
    """Return the outputs of a walk and all gradients."""
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        x = x.clone().requires_grad_()
        h = function(x)
        weights = [w for w in cell.parameters() if w.requires_grad]
        grads = torch.autograd.grad((h * factors).sum(), [x, *weights], allow_unused=True)
    zeros = [torch.zeros_like(w) for w in (x, *weights)]
    return [h, *(zero if grad is None else grad for grad, zero in zip(grads, zeros, strict=True))]
