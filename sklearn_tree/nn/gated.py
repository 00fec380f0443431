"""What cells are: the base classes of all recursive cells, and what their equations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_tree.nn.gemm import linear

# Of what a cell's function takes: of the gates, then of the rest, None for what is not read.
Gradients = tuple[tuple[Tensor, ...], tuple[Tensor | None, ...]]
_MINUS_ONE = torch.tensor(-1.0)


class Children(NamedTuple):
    """The children of the ``n`` nodes that a cell is asked to compute.

    Attributes
    ----------
    states : tuple of Tensor, each of shape (n_children, hidden_size)
        What the cell returned for the children.
    parents : Tensor of int64, shape (n_children,)
        The node, from 0 to ``n - 1``, that each belongs to.
    ranks : Tensor of int64, shape (n_children,)
        Position of each among its siblings, from 0.
    """

    states: tuple[Tensor, ...]
    parents: Tensor
    ranks: Tensor


class TreeCell(nn.Module):
    """Base class of all cells, also of those that users write.

    A subclass takes ``(input_size, hidden_size, max_arity)`` and writes :meth:`forward`. It may
    override :meth:`project` with the part of its equations that does not depend on the children,
    which is then computed for all nodes of a batch at once.

    Parameters
    ----------
    input_size : int
        Size of a node's input vector.
    hidden_size : int
        Size of a node's state.
    max_arity : int
        Number of children that are told apart. Cells that do not order children ignore it.
    """

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.max_arity = max_arity

    def project(self, x: Tensor) -> Tensor:
        """Map the inputs of all nodes, shape (n_nodes, input_size), before the walk."""
        return x

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, ...]:
        """Compute one level.

        Parameters
        ----------
        wx : Tensor of float, shape (n, any)
            Rows of :meth:`project` for ``n`` nodes, all inner nodes or all leaves.
        children : Children or None
            Their children; None for leaves.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
            The states; the first is the node's output ``h``.
        """
        raise NotImplementedError


class GatedCell(TreeCell):
    r"""Base class of cells whose equations are gates; a subclass writes them once.

    A node's state follows from linear maps, from their activations, and from two functions without
    weights, so the walk knows where all weights are and is fast (see :mod:`sklearn_tree.nn.walk`):

    - ``x_gates`` and ``child_gates`` get :math:`W x + b`;
    - ``h_gates`` get :math:`U \tilde h`, where :math:`\tilde h` is the sum of the children's
      ``h``, or with ``is_placed`` the children's ``h`` side by side, ``max_arity`` of them;
    - ``child_gates``, which each child has for itself, get :math:`U^{(k)} h_k`, or with
      ``is_placed`` rows of :math:`U` for each place;
    - a gate is the sigmoid of that, unless ``tanh_gates`` or ``linear_gates`` name it;
    - :meth:`message` says what a child sends up (the messages are summed), and :meth:`update`
      what the node makes of it.

    A cell with more than that (parameters or modules of its own, randomness) is computed in plain
    autograd. The two functions are differentiated by autograd too, unless the same class knows more:
    ``message_backward(gates, states, grads)`` takes what :meth:`message` takes and the gradients of
    what it gives, and returns the gradients of the gates and of the states, None for a state that is not
    read; ``update_backward(gates, messages, kept, grads)`` likewise, with what :meth:`update` gives
    beside the states.

    The gates of a node are ``x_gates`` and behind them those of ``h_gates`` that are new; ``h_gates``
    must be the last of them.

    Attributes
    ----------
    x_gates, h_gates, child_gates : tuple of str
        Names of the gates.
    tanh_gates, linear_gates : tuple of str
        Those whose activation is tanh, and those that have none, whatever ``tanh_gates`` says.
    n_states : int
        Number of states of a node.
    n_messages : int
        Number of messages of a child.
    n_kept : int
        How many further tensors :meth:`update` gives.
    is_placed : bool
        Whether children are told apart.
    """

    x_gates: ClassVar[tuple[str, ...]]
    h_gates: ClassVar[tuple[str, ...]]
    child_gates: ClassVar[tuple[str, ...]] = ()
    tanh_gates: ClassVar[tuple[str, ...]] = ()
    linear_gates: ClassVar[tuple[str, ...]] = ()
    n_states: ClassVar[int] = 1
    n_messages: ClassVar[int] = 1
    n_kept: ClassVar[int] = 0
    is_placed: ClassVar[bool] = False

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__(input_size, hidden_size, max_arity)
        self._check_gates()
        size, n_child = hidden_size, len(self.child_gates)
        places = max_arity if self.is_placed else 1
        self.W = nn.Linear(input_size, (len(self.x_gates) + n_child) * size)
        n_u = len(self.h_gates) + (places * n_child if self.is_placed else 0)
        self.U = nn.Linear(places * size, n_u * size, bias=False)
        self.U_k = None
        if n_child and not self.is_placed:
            self.U_k = nn.Linear(size, n_child * size, bias=False)

    def _check_gates(self) -> None:
        known, name = {*self.gates, *self.child_gates}, type(self).__name__
        for where in ("tanh_gates", "linear_gates"):
            unknown = sorted(set(getattr(self, where)) - known)
            if unknown:
                raise ValueError(f"{where} of {name} must name gates, {sorted(known)}; got {unknown}")
        if self.gates[len(self.gates) - len(self.h_gates) :] != self.h_gates:
            raise ValueError(
                f"h_gates of {name} must be the last of its gates, {self.gates}; got {self.h_gates}"
            )

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the gates of a node."""
        return tuple(dict.fromkeys(self.x_gates + self.h_gates))

    def message(self, gates: tuple[Tensor, ...], states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Say what children send up, each by itself.

        Parameters
        ----------
        gates : tuple of Tensor, each of shape (..., hidden_size)
            The children's ``child_gates``.
        states : tuple of Tensor, each of shape (..., hidden_size)
            The children's states.

        Returns
        -------
        tuple of Tensor, each of shape (..., hidden_size)
        """
        raise NotImplementedError

    def update(self, gates: tuple[Tensor, ...], messages: tuple) -> tuple[Tensor, ...]:
        """Say what becomes of nodes, each by itself.

        Parameters
        ----------
        gates : tuple of Tensor, each of shape (n, hidden_size)
            The nodes' gates.
        messages : tuple of Tensor, each of shape (n, hidden_size), or of shape ()
            The sums of their children's messages; 0 for leaves.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
            The states; the first is the node's output ``h``. Behind them, ``n_kept`` tensors for
            ``update_backward``.
        """
        raise NotImplementedError

    def project(self, x: Tensor) -> Tensor:
        """Compute ``W x + b`` of all gates, shape (n_nodes, any)."""
        return linear(x, self.W.weight, self.W.bias)

    def leaves(self, wx: Tensor) -> tuple[Tensor, ...]:
        """Compute nodes without children."""
        nothing = (wx.new_zeros(()),) * self.n_messages
        return self.update(self.activated(self.padded(wx), self.gates), nothing)[: self.n_states]

    def padded(self, wx: Tensor) -> Tensor:
        """Return the part of ``wx`` that belongs to the nodes' gates, 0 for gates without input."""
        own = wx[:, : len(self.x_gates) * self.hidden_size]
        missing = len(self.gates) - len(self.x_gates)
        return nn.functional.pad(own, (0, missing * self.hidden_size)) if missing else own

    def activated(self, table: Tensor, names: tuple[str, ...]) -> tuple[Tensor, ...]:
        """Return the gates that stand side by side in a table, activated."""
        return tuple(
            gate if name in self.linear_gates else tanh(gate) if name in self.tanh_gates else gate.sigmoid()
            for name, gate in zip(names, split_gates(table, self.hidden_size), strict=True)
        )

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, ...]:
        """Compute one level.

        Parameters
        ----------
        wx : Tensor of float, shape (n, any)
            Rows of :meth:`project`, of inner nodes or of leaves.
        children : Children or None
            Their children; None for leaves.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
            The states; the first is the node's output ``h``.
        """
        if children is None:
            return self.leaves(wx)
        n, size, arity = len(wx), self.hidden_size, self.max_arity
        gates, for_children = self.padded(wx), wx[:, len(self.x_gates) * size :]
        states = children.states
        if self.is_placed:
            places = tuple(place_children(state, children, n, arity) for state in states)
            u, u_children = self.U(places[0]).split_with_sizes(self._u_sizes(), dim=1)
            child_gates = for_children.unsqueeze(1) + u_children.view(n, arity, -1)
            child_states = tuple(p.view(n, arity, size) for p in places)
            messages = self.message(self.activated(child_gates, self.child_gates), child_states)
            summed = tuple(message.sum(1) for message in messages)
        else:
            u = self.U(sum_children(states[0], children, n))
            child_gates = for_children.index_select(0, children.parents)
            if self.U_k is not None:
                child_gates = child_gates + self.U_k(states[0])
            messages = self.message(self.activated(child_gates, self.child_gates), states)
            summed = tuple(sum_children(message, children, n) for message in messages)
        gates = gates + nn.functional.pad(u, (gates.shape[1] - u.shape[1], 0))
        return self.update(self.activated(gates, self.gates), summed)[: self.n_states]

    def _u_sizes(self) -> tuple[int, int]:
        of_node = len(self.h_gates) * self.hidden_size
        return of_node, self.U.out_features - of_node


def split_gates(table: Tensor, size: int) -> tuple[Tensor, ...]:
    """Return the gates that stand side by side in a table."""
    return table.split(size, dim=-1) if table.shape[-1] else ()


def tanh(x: Tensor) -> Tensor:
    """Compute tanh; on CPUs through the sigmoid, which torch computes ten times as fast."""
    return tanh_of_sigmoid(torch.sigmoid(x + x)) if x.device.type == "cpu" else torch.tanh(x)


def tanh_of_sigmoid(x: Tensor) -> Tensor:
    r"""Compute :math:`\tanh t = 2 \sigma(2t) - 1` from :math:`\sigma(2t)`."""
    return torch.add(_MINUS_ONE, x, alpha=2)  # scalar factors would cost an operation each


def pull_back(function: Callable, gates: tuple, inputs: tuple, grads: Sequence[Tensor]) -> Gradients:
    """Return the gradients of what a cell's function takes from those of what it gives, by autograd.

    Parameters
    ----------
    function : callable
        :meth:`GatedCell.message` or :meth:`GatedCell.update`.
    gates, inputs : tuple of Tensor
        What it takes.
    grads : sequence of Tensor
        The gradients of what it gives.

    Returns
    -------
    tuple of tuples of Tensor
        The gradients of the gates, and of the inputs; None for an input that is not read.
    """
    with torch.enable_grad():
        arguments = [x.detach().requires_grad_() for x in (*gates, *inputs)]
        outputs = function(tuple(arguments[: len(gates)]), tuple(arguments[len(gates) :]))
    pairs = [(x, grad) for x, grad in zip(outputs, grads, strict=False) if x.requires_grad]  # else a constant
    found: Sequence[Tensor | None] = [None] * len(arguments)
    if pairs:
        outputs, grads = zip(*pairs, strict=True)
        found = torch.autograd.grad(outputs, arguments, grads, allow_unused=True)
    of_gates = [torch.zeros_like(x) if grad is None else grad for x, grad in zip(gates, found, strict=False)]
    return tuple(of_gates), tuple(found[len(gates) :])


def sum_children(state: Tensor, children: Children, n: int) -> Tensor:
    """Sum the rows of each node's children; shape (n, hidden_size)."""
    return state.new_zeros(n, state.shape[1]).index_add(0, children.parents, state)


def place_children(state: Tensor, children: Children, n: int, arity: int) -> Tensor:
    """Lay each node's children side by side, zeros where one is absent; (n, arity * hidden_size)."""
    slots = children.parents * arity + children.ranks.clamp(max=arity - 1)
    return state.new_zeros(n * arity, state.shape[1]).index_add(0, slots, state).view(n, -1)
