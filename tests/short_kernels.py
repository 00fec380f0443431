"""Kernels of two short functions, for tests of files and decisions: the compiler takes long for real ones."""

from sklearn_tree.nn.compiled import kernels
from sklearn_tree.nn.compiled.kernels import Kernels
from sklearn_tree.nn.compiled.trace import trace_cell

SOURCE = """
from numba import njit

@njit(cache=True, nogil=True)
def climb(x):
    return x + 1

@njit(cache=True, nogil=True)
def descend(x):
    return x - 1
"""


def use_short_kernels(patch):
    """Replace the kernels of all cells until ``patch`` is undone; the cells cannot walk with them."""
    patch.setattr(kernels, "_kernels", {})
    patch.setattr(kernels, "_write_kernels", _write_kernels)
    patch.setattr("sklearn_tree.nn.compiled.first_walk.walk_once", _walk_once)


def _write_kernels(cell):
    if trace_cell(cell) is None:
        return None
    return Kernels(f"sklearn_tree_walk_{type(cell).__name__}_{cell.max_arity}", SOURCE)


def _walk_once(cell, functions, *, is_new):
    assert functions.descend(functions.climb(1)) == 1
