"""Source of the functions of one row of a cell, see :mod:`sklearn_tree.nn.compiled.row_functions`.

For each function two are written: a loop over the columns of one-dimensional arrays, which the compiler
vectorises since it can tell that none overlaps another, and a function with the signature that the passes
call, which splits the rows of the tables into those arrays.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

from sklearn_tree.nn.compiled import row_functions
from sklearn_tree.nn.compiled.trace import Expressions, TracedCell
from sklearn_tree.nn.gated import GatedCell, is_tanh

# The exponential is 2^n * p(r) for x / log(2) = n + r, |r| <= 1/2, with a minimax polynomial p of degree 5:
# no call, so the loops vectorise. Its relative error is 1e-7, and 1e-6 for |x| = 20 because of the product.
PRELUDE = """
from math import cos, exp, inf, log, nan, sin, sqrt

import numpy as np
from numba import njit

f4 = np.float32
i4 = np.int32
OPTIONS = {"nogil": True, "boundscheck": False, "error_model": "numpy", "fastmath": {"contract"}}


@njit(inline="always", **OPTIONS)
def fast_exp(x):
    y = x * f4(1.44269504)
    y = f4(-126.0) if y < f4(-126.0) else y
    y = f4(126.0) if y > f4(126.0) else y
    t = y + f4(12582912.0)  # 1.5 * 2**23, so that the last bits hold the nearest integer
    r = y - (t - f4(12582912.0))
    p = f4(0.001326472731)
    p = p * r + f4(0.009671512991)
    p = p * r + f4(0.05550733581)
    p = p * r + f4(0.2402224243)
    p = p * r + f4(0.6931470037)
    p = p * r + f4(1.0)
    return i4(f4(p).view(np.int32) + (f4(t).view(np.int32) << i4(23))).view(np.float32)


@njit(inline="always", **OPTIONS)
def sigmoid(x):
    return f4(1.0) / (f4(1.0) + fast_exp(-x))


@njit(inline="always", **OPTIONS)
def tanh(x):
    return f4(2.0) * sigmoid(f4(2.0) * x) - f4(1.0)


@njit(inline="always", **OPTIONS)
def maximum(x, y):
    return x if x > y or x != x else y


@njit(inline="always", **OPTIONS)
def minimum(x, y):
    return x if x < y or x != x else y


@njit(**OPTIONS)
def add(x, y):
    for j in range(x.shape[0]):
        x[j] += y[j]
"""


def write_row_functions(cell: GatedCell, traced: TracedCell) -> str:
    """Write the module with the functions of one row of a cell.

    Parameters
    ----------
    cell : GatedCell
        Cell.
    traced : TracedCell
        Its functions.

    Returns
    -------
    str
        Source of the module, without the passes.
    """
    layout = cell.layout
    constants = [
        f"N_PLACES = {layout.n_places}",
        f"N_CHILD_GATES = {len(cell.child_gates)}",
        f"HAS_EDGE_GATES = {layout.has_edge_gates}",
    ]
    functions = [
        _write_update(cell, traced.update, is_leaf=False),
        _write_update(cell, traced.leaf, is_leaf=True),
        _write_update_backward(cell, traced.update_backward, is_leaf=False),
        _write_update_backward(cell, traced.leaf_backward, is_leaf=True),
        _write_message(cell, traced.message),
        _write_message_backward(cell, traced.message_backward),
    ]
    return "\n".join([PRELUDE, *constants, *functions])


class _Loop:
    """A loop over columns, and the arrays that it reads and writes."""

    def __init__(self) -> None:
        self.arrays: dict[str, str] = {}  # expression of each array, in terms of the tables
        self.lines: list[str] = []

    def block(self, table: str, i: int) -> str:
        """Return the element of a block of ``hidden_size`` columns of a row."""
        self.arrays[f"{table}_{i}"] = f"{table}[{i} * size : {i + 1} * size]"
        return f"{table}_{i}[j]"

    def row(self, table: str, i: int, row: str) -> str:
        """Return the element of a row of a table."""
        self.arrays[f"{table}_{i}"] = f"{table}[{i}, {row}]"
        return f"{table}_{i}[j]"

    def assign(self, name: str, value: str, operator: str = "=") -> None:
        """Add an assignment."""
        self.lines.append(f"{name} {operator} {_in_single_precision(value)}")

    def compute(self, expressions: Expressions) -> None:
        """Add the assignments of traced expressions."""
        for name, value in expressions.assignments:
            self.assign(name, value)

    def write(self, name: str, size: str) -> str:
        """Write the loop and the function that calls it."""
        signature = inspect.signature(getattr(row_functions, name))
        parameters = ", ".join(signature.parameters)
        if not self.lines:
            return f"\n\n@njit(**OPTIONS)\ndef {name}({parameters}):\n    pass"
        used = {array: text for array, text in self.arrays.items() if self._uses(array)}
        return "\n".join(
            [
                f"\n\n@njit(**OPTIONS)\ndef {name}_loop({', '.join(used)}):",
                f"    for j in range({next(iter(used))}.shape[0]):",
                *(f"        {line}" for line in self.lines),
                f"\n\n@njit(**OPTIONS)\ndef {name}({parameters}):",
                f"    size = {size}.shape[{1 if size == 'message_grads' else 2}]",
                f"    {name}_loop({', '.join(used.values())})",
            ]
        )

    def _uses(self, array: str) -> bool:
        return any(re.search(rf"\b{array}\[", line) for line in self.lines)


def _write_update(cell: GatedCell, expressions: Expressions, *, is_leaf: bool) -> str:
    loop = _Loop()
    _activate_gates(loop, cell, is_leaf=is_leaf)
    if not is_leaf:
        for i, name in enumerate(cell.h_gates):
            loop.assign(loop.block("products", i), f"g{cell.gates.index(name)}")
    _read_messages(loop, cell, is_leaf=is_leaf)
    loop.compute(expressions)
    for k, result in enumerate(expressions.results):
        loop.assign(loop.row("states", k, "row"), _or_zero(result))
    return loop.write("update_leaf" if is_leaf else "update", "states")


def _write_update_backward(cell: GatedCell, expressions: Expressions, *, is_leaf: bool) -> str:
    loop = _Loop()
    _activate_gates(loop, cell, is_leaf=is_leaf, is_stored=True)
    _read_messages(loop, cell, is_leaf=is_leaf)
    for k in range(cell.n_states):
        loop.assign(f"d{k}", loop.row("state_grads", k, "row"))
    loop.compute(expressions)
    for i, (name, grad) in enumerate(zip(cell.gates, expressions.results, strict=False)):
        loop.assign(f"e{i}", _differentiate_gate(cell, name, _or_zero(grad), f"g{i}"))
        if name in cell.h_gates and not is_leaf:
            loop.assign(loop.block("product_grads", cell.h_gates.index(name)), f"e{i}")
        if name in cell.x_gates:
            column = loop.block("wx_grads", cell.x_gates.index(name))
            loop.assign(column, f"e{i}", "=" if is_leaf else "+=")
    if not is_leaf:
        for k, grad in enumerate(expressions.results[len(cell.gates) :]):
            loop.arrays[f"message_grads_{k}"] = f"message_grads[{k}]"
            loop.assign(f"message_grads_{k}[j]", _or_zero(grad))
    return loop.write("update_leaf_backward" if is_leaf else "update_backward", "state_grads")


def _write_message(cell: GatedCell, expressions: Expressions) -> str:
    loop = _Loop()
    if cell.n_messages:
        _activate_child_gates(loop, cell)
        _read_states(loop, cell)
        loop.compute(expressions)
        for k, result in enumerate(expressions.results):
            loop.assign(loop.row("messages", k, "row"), _or_zero(result), "+=")
    return loop.write("message", "states")


def _write_message_backward(cell: GatedCell, expressions: Expressions) -> str:
    loop = _Loop()
    if cell.n_messages:
        _activate_child_gates(loop, cell)
        _read_states(loop, cell)
        for k in range(cell.n_messages):
            loop.arrays[f"message_grads_{k}"] = f"message_grads[{k}]"
            loop.assign(f"d{k}", f"message_grads_{k}[j]")
        loop.compute(expressions)
        for i, (name, grad) in enumerate(zip(cell.child_gates, expressions.results, strict=False)):
            loop.assign(f"e{i}", _differentiate_gate(cell, name, _or_zero(grad), f"k{i}"))
            loop.assign(loop.block("child_product_grads", i), f"e{i}", "+=")
            loop.assign(loop.block("wx_grads", len(cell.x_gates) + i), f"e{i}", "+=")
        for k, grad in enumerate(expressions.results[len(cell.child_gates) :]):
            if grad is not None:
                loop.assign(loop.row("state_grads", k, "child"), grad, "+=")
    return loop.write("message_backward", "states")


def _activate_gates(loop: _Loop, cell: GatedCell, *, is_leaf: bool, is_stored: bool = False) -> None:
    """Compute the gates ``g0``, ... of a node; read those that depend on its children if they are stored."""
    for i, name in enumerate(cell.gates):
        depends = name in cell.h_gates and not is_leaf
        terms = [loop.block("products", cell.h_gates.index(name))] if depends else []
        if depends and is_stored:
            loop.assign(f"g{i}", terms[0])
            continue
        if name in cell.x_gates:
            terms.append(loop.block("wx", cell.x_gates.index(name)))
        loop.assign(f"g{i}", _activate(cell, name, terms))


def _activate_child_gates(loop: _Loop, cell: GatedCell) -> None:
    for i, name in enumerate(cell.child_gates):
        terms = [loop.block("child_products", i), loop.block("wx", len(cell.x_gates) + i)]
        loop.assign(f"k{i}", _activate(cell, name, terms))


def _read_messages(loop: _Loop, cell: GatedCell, *, is_leaf: bool) -> None:
    for k in range(cell.n_messages):
        loop.assign(f"m{k}", "0.0" if is_leaf else loop.row("messages", k, "row"))


def _read_states(loop: _Loop, cell: GatedCell) -> None:
    for k in range(cell.n_states):
        loop.assign(f"s{k}", loop.row("states", k, "child"))


def _activate(cell: GatedCell, name: str, terms: Iterable[str]) -> str:
    text = " + ".join(terms) or "0.0"
    if name in cell.linear_gates:
        return text
    return f"tanh({text})" if is_tanh(cell, name) else f"sigmoid({text})"


def _differentiate_gate(cell: GatedCell, name: str, grad: str, gate: str) -> str:
    if name in cell.linear_gates:
        return grad
    return f"{grad} * (1.0 - {gate} * {gate})" if is_tanh(cell, name) else f"{grad} * (1.0 - {gate}) * {gate}"


def _or_zero(value: str | None) -> str:
    return "0.0" if value is None else value


def _in_single_precision(text: str) -> str:
    """Mark the literals of an expression as single precision; Python's are doubles."""
    return re.sub(r"(?<![\w.])(\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+|inf|nan)\b", r"f4(\1)", text)
