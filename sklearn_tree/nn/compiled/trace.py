"""Trace the functions of a cell, and their derivatives, into scalar expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from sklearn_tree.nn.gated import GatedCell, differentiate

# Shapes of the tensors that functions are traced with; the expressions must not depend on them.
_SHAPES = ((2, 3), (5, 7))

# Operators that return their argument.
_COPIES = {"alias.default", "clone.default", "detach.default", "lift_fresh_copy.default"}
# Python expressions of elementwise operators; sigmoid, tanh, exp, log, sqrt, maximum, minimum are functions.
_FORMS = {
    "abs.default": "abs({0})",
    "add.Scalar": "{0} + {1}",
    "add.Tensor": "{0} + {1}",
    "addcmul.default": "{0} + {1} * {2}",
    "bitwise_and.Tensor": "({0} and {1})",
    "bitwise_not.default": "(not {0})",
    "bitwise_or.Tensor": "({0} or {1})",
    "clamp.default": "minimum(maximum({0}, {1}), {2})",
    "cos.default": "cos({0})",
    "div.Scalar": "{0} / {1}",
    "div.Tensor": "{0} / {1}",
    "eq.Scalar": "{0} == {1}",
    "eq.Tensor": "{0} == {1}",
    "exp.default": "exp({0})",
    "ge.Scalar": "{0} >= {1}",
    "ge.Tensor": "{0} >= {1}",
    "gt.Scalar": "{0} > {1}",
    "gt.Tensor": "{0} > {1}",
    "isnan.default": "{0} != {0}",
    "le.Scalar": "{0} <= {1}",
    "le.Tensor": "{0} <= {1}",
    "leaky_relu.default": "({0} if {0} > 0.0 else {0} * {1})",
    "leaky_relu_backward.default": "({0} if {1} > {3} else {0} * {2})",  # {3} is False
    "log.default": "log({0})",
    "logical_and.default": "({0} and {1})",
    "logical_and_.default": "({0} and {1})",
    "logical_not.default": "(not {0})",
    "logical_or.default": "({0} or {1})",
    "lt.Scalar": "{0} < {1}",
    "lt.Tensor": "{0} < {1}",
    "masked_fill.Scalar": "({2} if {1} else {0})",
    "masked_fill_.Scalar": "({2} if {1} else {0})",
    "maximum.default": "maximum({0}, {1})",
    "minimum.default": "minimum({0}, {1})",
    "mul.Scalar": "{0} * {1}",
    "mul.Tensor": "{0} * {1}",
    "ne.Scalar": "{0} != {1}",
    "ne.Tensor": "{0} != {1}",
    "neg.default": "-{0}",
    "ones_like.default": "1.0",
    "reciprocal.default": "1.0 / {0}",
    "relu.default": "maximum({0}, 0.0)",
    "rsub.Scalar": "{1} - {0}",
    "scalar_tensor.default": "{0}",
    "sgn.default": "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else {0})",
    "sigmoid.default": "sigmoid({0})",
    "sigmoid_backward.default": "{0} * (1.0 - {1}) * {1}",
    "sign.default": "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else {0})",
    "silu.default": "{0} * sigmoid({0})",
    "silu_backward.default": "{0} * sigmoid({1}) * (1.0 + {1} * (1.0 - sigmoid({1})))",
    "sin.default": "sin({0})",
    "sqrt.default": "sqrt({0})",
    "sub.Scalar": "{0} - {1}",
    "sub.Tensor": "{0} - {1}",
    "tanh.default": "tanh({0})",
    "tanh_backward.default": "{0} * (1.0 - {1} * {1})",
    "threshold_backward.default": "(0.0 if {1} <= {2} else {0})",
    "where.self": "({1} if {0} else {2})",
    "zeros_like.default": "0.0",
}


# Operators whose result is True or False, and positions of such arguments.
_COMPARISONS = {"eq", "ge", "gt", "isnan", "le", "lt", "ne"}
_LOGICAL = {
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "logical_and",
    "logical_and_",
    "logical_not",
    "logical_or",
}
_CONDITIONS = {("masked_fill", 1), ("masked_fill_", 1), ("where", 0)}
_CONDITIONS |= {(name, i) for name in _LOGICAL for i in (0, 1)}
_DEFAULTS = {"clamp.default": (0.0, -math.inf, math.inf), "leaky_relu.default": (0.0, 0.01)}
_CREATIONS = {"ones_like", "zeros_like", "scalar_tensor"}  # keyword arguments do not change their values


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
    results. The results of a derivative are the gradients with respect to all other arguments, for leaves
    those with respect to the gates.

    Attributes
    ----------
    update, update_backward, leaf, leaf_backward, message, message_backward : Expressions
        The functions; ``leaf`` is ``update`` for nodes without children.
    """

    update: Expressions
    update_backward: Expressions
    leaf: Expressions
    leaf_backward: Expressions
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
        with torch.inference_mode(False):
            none = (torch.zeros((), dtype=torch.float32, device="cpu"),) * cell.n_messages
            return TracedCell(
                *_trace_both(cell.update, gates, messages, cell.n_states),
                *_trace_both(lambda gates, _: cell.update(gates, none), gates, [], cell.n_states),
                *_trace_both(cell.message, child_gates, states, cell.n_messages),
            )
    except Exception:  # of the user's function, or of torch's experimental tracer
        return None


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
        return list(function(x[:n], x[n:]))[:n_results]

    def derive(*x: Tensor) -> Sequence[Tensor | None]:
        found = differentiate(function, x[:n], x[n : len(names)], x[len(names) :])
        return [*found[0], *found[1]]

    grads = _names("d", n_results)
    return _trace(compute, names), _trace(derive, [*names, *grads], is_derivative=True)


def _trace(
    function: Callable[..., Sequence[Tensor | None]], names: list[str], *, is_derivative: bool = False
) -> Expressions:
    """Trace a function of tensors of one shape."""
    from torch.fx.experimental.proxy_tensor import make_fx

    found = []
    for shape in _SHAPES[: 1 if is_derivative else 2]:
        like = torch.linspace(0.1, 0.9, len(names) * shape[0] * shape[1], dtype=torch.float32, device="cpu")
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            module = make_fx(function)(*like.view(-1, *shape).unbind())
        found.append(_print_graph(module, names, shape))
    if found[0] != found[-1]:
        raise _NotElementwiseError
    return found[0]


def _print_graph(module: fx.GraphModule, names: list[str], shape: tuple[int, ...]) -> Expressions:
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
            assignments.append((values[node], _print_call(node, values, shape)))
    raise _NotElementwiseError


def _operator(node: fx.Node) -> str:
    return str(node.target).removeprefix("aten.")


def _print_constant(x: Tensor) -> str:
    if x.numel() != 1:
        raise _NotElementwiseError
    return repr(float(x))


def _print_call(node: fx.Node, values: dict[fx.Node, str], shape: tuple[int, ...]) -> str:
    """Return the expression of a call of an operator."""
    name, result = _operator(node), node.meta["val"]
    kind = name.partition(".")[0]
    if tuple(result.shape) not in (shape, ()) or (name not in _FORMS and name != "pow.Tensor_Scalar"):
        raise _NotElementwiseError
    if result.dtype != (torch.bool if kind in _COMPARISONS | _LOGICAL else torch.float32):
        raise _NotElementwiseError
    if kind.endswith("_") and not _is_only_use(node):
        raise _NotElementwiseError
    arguments = [
        _print_argument(x, values, (kind, i))
        for i, x in enumerate(_add_defaults(node.args, _DEFAULTS.get(name, ())))
    ]
    factors = {"alpha", "value"} & node.kwargs.keys()  # of the second argument of a sum
    if node.kwargs.keys() - factors and kind not in _CREATIONS:
        raise _NotElementwiseError
    for factor in factors:
        arguments[1] = f"{_print_number(node.kwargs[factor])} * {arguments[1]}"
    if kind == "pow":
        return _print_power(arguments[0], node.args[1])
    form = _FORMS[name]
    if kind not in _CREATIONS and len(arguments) != len(set(re.findall(r"{\d}", form))):
        raise _NotElementwiseError
    return form.format(*arguments)


def _add_defaults(arguments: Sequence[Any], defaults: tuple[float, ...]) -> list[Any]:
    """Replace arguments that are None or missing."""
    given = [default if x is None else x for x, default in zip(arguments, defaults, strict=False)]
    return [*given, *arguments[len(given) :], *defaults[len(arguments) :]]


def _print_argument(x: object, values: dict[fx.Node, str], place: tuple[str, int]) -> str:
    if not isinstance(x, fx.Node):
        return _print_number(x)
    if (place in _CONDITIONS) != (x.meta["val"].dtype == torch.bool):
        raise _NotElementwiseError
    return values[x]


def _print_number(x: object) -> str:
    if not isinstance(x, (int, float)):
        raise _NotElementwiseError
    return repr(float(x))


def _print_power(base: str, exponent: object) -> str:
    if exponent not in (1, 2, 3):
        raise _NotElementwiseError
    return " * ".join([base] * int(exponent))


def _is_only_use(node: fx.Node) -> bool:
    """Return whether an operator that changes its first argument is the only one that reads it."""
    argument = node.args[0]
    while isinstance(argument, fx.Node) and len(argument.users) == 1 and argument.op == "call_function":
        if _operator(argument) not in _COPIES:
            return True
        argument = argument.args[0]
    return False
