"""Recursive cells: how the state of a node follows from its input and its children's states."""

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


class ChildSumTreeLSTM(GatedCell):
    r"""Child-Sum Tree-LSTM: an LSTM whose past is the sum over the children.

    For a node :math:`j` with input :math:`x_j` and children :math:`C(j)` [1]_:

    .. math::

        \tilde h_j &= \textstyle\sum_{k \in C(j)} h_k                             & (2) \\
        i_j &= \sigma(W^{(i)} x_j + U^{(i)} \tilde h_j + b^{(i)})                  & (3) \\
        f_{jk} &= \sigma(W^{(f)} x_j + U^{(f)} h_k + b^{(f)})                      & (4) \\
        o_j &= \sigma(W^{(o)} x_j + U^{(o)} \tilde h_j + b^{(o)})                  & (5) \\
        u_j &= \tanh(W^{(u)} x_j + U^{(u)} \tilde h_j + b^{(u)})                   & (6) \\
        c_j &= i_j \odot u_j + \textstyle\sum_{k \in C(j)} f_{jk} \odot c_k        & (7) \\
        h_j &= o_j \odot \tanh(c_j)                                               & (8)

    The order of the children does not matter.

    Parameters
    ----------
    input_size, hidden_size, max_arity : int
        See :class:`TreeCell`.

    References
    ----------
    .. [1] K. S. Tai, R. Socher, C. D. Manning (2015). Improved Semantic Representations From
       Tree-Structured Long Short-Term Memory Networks. ACL.
    """

    x_gates = h_gates = ("i", "o", "u")
    child_gates = ("f",)
    tanh_gates = ("u",)
    n_states = 2
    n_kept = 1

    # The rest of the interface is documented in GatedCell.
    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return (gates[0] * states[1],)  # (7)

    def message_backward(self, gates: tuple, states: tuple, grads: Sequence[Tensor]) -> Gradients:  # noqa: D102
        return (grads[0] * states[1],), (None, grads[0] * gates[0])

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        i, o, u = gates
        c = torch.addcmul(messages[0], i, u)  # (7)
        tanh_c = tanh(c)
        return o * tanh_c, c, tanh_c  # (8)

    def update_backward(  # noqa: D102
        self, gates: tuple, messages: tuple, kept: tuple, grads: Sequence[Tensor]
    ) -> Gradients:
        (i, o, u), (tanh_c,), (grad_h, grad_c) = gates, kept, grads
        grad_c = grad_c + torch.ops.aten.tanh_backward(grad_h * o, tanh_c)
        return (grad_c * u, grad_h * tanh_c, grad_c * i), (grad_c,)


class NaryTreeLSTM(GatedCell):
    r"""N-ary Tree-LSTM: an LSTM with weights of their own for the first, second, ... child.

    For a node :math:`j` with children :math:`1 \ldots N` [1]_, where an absent child has
    :math:`h = c = 0`:

    .. math::

        i_j &= \sigma(W^{(i)} x_j + \textstyle\sum_l U^{(i)}_l h_{jl} + b^{(i)})        & (9) \\
        f_{jk} &= \sigma(W^{(f)} x_j + \textstyle\sum_l U^{(f)}_{kl} h_{jl} + b^{(f)})  & (10) \\
        o_j &= \sigma(W^{(o)} x_j + \textstyle\sum_l U^{(o)}_l h_{jl} + b^{(o)})        & (11) \\
        u_j &= \tanh(W^{(u)} x_j + \textstyle\sum_l U^{(u)}_l h_{jl} + b^{(u)})         & (12) \\
        c_j &= i_j \odot u_j + \textstyle\sum_l f_{jl} \odot c_{jl}                     & (13) \\
        h_j &= o_j \odot \tanh(c_j)                                                    & (14)

    Gates to state are those of :class:`ChildSumTreeLSTM`. Children beyond ``max_arity`` share the
    last place: their states are summed there.

    Parameters
    ----------
    input_size, hidden_size : int
        See :class:`TreeCell`.
    max_arity : int, default=2
        :math:`N`. The weights grow with its square.

    References
    ----------
    .. [1] K. S. Tai, R. Socher, C. D. Manning (2015). Improved Semantic Representations From
       Tree-Structured Long Short-Term Memory Networks. ACL.
    """

    # NOTE[DIFF] The paper leaves nodes with more than N children undefined; here they are summed.
    x_gates = h_gates = ("i", "o", "u")
    child_gates = ("f",)
    tanh_gates = ("u",)
    n_states = 2
    n_kept = 1
    is_placed = True
    message = ChildSumTreeLSTM.message
    message_backward = ChildSumTreeLSTM.message_backward
    update = ChildSumTreeLSTM.update
    update_backward = ChildSumTreeLSTM.update_backward


class ChildSumTreeGRU(GatedCell):
    r"""Child-Sum Tree-GRU: a GRU whose past is the sum over the children.

    For a node :math:`j` with input :math:`x_j` and children :math:`C(j)`, with the gates of [1]_ in
    the form of [2]_, where the reset gate stands behind the product:

    .. math::

        \tilde h_j &= \textstyle\sum_{k \in C(j)} h_k                             & (1) \\
        r_j &= \sigma(W^{(r)} x_j + U^{(r)} \tilde h_j + b^{(r)})                  & (2) \\
        z_j &= \sigma(W^{(z)} x_j + U^{(z)} \tilde h_j + b^{(z)})                  & (3) \\
        n_j &= \tanh(W^{(n)} x_j + b^{(n)} + r_j \odot U^{(m)} \tilde h_j)         & (4) \\
        h_j &= (1 - z_j) \odot n_j + z_j \odot \tilde h_j                         & (5)

    Parameters
    ----------
    input_size, hidden_size, max_arity : int
        See :class:`TreeCell`.

    References
    ----------
    .. [1] K. Cho et al. (2014). Learning Phrase Representations using RNN Encoder-Decoder for
       Statistical Machine Translation. EMNLP.
    .. [2] The ``torch.nn.GRU`` of PyTorch.
    """

    x_gates = ("n", "r", "z")
    h_gates = ("r", "z", "m")
    linear_gates = ("n", "m")

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return states  # (1)

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        n, r, z, m = gates
        n = tanh(n + r * m)  # (4)
        return ((1 - z) * n + z * messages[0],)  # (5)


class NaryTreeGRU(GatedCell):
    r"""N-ary Tree-GRU: a GRU with weights and an update gate of their own for each child.

    For a node :math:`j` with children :math:`1 \ldots N`, where an absent child has :math:`h = 0`:

    .. math::

        r_j &= \sigma(W^{(r)} x_j + \textstyle\sum_l U^{(r)}_l h_{jl} + b^{(r)})                   & (1) \\
        z_{jk} &= \sigma(W^{(z)} x_j + \textstyle\sum_l U^{(z)}_{kl} h_{jl} + b^{(z)})             & (2) \\
        n_j &= \tanh(W^{(n)} x_j + b^{(n)} + r_j \odot \textstyle\sum_l U^{(m)}_l h_{jl})          & (3) \\
        h_j &= (1 - \textstyle\frac1N \sum_l z_{jl}) \odot n_j
               + \textstyle\frac1N \sum_l z_{jl} \odot h_{jl}                                   & (4)

    With one child it is the GRU of ``torch``. A leaf has no update gate: :math:`h = n`. Children
    beyond ``max_arity`` share the last place.

    Parameters
    ----------
    input_size, hidden_size : int
        See :class:`TreeCell`.
    max_arity : int, default=2
        :math:`N`. The weights grow with its square.
    """

    x_gates = ("n", "r")
    h_gates = ("r", "m")
    child_gates = ("z",)
    linear_gates = ("n", "m")
    n_messages = 2
    is_placed = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        z = gates[0] / self.max_arity
        return z, z * states[0]

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        n, r, m = gates
        z, kept = messages
        return ((1 - z) * tanh(n + r * m) + kept,)  # (3), (4)


class RecursiveCell(GatedCell):
    r"""The plain recursive net: one layer, applied at every node.

    For a node :math:`j` with children :math:`1 \ldots N`, absent ones 0 [1]_:

    .. math::

        h_j = \tanh(W x_j + \textstyle\sum_l U_l h_{jl} + b)

    Parameters
    ----------
    input_size, hidden_size : int
        See :class:`TreeCell`.
    max_arity : int, default=2
        :math:`N`. Further children share the last place.

    References
    ----------
    .. [1] R. Socher, C. Lin, A. Ng, C. Manning (2011). Parsing Natural Scenes and Natural Language
       with Recursive Neural Networks. ICML.
    """

    x_gates = h_gates = tanh_gates = ("h",)
    n_messages = 0
    is_placed = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return ()

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return gates


class RNTNCell(TreeCell):
    r"""Recursive Neural Tensor Network: children interact through a tensor.

    For a node :math:`j` whose children :math:`1 \ldots N`, absent ones 0, stand side by side in
    :math:`p_j = [h_{j1}; \ldots; h_{jN}]` [1]_:

    .. math::

        h_j = \tanh(W x_j + b + U p_j + p_j^\top V^{[1:d]} p_j)

    The tensor has :math:`d \cdot (N d)^2` numbers: keep ``hidden_size`` small.

    Parameters
    ----------
    input_size, hidden_size : int
        See :class:`TreeCell`.
    max_arity : int, default=2
        :math:`N`. Further children share the last place.

    References
    ----------
    .. [1] R. Socher et al. (2013). Recursive Deep Models for Semantic Compositionality Over a
       Sentiment Treebank. EMNLP.
    """

    # NOTE[DIFF] The paper has words at the leaves only; here every node has its input W x + b.

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__(input_size, hidden_size, max_arity)
        width = max_arity * hidden_size
        self.W = nn.Linear(input_size, hidden_size)
        self.U = nn.Linear(width, hidden_size, bias=False)
        self.V = nn.Parameter(torch.empty(width, hidden_size * width))
        nn.init.uniform_(self.V, -1 / width, 1 / width)

    def project(self, x: Tensor) -> Tensor:
        """Compute ``W x + b``, shape (n_nodes, hidden_size)."""
        return linear(x, self.W.weight, self.W.bias)

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, ...]:
        """Compute one level: the state is ``(h,)``.

        Parameters
        ----------
        wx : Tensor of float, shape (n, hidden_size)
            Rows of :meth:`project`, of inner nodes or of leaves.
        children : Children or None
            Their children; None for leaves.

        Returns
        -------
        tuple of one Tensor, shape (n, hidden_size)
        """
        if children is None:
            return (tanh(wx),)
        p = place_children(children.states[0], children, len(wx), self.max_arity)
        products = (p @ self.V).view(len(wx), self.hidden_size, -1)  # p^T V^[k], for each k
        return (tanh(wx + self.U(p) + (products @ p.unsqueeze(2)).squeeze(2)),)


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


CELLS: dict[str, type[TreeCell]] = {
    "child_sum_gru": ChildSumTreeGRU,
    "child_sum_lstm": ChildSumTreeLSTM,
    "nary_gru": NaryTreeGRU,
    "nary_lstm": NaryTreeLSTM,
    "rnn": RecursiveCell,
    "rntn": RNTNCell,
}
