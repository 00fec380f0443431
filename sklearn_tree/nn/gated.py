"""Base classes of recursive cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_tree.nn.gate_layout import GateLayout
from sklearn_tree.nn.gemm import linear

# Gradients with respect to the gates and to the other arguments of a cell's function; None if unused.
Gradients = tuple[tuple[Tensor, ...], tuple[Tensor | None, ...]]
_MINUS_ONE = torch.tensor(-1.0, dtype=torch.float32, device="cpu")  # whatever the modes at import


class Children(NamedTuple):
    """Children of ``n`` nodes.

    Attributes
    ----------
    states : tuple of Tensor, each of shape (n_children, hidden_size)
        States that the cell has returned for the children.
    parents : Tensor of int64, shape (n_children,)
        Row of the parent of each child, in ``[0, n)``; non-decreasing.
    ranks : Tensor of int64, shape (n_children,)
        Position of each child among its siblings, from 0.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import Children
    >>> states = (torch.tensor([[1.0], [3.0], [5.0]]),)
    >>> children = Children(states, parents=torch.tensor([0, 0, 1]), ranks=torch.tensor([0, 1, 0]))
    >>> torch.zeros(2, 1).index_add(0, children.parents, children.states[0]).tolist()  # sums by parent
    [[4.0], [5.0]]
    """

    states: tuple[Tensor, ...]
    parents: Tensor
    ranks: Tensor


class TreeCell(nn.Module):
    """Base class of all cells, including user-defined ones.

    A subclass has the constructor parameters ``(input_size, hidden_size, max_arity)`` and defines
    :meth:`forward`. It may override :meth:`project` with the part of its equations that does not depend on
    the children; that part is computed for all nodes of a batch at once. :func:`check_cell` verifies a
    subclass.

    Parameters
    ----------
    input_size : int
        Size of a node's input vector.
    hidden_size : int
        Size of a node's state.
    max_arity : int
        Number of children that are distinguished by their position. Unused by cells that ignore the order of
        children.

    Attributes
    ----------
    downward : str
        Name in ``sklearn_tree.nn.CELLS`` of the cell that computes the top-down walk of bidirectional nets,
        with the parent of a node as its only child.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import TreeCell, check_cell
    >>> class DecayCell(TreeCell):
    ...     def __init__(self, input_size, hidden_size, max_arity=2):
    ...         super().__init__(input_size, hidden_size, max_arity)
    ...         self.W = torch.nn.Linear(input_size, hidden_size)
    ...
    ...     def project(self, x):
    ...         return self.W(x)
    ...
    ...     def forward(self, wx, children):
    ...         if children is None:
    ...             return (torch.tanh(wx),)
    ...         return (torch.tanh(wx.index_add(0, children.parents, children.states[0] / 2)),)
    >>> check_cell(DecayCell)
    """

    downward: ClassVar[str] = "nary_lstm"

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.max_arity = max_arity

    def project(self, x: Tensor) -> Tensor:
        """Map the inputs of all nodes, shape (n_nodes, input_size), before the walk."""
        return x

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, ...]:
        """Compute the states of the nodes of one level.

        Parameters
        ----------
        wx : Tensor of float, shape (n, any)
            Rows of :meth:`project` for ``n`` nodes, all inner nodes or all leaves.
        children : Children or None
            Children of the nodes; None for leaves.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
            States of the nodes; the first is the output ``h``.
        """
        raise NotImplementedError


class GatedCell(TreeCell):
    r"""Base class of cells that are defined by gates.

    The state of a node is computed from linear maps, their activations and two functions,
    :meth:`message` and :meth:`update`:

    - ``x_gates`` and ``child_gates`` get :math:`W x + b`;
    - ``h_gates`` get :math:`U \tilde h`, where :math:`\tilde h` is the sum of the children's ``h``, or with
      ``is_placed`` the concatenation of the ``h`` of ``max_arity`` children;
    - ``child_gates``, of which each child has its own, get :math:`U^{(k)} h_k`, or with ``is_placed`` the
      rows of :math:`U` for the child's place;
    - a gate is the sigmoid of this sum, unless ``tanh_gates`` or ``linear_gates`` contain it;
    - :meth:`message` computes the messages of each child, which are summed, and :meth:`update` computes the
      states of the node from its gates and the summed messages.

    A subclass that declares ``is_pure = True`` is computed by a fast walk with its own backward pass, see
    :mod:`sklearn_tree.nn.walk`; with numba the walk is compiled if the two functions are elementwise, see
    :func:`compile_cells`. Any other subclass, and any cell with its own parameters, modules or hooks or
    an overridden :meth:`forward`, is computed by autograd. Verify a declaration with :func:`check_cell`.

    The fast walk differentiates the two functions by autograd, unless the class that defines them also
    defines their derivatives. ``message_backward(gates, states, grads)`` takes the arguments of
    :meth:`message` and the gradients with respect to its results, and returns the gradients with respect to
    the gates and to the states, None for an unused state.
    ``update_backward(gates, messages, kept, grads)`` is the same for :meth:`update`, where ``kept`` are the
    results of :meth:`update` that follow the states. Compiled walks do not use them.

    The gates of a node are ``x_gates``, followed by the ``h_gates`` that are not among them; ``h_gates``
    must be the last of them.

    Attributes
    ----------
    x_gates, h_gates, child_gates : tuple of str
        Names of the gates.
    tanh_gates, linear_gates : tuple of str
        Names of the gates with a tanh and with no activation; ``linear_gates`` takes precedence.
    n_states : int
        Number of states of a node.
    n_messages : int
        Number of messages of a child.
    n_kept : int
        Number of further results of :meth:`update`.
    is_placed : bool
        Whether the cell distinguishes children by their position.
    is_pure : bool
        Whether :meth:`message` and :meth:`update` use no weights and draw no random numbers. The
        declaration does not apply to subclasses that override one of them.
    layout : GateLayout
        Columns of the gates in the weights and tables.
    gate_scale : Tensor of float, shape (n_columns,)
        Factors of the inputs of the sigmoids of all gates, those of all places included: 2 for tanh gates, 1
        for others, see :class:`~sklearn_tree.nn.activation.GateActivation`.

    Examples
    --------
    >>> from sklearn_tree.nn import GatedCell, check_cell
    >>> class LeakyCell(GatedCell):  # z mixes a new content u with the sum of the children's states
    ...     x_gates = h_gates = ("z", "u")
    ...     tanh_gates = ("u",)
    ...     is_pure = True
    ...
    ...     def message(self, gates, states):
    ...         return (states[0],)
    ...
    ...     def update(self, gates, messages):
    ...         z, u = gates
    ...         return (z * u + (1 - z) * messages[0],)
    >>> check_cell(LeakyCell)
    """

    gate_scale: Tensor
    x_gates: ClassVar[tuple[str, ...]]
    h_gates: ClassVar[tuple[str, ...]]
    child_gates: ClassVar[tuple[str, ...]] = ()
    tanh_gates: ClassVar[tuple[str, ...]] = ()
    linear_gates: ClassVar[tuple[str, ...]] = ()
    n_states: ClassVar[int] = 1
    n_messages: ClassVar[int] = 1
    n_kept: ClassVar[int] = 0
    is_placed: ClassVar[bool] = False
    is_pure: ClassVar[bool] = False

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__(input_size, hidden_size, max_arity)
        self.layout = GateLayout(
            hidden_size=hidden_size,
            x_gates=self.x_gates,
            h_gates=self.h_gates,
            child_gates=self.child_gates,
            n_places=max_arity if self.is_placed else 0,
        )
        self._check_gates()
        factors = [2.0 if is_tanh(self, name) else 1.0 for name in self.layout.all_gates]
        scale = torch.tensor(factors).repeat_interleave(hidden_size)
        self.register_buffer("gate_scale", scale, persistent=False)
        self.W = nn.Linear(input_size, self.layout.w_size)
        self.U = nn.Linear(*self.layout.u_shape, bias=False)
        shape = self.layout.u_k_shape
        self.U_k = None if shape is None else nn.Linear(*shape, bias=False)

    def _check_gates(self) -> None:
        known, name = {*self.gates, *self.child_gates}, type(self).__name__
        for attribute in ("tanh_gates", "linear_gates"):
            unknown = sorted(set(getattr(self, attribute)) - known)
            if unknown:
                raise ValueError(
                    f"{attribute} of {name} must be names of its gates, {sorted(known)}, got {unknown}"
                )
        if self.gates[len(self.gates) - len(self.h_gates) :] != self.h_gates:
            raise ValueError(
                f"h_gates of {name} must be the last of its gates, {self.gates}, got {self.h_gates}"
            )

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the gates of a node."""
        return self.layout.node_gates

    def message(self, gates: tuple[Tensor, ...], states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Compute the messages of children, each independently of all others.

        Parameters
        ----------
        gates : tuple of Tensor, each of shape (..., hidden_size)
            ``child_gates`` of the children.
        states : tuple of Tensor, each of shape (..., hidden_size)
            States of the children.

        Returns
        -------
        tuple of Tensor, each of shape (..., hidden_size)
            ``n_messages`` messages.
        """
        raise NotImplementedError

    def update(self, gates: tuple[Tensor, ...], messages: tuple) -> tuple[Tensor, ...]:
        """Compute the states of nodes, each independently of all others.

        Parameters
        ----------
        gates : tuple of Tensor, each of shape (n, hidden_size)
            Gates of the nodes.
        messages : tuple of Tensor, each of shape (n, hidden_size) or ()
            Summed messages of the children; the scalar 0 for leaves.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
            ``n_states`` states, of which the first is the output ``h``, then ``n_kept`` tensors for
            ``update_backward``.
        """
        raise NotImplementedError

    def project(self, x: Tensor) -> Tensor:
        """Compute ``W x + b`` of all gates, shape (n_nodes, any)."""
        return linear(x, self.W.weight, self.W.bias)

    def compute_leaves(self, wx: Tensor) -> tuple[Tensor, ...]:
        """Compute the states of leaves from the part of their projected inputs for node gates."""
        messages = (wx.new_zeros(()),) * self.n_messages
        return self.update(self.activate_gates(self.pad_gates(wx), self.gates), messages)[: self.n_states]

    def pad_gates(self, wx: Tensor) -> Tensor:
        """Return the part of projected inputs for node gates, padded with 0 for gates without input."""
        own, n_padding = wx[:, self.layout.x_columns], self.layout.n_padding
        return nn.functional.pad(own, (0, n_padding)) if n_padding else own

    def activate_gates(self, table: Tensor, names: tuple[str, ...]) -> tuple[Tensor, ...]:
        """Split a table into its gates and apply their activations."""
        return tuple(
            gate if name in self.linear_gates else tanh(gate) if name in self.tanh_gates else gate.sigmoid()
            for name, gate in zip(names, split_gates(table, self.hidden_size), strict=True)
        )

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, ...]:
        """Compute the states of the nodes of one level.

        Parameters
        ----------
        wx : Tensor of float, shape (n, any)
            Rows of :meth:`project` for ``n`` nodes, all inner nodes or all leaves.
        children : Children or None
            Children of the nodes; None for leaves.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
            States of the nodes; the first is the output ``h``.
        """
        if children is None:
            return self.compute_leaves(wx)
        compute = self._compute_places if self.is_placed else self._compute_sums
        u, messages = compute(wx[:, self.layout.x_child_columns], children)
        gates = self.pad_gates(wx) + nn.functional.pad(u, (self.layout.u_columns.start, 0))
        return self.update(self.activate_gates(gates, self.gates), messages)[: self.n_states]

    def _compute_places(self, wx: Tensor, children: Children) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the outputs of ``U`` for the nodes' gates, and the summed messages of all places."""
        n, size, arity = len(wx), self.hidden_size, self.max_arity
        places = tuple(place_children(state, children, n, arity) for state in children.states)
        u, u_children = self.U(places[0]).split_with_sizes(self.layout.u_sizes, dim=1)
        gates = wx.unsqueeze(1) + u_children.view(n, arity, -1)
        states = tuple(place.view(n, arity, size) for place in places)
        messages = self.message(self.activate_gates(gates, self.child_gates), states)
        return u, tuple(message.sum(1) for message in messages)

    def _compute_sums(self, wx: Tensor, children: Children) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the outputs of ``U`` for the nodes' gates, and the summed messages of all children."""
        n, h = len(wx), children.states[0]
        u = self.U(sum_children(h, children, n))
        gates = wx.index_select(0, children.parents)
        if self.U_k is not None:
            gates = gates + self.U_k(h)
        messages = self.message(self.activate_gates(gates, self.child_gates), children.states)
        return u, tuple(sum_children(message, children, n) for message in messages)


def is_tanh(cell: GatedCell, name: str) -> bool:
    """Return whether the activation of a gate is tanh."""
    return name in cell.tanh_gates and name not in cell.linear_gates


def split_gates(table: Tensor, size: int) -> tuple[Tensor, ...]:
    """Split a table into gates of ``size`` columns each."""
    return table.split(size, dim=-1) if table.shape[-1] else ()


def tanh(x: Tensor) -> Tensor:
    """Compute tanh; on CPUs with the sigmoid, which torch computes ten times as fast."""
    return tanh_of_sigmoid(torch.sigmoid(x + x)) if x.device.type == "cpu" else torch.tanh(x)


def tanh_of_sigmoid(x: Tensor) -> Tensor:
    r"""Compute :math:`\tanh(t) = 2 \sigma(2t) - 1` from :math:`\sigma(2t)`."""
    return torch.add(_MINUS_ONE, x, alpha=2)  # one operation; scalar factors would need two


def differentiate(function: Callable, gates: tuple, inputs: tuple, grads: Sequence[Tensor]) -> Gradients:
    """Compute the gradients with respect to the arguments of a cell's function by autograd.

    Parameters
    ----------
    function : callable
        :meth:`GatedCell.message` or :meth:`GatedCell.update`.
    gates, inputs : tuple of Tensor
        Arguments of the function.
    grads : sequence of Tensor
        Gradients with respect to the results of the function.

    Returns
    -------
    tuple of (tuple of Tensor, tuple of Tensor or None)
        Gradients with respect to the gates and to the inputs; None for an unused input.
    """
    with torch.enable_grad():
        arguments = [x.detach().requires_grad_() for x in (*gates, *inputs)]
        outputs = function(tuple(arguments[: len(gates)]), tuple(arguments[len(gates) :]))
    pairs = [(x, grad) for x, grad in zip(outputs, grads, strict=False) if x.requires_grad]  # no constants
    found: Sequence[Tensor | None] = [None] * len(arguments)
    if pairs:
        outputs, grads = zip(*pairs, strict=True)
        found = torch.autograd.grad(outputs, arguments, grads, allow_unused=True)
    gate_grads = [
        torch.zeros_like(x) if grad is None else grad for x, grad in zip(gates, found, strict=False)
    ]
    return tuple(gate_grads), tuple(found[len(gates) :])


def sum_children(state: Tensor, children: Children, n: int) -> Tensor:
    """Sum the states of each node's children, shape (n, hidden_size)."""
    return state.new_zeros(n, state.shape[1]).index_add(0, children.parents, state)


def place_children(state: Tensor, children: Children, n: int, arity: int) -> Tensor:
    """Concatenate the states of each node's children, zeros if absent, shape (n, arity * hidden_size)."""
    slots = children.parents * arity + children.ranks.clamp(max=arity - 1)
    return state.new_zeros(n * arity, state.shape[1]).index_add(0, slots, state).view(n, -1)
