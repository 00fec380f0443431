"""Checks of user-defined cells."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError
from torch.func import functional_call

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.gated import Children, GatedCell, TreeCell, differentiate
from sklearn_tree.nn.recursive import RecursiveEncoder
from sklearn_tree.nn.walkable import backward_of, is_declared_pure, supports_fast_walk
from sklearn_tree.trees import Tree, TreeArray

_TOLERANCE = 1e-9  # of comparisons in double precision
_N_ROWS = 5
_TREES = (  # of at most two children
    Tree([0] * 6, [-1, 0, 0, 1, 1, 2]),
    Tree([0] * 3, [-1, 0, 1]),
    Tree([0], [-1]),
)


def check_cell(
    cell_class: type[TreeCell], *, input_size: int = 4, hidden_size: int = 3, max_arity: int = 2
) -> None:
    """Check that a cell class follows the conventions of :class:`TreeCell` and :class:`GatedCell`.

    The checks run on small random inputs in evaluation mode and leave torch's random state unchanged:

    - the constructor accepts ``(input_size, hidden_size, max_arity)`` and stores them;
    - :meth:`~TreeCell.project` and :meth:`~TreeCell.forward` return tensors of the right number, shape and
      dtype for leaves and for inner nodes with any number of children;
    - the states are deterministic and do not depend on the other nodes of a batch;
    - the states of a :class:`GatedCell` without ``is_placed`` do not depend on the order of the children;
    - ``message`` and ``update`` of a cell that declares ``is_pure`` use no weights and draw no random
      numbers, in training mode as well;
    - ``message_backward`` and ``update_backward`` equal the derivatives by autograd;
    - the fast walk, for cells that support it, equals plain autograd in values and gradients;
    - all gradients equal numerical gradients.

    Call it in the tests of a cell, as ``check_estimator`` is called in the tests of an estimator.

    Parameters
    ----------
    cell_class : type
        Subclass of :class:`TreeCell`.
    input_size, hidden_size : int, default=4, 3
        Sizes of the inputs and states.
    max_arity : int, default=2
        Number of children that the cell distinguishes, at least 2.

    Raises
    ------
    TypeError
        If the class is not a subclass of :class:`TreeCell`, the constructor has other parameters, or a
        method returns an object of another type or dtype.
    ValueError
        If a method returns another number of tensors or another shape.
    AssertionError
        If a comparison fails. The message gives the largest difference.

    See Also
    --------
    GatedCell : Base class of cells that are defined by gates.

    Examples
    --------
    >>> from sklearn_tree.nn import GatedCell, check_cell
    >>> class VotingCell(GatedCell):
    ...     x_gates = ("u",)
    ...     h_gates = ("u",)
    ...     child_gates = ("v",)
    ...     tanh_gates = ("u",)
    ...     is_pure = True
    ...
    ...     def message(self, gates, states):
    ...         return (gates[0] * states[0],)
    ...
    ...     def update(self, gates, messages):
    ...         return (gates[0] + messages[0],)
    >>> check_cell(VotingCell)
    """
    if max_arity < 2:
        raise ValueError(f"max_arity must be an int >= 2, got {max_arity}")
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        cell = _construct(cell_class, input_size, hidden_size, max_arity)
        if isinstance(cell, GatedCell):
            _check_functions(cell)
        _check_states(cell, torch.float32)
        cell.double()
        _check_states(cell, torch.float64)
        _check_independence(cell)
        if isinstance(cell, GatedCell):
            _check_sibling_order(cell)
            _check_backward(cell, "message")
            _check_backward(cell, "update")
            _check_fast_walk(cell)
        _check_gradients(cell)


def _construct(cell_class: type[TreeCell], *sizes: int) -> TreeCell:
    if not (isinstance(cell_class, type) and issubclass(cell_class, TreeCell)):
        raise TypeError(f"cell_class must be a subclass of TreeCell, got {cell_class!r}")
    names = ("input_size", "hidden_size", "max_arity")
    try:
        inspect.signature(cell_class).bind(*sizes)
    except TypeError as error:
        raise TypeError(
            f"the constructor of {cell_class.__name__} must accept {', '.join(names)}, got: {error}"
        ) from None
    cell = cell_class(*sizes)
    for name, size in zip(names, sizes, strict=True):
        if getattr(cell, name, None) != size:
            value = getattr(cell, name, None)
            raise ValueError(
                f"{name} of {_name(cell)} must be the constructor's argument {size}, got {value}"
            )
    return cell.eval()


def _name(cell: TreeCell) -> str:
    return type(cell).__name__


# Functions of gated cells.


def _check_functions(cell: GatedCell) -> None:
    arguments = {function: _draw_arguments(cell, function) for function in ("message", "update")}
    _check_results(cell, "message", cell.message(*arguments["message"]), "n_messages", cell.n_messages)
    states = cell.update(*arguments["update"])
    if backward_of(cell, "update") is not None:
        _check_results(cell, "update", states, "n_states + n_kept", cell.n_states + cell.n_kept)
    else:  # further results are ignored
        _check_results(cell, "update", states[: cell.n_states], "n_states", cell.n_states)
    if is_declared_pure(cell):
        for function, is_training in product(arguments, (True, False)):
            _check_purity(cell.train(is_training), function, arguments[function])


def _check_results(cell: GatedCell, function: str, results: Any, rule: str, n: int) -> None:
    name, shape = f"{_name(cell)}.{function}", _argument_shape(cell, function)
    _check_tensors(name, results)
    if len(results) != n:
        raise ValueError(f"{name} must return {rule} = {n} tensors, got {len(results)}")
    for result in results:
        if result.shape != shape:
            raise ValueError(f"{name} must return tensors of shape {shape}, got {tuple(result.shape)}")


def _check_purity(cell: GatedCell, function: str, arguments: tuple) -> None:
    name, state = _name(cell), torch.get_rng_state()
    first, second = (getattr(cell, function)(*arguments) for _ in range(2))
    if any(result.requires_grad for result in first):
        raise AssertionError(f"is_pure of {name} must be False if {function} uses weights, got True")
    is_random = not torch.equal(state, torch.get_rng_state()) or not all(map(torch.equal, first, second))
    if is_random:
        raise AssertionError(f"is_pure of {name} must be False if {function} draws random numbers, got True")


def _check_backward(cell: GatedCell, function: str) -> None:
    backward = backward_of(cell, function)
    if backward is None:
        return
    gates, inputs = _draw_arguments(cell, function, torch.float64)
    results = getattr(cell, function)(gates, inputs)
    n = cell.n_states if function == "update" else cell.n_messages
    grads, kept = [torch.randn_like(result) for result in results[:n]], tuple(results[n:])
    found = backward(gates, inputs, kept, grads) if function == "update" else backward(gates, inputs, grads)
    expected = differentiate(getattr(cell, function), gates, inputs, grads)
    rule = f"{_name(cell)}.{function}_backward must equal the derivative of {function}"
    for ours, theirs, likes in zip(found, expected, (gates, inputs), strict=True):
        if len(ours) != len(theirs):
            raise ValueError(f"{rule} with {len(theirs)} gradients, got {len(ours)}")
        for a, b, like in zip(ours, theirs, likes, strict=True):
            zeros = torch.zeros_like(like)
            _compare(zeros if a is None else a, zeros if b is None else b, rule)


def _argument_shape(cell: GatedCell, function: str) -> tuple[int, ...]:
    if function == "message" and cell.is_placed:
        return _N_ROWS, cell.max_arity, cell.hidden_size
    return _N_ROWS, cell.hidden_size


def _draw_arguments(
    cell: GatedCell, function: str, dtype: torch.dtype = torch.float32
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Draw the gates and the other arguments of a function."""
    shape = _argument_shape(cell, function)
    counts = (len(cell.gates), cell.n_messages)
    if function == "message":
        counts = (len(cell.child_gates), cell.n_states)
    gates, inputs = (tuple(torch.rand(*shape, dtype=dtype) for _ in range(n)) for n in counts)
    return gates, inputs


# States of all cells.


@dataclass(frozen=True)
class _Family:
    """Inputs of inner nodes and of their children, which are leaves.

    Attributes
    ----------
    x : Tensor of float, shape (n, input_size)
        Inputs of the inner nodes.
    x_children : Tensor of float, shape (sum(counts), input_size)
        Inputs of the children, by parent.
    counts : list of int, length n
        Number of children of each inner node.
    """

    x: Tensor
    x_children: Tensor
    counts: list[int]

    @classmethod
    def draw(cls, cell: TreeCell, counts: list[int], dtype: torch.dtype) -> _Family:
        """Draw the inputs of nodes with the given numbers of children."""
        x, x_children = (torch.randn(n, cell.input_size, dtype=dtype) for n in (len(counts), sum(counts)))
        return cls(x=x, x_children=x_children, counts=counts)

    def split(self) -> list[_Family]:
        """Return each inner node with its children as a separate family."""
        parts = zip(self.x.split(1), self.x_children.split(self.counts), self.counts, strict=True)
        return [_Family(x=x, x_children=children, counts=[n]) for x, children, n in parts]

    def reverse_siblings(self) -> _Family:
        """Return the family with the children of each node in reverse order."""
        children = torch.cat([part.flip(0) for part in self.x_children.split(self.counts)])
        return _Family(x=self.x, x_children=children, counts=self.counts)

    def compute(self, cell: TreeCell) -> tuple[Any, Any]:
        """Compute the states of the children and of the inner nodes."""
        states = cell(cell.project(self.x_children), None)
        parents = torch.repeat_interleave(torch.arange(len(self.counts)), torch.tensor(self.counts))
        ranks = torch.cat([torch.arange(n) for n in self.counts])
        return states, cell(cell.project(self.x), Children(states, parents, ranks))


def _check_states(cell: TreeCell, dtype: torch.dtype) -> None:
    name, arity = _name(cell), cell.max_arity
    family = _Family.draw(cell, list(range(1, arity + 1)), dtype)
    projected = cell.project(family.x)
    _check_tensors(f"{name}.project", (projected,))
    if projected.ndim != 2 or len(projected) != len(family.x):
        raise ValueError(
            f"{name}.project must return shape ({len(family.x)}, any) for {len(family.x)} nodes, "
            f"got {tuple(projected.shape)}"
        )
    leaves = cell(cell.project(family.x_children), None)
    _check_level(cell, leaves, len(family.x_children), dtype, "leaves")
    _, inner = family.compute(cell)
    _check_level(cell, inner, len(family.x), dtype, "inner nodes")
    if len(leaves) != len(inner):
        raise ValueError(
            f"{name}.forward must return as many states for inner nodes as for leaves, {len(leaves)}, "
            f"got {len(inner)}"
        )
    try:
        _Family.draw(cell, [arity + 2], dtype).compute(cell)
    except Exception as error:
        raise ValueError(
            f"{name}.forward must accept any number of children, got an error for {arity + 2}: {error}"
        ) from error


def _check_level(cell: TreeCell, states: Any, n: int, dtype: torch.dtype, nodes: str) -> None:
    name = f"{_name(cell)}.forward"
    _check_tensors(name, states)
    if not states:
        raise ValueError(f"{name} must return at least 1 state for {nodes}, got 0")
    if isinstance(cell, GatedCell) and len(states) != cell.n_states:
        raise ValueError(f"{name} must return n_states = {cell.n_states} states, got {len(states)}")
    for state in states:
        if state.shape != (n, cell.hidden_size):
            shape = (n, cell.hidden_size)
            raise ValueError(f"{name} must return shape {shape} for {nodes}, got {tuple(state.shape)}")
        if state.dtype != dtype:
            raise TypeError(f"{name} must return {dtype} for {nodes} of {dtype}, got {state.dtype}")
        if not state.isfinite().all():
            raise AssertionError(f"{name} must return finite states for {nodes}, got NaN or infinity")


def _check_tensors(name: str, results: Any) -> None:
    if not isinstance(results, tuple):
        raise TypeError(f"{name} must return a tuple of Tensor, got {type(results).__name__}")
    for result in results:
        if not isinstance(result, Tensor):
            raise TypeError(f"{name} must return Tensor, got {type(result).__name__}")


def _check_independence(cell: TreeCell) -> None:
    name = f"{_name(cell)}.forward"
    family = _Family.draw(cell, [2, 1, cell.max_arity, cell.max_arity + 1], torch.float64)
    leaves, inner = family.compute(cell)
    for states, repeated in zip((leaves, inner), family.compute(cell), strict=True):
        _compare_all(repeated, states, f"{name} must be deterministic in evaluation mode")
    parts = [part.compute(cell) for part in family.split()]
    for states, separate in zip((leaves, inner), zip(*parts, strict=True), strict=True):
        joined = [torch.cat(column) for column in zip(*separate, strict=True)]
        _compare_all(joined, states, f"{name} must not depend on the other nodes of a batch")


def _check_sibling_order(cell: GatedCell) -> None:
    if cell.is_placed:
        return
    family = _Family.draw(cell, [2, 1, 4], torch.float64)
    (_, states), (_, reverse) = family.compute(cell), family.reverse_siblings().compute(cell)
    _compare_all(
        reverse,
        states,
        f"{_name(cell)}.forward must not depend on the order of the children without is_placed",
    )


# Walks and gradients.


def _check_fast_walk(cell: GatedCell) -> None:
    if not supports_fast_walk(cell):
        return
    batch = TreeBatch.from_array(TreeArray.from_trees(_TREES))
    x = torch.randn(batch.n_nodes, cell.input_size, dtype=torch.float64, requires_grad=True)
    factors = torch.randn(batch.n_nodes, cell.hidden_size, dtype=torch.float64)
    parameters = {"x": x, **dict(cell.named_parameters())}
    encoder, results = RecursiveEncoder(cell), []
    for encoder.is_fast in (True, False):
        h = encoder(x, batch)
        grads = torch.autograd.grad((h * factors).sum(), tuple(parameters.values()), allow_unused=True)
        results.append((h, grads))
    (fast, fast_grads), (plain, plain_grads) = results
    rule = f"the fast walk of {_name(cell)} must equal plain autograd"
    _compare(fast, plain, rule)
    for (name, parameter), a, b in zip(parameters.items(), fast_grads, plain_grads, strict=True):
        zeros = torch.zeros_like(parameter)
        a, b = (zeros if grad is None else grad for grad in (a, b))
        _compare(a, b, f"{rule} in the gradients of {name}")


def _check_gradients(cell: TreeCell) -> None:
    batch = TreeBatch.from_array(TreeArray.from_trees(_TREES[:1]))
    encoder = RecursiveEncoder(cell)
    encoder.is_fast = False
    names, parameters = zip(*encoder.named_parameters(), strict=True) if list(cell.parameters()) else ((), ())
    x = torch.randn(batch.n_nodes, cell.input_size, dtype=torch.float64, requires_grad=True)

    def compute(x: Tensor, *values: Tensor) -> Tensor:
        return functional_call(encoder, dict(zip(names, values, strict=True)), (x, batch))

    try:
        torch.autograd.gradcheck(compute, (x, *(p.detach().requires_grad_() for p in parameters)))
    except GradcheckError as error:
        raise AssertionError(f"gradients of {_name(cell)} must equal numerical gradients: {error}") from None


def _compare_all(found: Sequence[Tensor], expected: Sequence[Tensor], rule: str) -> None:
    for a, b in zip(found, expected, strict=True):
        _compare(a, b, rule)


def _compare(found: Tensor, expected: Tensor, rule: str) -> None:
    difference = float((found.detach() - expected.detach()).abs().max())
    if not difference <= _TOLERANCE * max(1.0, float(expected.detach().abs().max())):
        raise AssertionError(f"{rule}, got a difference of {difference:.1e}")
