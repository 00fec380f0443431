"""Trace the functions of a cell, and their derivatives, into scalar expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, fx

from sklearn_tree.nn.gated import GatedCell, differentiate

_SHAPE = (2, 3)  # of the tensors that functions are traced with

# Operators that return their argument.
_COPIES = {"alias.default", "clone.default", "detach.default"}
# Python expressions of elementwise operators; sigmoid, tanh, exp, log, sqrt, maximum, minimum are functions.
_FORMS = {
    "abs.default": "abs({0})",
    "add.Scalar": "{0} + {1}",
    "add.Tensor": "{0} + {1}",
    "addcmul.default": "{0} + {1} * {2}",
    "div.Scalar": "{0} / {1}",
    "div.Tensor": "{0} / {1}",
    "eq.Scalar": "{0} == {1}",
    "eq.Tensor": "{0} == {1}",
    "exp.default": "exp({0})",
    "ge.Scalar": "{0} >= {1}",
    "ge.Tensor": "{0} >= {1}",
    "gt.Scalar": "{0} > {1}",
    "gt.Tensor": "{0} > {1}",
    "le.Scalar": "{0} <= {1}",
    "le.Tensor": "{0} <= {1}",
    "log.default": "log({0})",
    "lt.Scalar": "{0} < {1}",
    "lt.Tensor": "{0} < {1}",
    "masked_fill.Scalar": "({2} if {1} else {0})",
    "masked_fill_.Scalar": "({2} if {1} else {0})",
    "maximum.default": "maximum({0}, {1})",
    "minimum.default": "minimum({0}, {1})",
    "mul.Scalar": "{0} * {1}",
    "mul.Tensor": "{0} * {1}",
    "neg.default": "-{0}",
    "ones_like.default": "1.0",
    "reciprocal.default": "1.0 / {0}",
    "relu.default": "maximum({0}, 0.0)",
    "rsub.Scalar": "{1} - {0}",
    "sgn.default": "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else {0})",
    "sigmoid.default": "sigmoid({0})",
    "sigmoid_backward.default": "{0} * (1.0 - {1}) * {1}",
    "sqrt.default": "sqrt({0})",
    "sub.Scalar": "{0} - {1}",
    "sub.Tensor": "{0} - {1}",
    "tanh.default": "tanh({0})",
    "tanh_backward.default": "{0} * (1.0 - {1} * {1})",
    "threshold_backward.default": "(0.0 if {1} <= {2} else {0})",
    "where.self": "({1} if {0} else {2})",
    "zeros_like.default": "0.0",
}


@dataclass(frozen=True)
class Expressions:
    """A function of scalars as Python expressions.

    Attributes
    ----------
    assignments : tuple of (str, str)
        Name and expression of each intermediate value, in the order of the computation.
    results : tuple of (str or None)
        Name or literal of each result; None for a result that does not depend on the arguments.
    """

    assignments: tuple[tuple[str, str], ...] = ()
    results: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class TracedCell:
    """The two functions of a cell and their derivatives.

    The names of the arguments are ``g0``, ``g1``, ... for the gates, ``m0``, ... for the messages, ``k0``,
    ... for the child gates, ``s0``, ... for the states, and ``d0``, ... for the gradients with respect to the
    results. The results of a derivative are the gradients with respect to all other arguments.

    Attributes
    ----------
    update, update_backward, message, message_backward : Expressions
        The functions.
    """

    update: Expressions
    update_backward: Expressions
    message: Expressions
    message_backward: Expressions


class _NotElementwiseError(Exception):
    """A function that has no scalar form."""


def trace_cell(cell: GatedCell) -> TracedCell | None:
    """Trace the functions of a cell.

    The functions are traced with small tensors by ``torch.fx``, the derivatives by tracing torch's autograd.
    Neither draws random numbers.

    Parameters
    ----------
    cell : GatedCell
        Cell for which the fast walk is correct, see :func:`~sklearn_tree.nn.walkable.supports_fast_walk`.

    Returns
    -------
    TracedCell or None
        None if a function is not elementwise, has an unknown operator or cannot be traced.
    """
    gates, messages = _names("g", len(cell.gates)), _names("m", cell.n_messages)
    child_gates, states = _names("k", len(cell.child_gates)), _names("s", cell.n_states)
    try:
        update, update_backward = _trace_both(cell.update, gates, messages, cell.n_states)
        message, message_backward = _trace_both(cell.message, child_gates, states, cell.n_messages)
    except Exception:  # of the user's function, or of torch's experimental tracer
        return None
    return TracedCell(update, update_backward, message, message_backward)


def _names(letter: str, n: int) -> list[str]:
    return [f"{letter}{i}" for i in range(n)]


def _trace_both(
    function: Callable, gates: list[str], inputs: list[str], n_results: int
) -> tuple[Expressions, Expressions]:
    """Trace a function of gates and inputs, and its derivative."""
    if not n_results:
        return Expressions(), Expressions((), (None,) * (len(gates) + len(inputs)))
    n, names = len(gates), [*gates, *inputs]

    def compute(*x: Tensor) -> Sequence[Tensor]:
        return list(function(x[:n], x[n:]))

    def derive(*x: Tensor) -> Sequence[Tensor | None]:
        found = differentiate(function, x[:n], x[n : len(names)], x[len(names) :])
        return [*found[0], *found[1]]

    grads = _names("d", n_results)
    return _trace(compute, names), _trace(derive, [*names, *grads])


def _trace(function: Callable[..., Sequence[Tensor | None]], names: list[str]) -> Expressions:
    """Trace a function of tensors of one shape."""
    from torch.fx.experimental.proxy_tensor import make_fx

    count = len(names) * _SHAPE[0] * _SHAPE[1]
    like = torch.linspace(0.1, 0.9, count, dtype=torch.float32, device="cpu").view(-1, *_SHAPE).unbind()
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        module = make_fx(function)(*like)
    return _print_graph(module, names)


def _print_graph(module: fx.GraphModule, names: list[str]) -> Expressions:
    values: dict[fx.Node, str] = {}
    assignments: list[tuple[str, str]] = []
    arguments = iter(names)
    for node in module.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(arguments)
        elif node.op == "get_attr":
            values[node] = _print_constant(getattr(module, node.target))
        elif node.op == "output":
            results = node.args[0]
            return Expressions(tuple(assignments), tuple(None if x is None else values[x] for x in results))
        elif _operator(node) in _COPIES:
            values[node] = values[node.args[0]]
        else:
            values[node] = f"v{len(assignments)}"
            assignments.append((values[node], _print_call(node, values)))
    raise _NotElementwiseError


def _operator(node: fx.Node) -> str:
    return str(node.target).removeprefix("aten.")


def _print_constant(x: Tensor) -> str:
    if x.numel() != 1:
        raise _NotElementwiseError
    return repr(float(x))


def _print_call(node: fx.Node, values: dict[fx.Node, str]) -> str:
    """Return the expression of a call of an operator."""
    name, shape = _operator(node), tuple(node.meta["val"].shape)
    if shape not in (_SHAPE, ()):
        raise _NotElementwiseError
    scalars = [x for x in node.args if isinstance(x, (fx.Node, int, float))]
    arguments = [values[x] if isinstance(x, fx.Node) else repr(float(x)) for x in scalars]
    if name == "pow.Tensor_Scalar" and scalars[1] in (1, 2, 3):
        return " * ".join([arguments[0]] * int(scalars[1]))
    is_inplace = name.partition(".")[0].endswith("_")
    if name not in _FORMS or (is_inplace and len(node.all_input_nodes[0].users) > 1):
        raise _NotElementwiseError
    for factor in ("alpha", "value"):  # of the second argument of a sum
        if factor in node.kwargs:
            arguments[1] = f"{float(str(node.kwargs[factor]))!r} * {arguments[1]}"
    return _FORMS[name].format(*arguments)
