"""Choice between compiled walks and those of torch, and compilation on request."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from sklearn_tree.nn.cells import CELLS
from sklearn_tree.nn.compiled.kernels import Kernels, has_numba, kernels_of
from sklearn_tree.nn.gated import GatedCell, TreeCell
from sklearn_tree.nn.gru_step import GRUStep
from sklearn_tree.nn.recurrent import RecurrentNet
from sklearn_tree.nn.recursive import RecursiveEncoder
from sklearn_tree.nn.walkable import supports_fast_walk

# Number of nodes of a fit, each counted once per epoch, from which its walk is compiled. Compilation takes
# about 10 s per cell, and a compiled walk saves 3 to 5 s per million nodes.
_MIN_NODES = 5_000_000
_MIN_NODES_IF_PREPARED = 20_000
_CELLS: dict[str, type[TreeCell]] = {**CELLS, "gru": GRUStep}
_SIZES = 2, 8  # of the inputs and states of the cells that are compiled on request


def compile_cells(cells: Iterable[str | type[TreeCell]] | None = None, *, max_arity: int = 2) -> list[str]:
    """Compile the walks of cells, so that short fits on this machine use them as well.

    The walk of a gated cell runs several times faster when it is compiled, which takes ten seconds or more
    per cell. A fit of five million nodes, each counted once per epoch, compiles the walk of its cell. After a
    call of this function, in this or an earlier process, fits of 20,000 nodes or more use the compiled walk;
    each process takes one to two seconds to load it. The compiled code is kept in the folder
    ``$SKLEARN_TREE_CACHE``, by default ``~/.cache/sklearn_tree``. Call the function once after an
    installation, for example while a container is built.

    The results of a compiled walk equal those of the other one up to rounding, so a seeded fit may differ in
    the last digits before and after a call.

    Parameters
    ----------
    cells : iterable of str or of TreeCell subclasses, default=None
        Names in ``sklearn_tree.nn.CELLS``, or classes, or ``"gru"`` for ``RNNClassifier(cell="gru")`` on
        texts without dropout, each of whose steps counts as a node. None for all cells of the library.
    max_arity : int, default=2
        Number of children that the cells distinguish. Cells that do not distinguish children are compiled
        for all numbers at once, all others for this one.

    Returns
    -------
    list of str
        Names of the classes that have been compiled. Classes that are missing cannot be compiled: their
        functions are not elementwise, or they are no :class:`GatedCell` that declares ``is_pure``.

    Raises
    ------
    ImportError
        If numba is not installed.
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> from sklearn_tree.nn import compile_cells
    >>> compile_cells(["nary_lstm"])  # doctest: +SKIP
    ['NaryTreeLSTM']
    """
    if not has_numba():
        raise ImportError('compile_cells needs numba: pip install "sklearn-tree[fast]"')
    compiled = []
    for given in _CELLS if cells is None else cells:
        if isinstance(given, str) and given not in _CELLS:
            raise ValueError(f"cells must be names in {sorted(_CELLS)} or classes, got {given!r}")
        cell_class = _CELLS[given] if isinstance(given, str) else given
        if _compile_cell(cell_class, max_arity):
            compiled.append(cell_class.__name__)
    return compiled


def _compile_cell(cell_class: type[TreeCell], max_arity: int) -> bool:
    with torch.random.fork_rng(devices=[]):
        cell = cell_class(*_SIZES, max_arity)
    cell.to("cpu", torch.float32)
    both = [_load(cell.train(is_training), may_compile=True) for is_training in (True, False)]
    for kernels in both:
        if kernels is None:
            return False
        kernels.mark_prepared()
    return True


def _load(cell: TreeCell, *, may_compile: bool) -> Kernels | None:
    """Read the compiled walk of a cell from the cache, or compile it; return None if that is impossible."""
    kernels = _find_kernels(cell)
    if kernels is None or not isinstance(cell, GatedCell):
        return None
    return kernels if kernels.load(cell, may_compile=may_compile) else None


def _find_kernels(cell: TreeCell) -> Kernels | None:
    return kernels_of(cell) if isinstance(cell, GatedCell) and supports_fast_walk(cell) else None


def choose_walks(module: nn.Module, n_nodes: int) -> None:
    """Let the walks of a net be compiled if a fit is long enough.

    The choice depends on the fit and on calls of :func:`compile_cells` only, so that equal fits have equal
    results.

    Parameters
    ----------
    module : nn.Module
        The net.
    n_nodes : int
        Number of nodes of all epochs of the fit.
    """
    for part in _iterate_parts(module):
        part.is_compiled = _pays_off(part, n_nodes) or part.is_compiled


def uses_compiled_walks(module: nn.Module) -> bool:
    """Return whether the walks of a net are compiled, wherever its cells and tensors allow it."""
    return has_numba() and any(part.is_compiled and part.compiled_cells for part in _iterate_parts(module))


def load_walks(module: nn.Module) -> None:
    """Load the compiled walks of a net from the cache, if they have been compiled on this machine."""
    for part in _iterate_parts(module):
        for cell in part.compiled_cells if part.is_compiled else ():
            _load(cell, may_compile=False)


def _iterate_parts(module: nn.Module) -> Iterable[RecursiveEncoder | RecurrentNet]:
    return (part for part in module.modules() if isinstance(part, (RecursiveEncoder, RecurrentNet)))


def _pays_off(part: RecursiveEncoder | RecurrentNet, n_nodes: int) -> bool:
    if n_nodes < min(_MIN_NODES, _MIN_NODES_IF_PREPARED) or not has_numba():
        return False
    if any(x.device.type != "cpu" or x.dtype != torch.float32 for x in part.parameters()):
        return False
    cells = part.compiled_cells
    found = [_find_kernels(cell) for cell in cells]
    is_prepared = all(kernels is not None and kernels.is_prepared for kernels in found)
    if not found or None in found or n_nodes < (_MIN_NODES_IF_PREPARED if is_prepared else _MIN_NODES):
        return False
    return all(_load(cell, may_compile=True) is not None for cell in cells)
