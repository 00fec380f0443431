"""Recursive cells: how the state of a node follows from its input and its children's states."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


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


class ChildSumTreeLSTM(TreeCell):
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

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__(input_size, hidden_size, max_arity)
        self.W = nn.Linear(input_size, 4 * hidden_size)  # i, o, u, f
        self.U_iou = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.U_f = nn.Linear(hidden_size, hidden_size, bias=False)

    def project(self, x: Tensor) -> Tensor:
        """Compute ``W x + b`` of all gates, shape (n_nodes, 4 * hidden_size)."""
        return self.W(x)

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, Tensor]:
        """Compute one level: the states are ``(h, c)``.

        Parameters
        ----------
        wx : Tensor of float, shape (n, 4 * hidden_size)
            Rows of :meth:`project`, of inner nodes or of leaves.
        children : Children or None
            Their children; None for leaves.

        Returns
        -------
        tuple of two Tensor, each of shape (n, hidden_size)
            Output and memory.
        """
        iou, wx_f = wx.split((3 * self.hidden_size, self.hidden_size), dim=1)
        kept = None
        if children is not None:
            h_k, c_k = children.states
            iou = iou + self.U_iou(sum_children(h_k, children, len(wx)))  # (2)
            f = torch.sigmoid(wx_f.index_select(0, children.parents) + self.U_f(h_k))  # (4)
            kept = sum_children(f * c_k, children, len(wx))
        return _lstm_state(iou, kept)


class NaryTreeLSTM(TreeCell):
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

    Children beyond ``max_arity`` share the last place: their states are summed there.

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

    def __init__(self, input_size: int, hidden_size: int, max_arity: int = 2) -> None:
        super().__init__(input_size, hidden_size, max_arity)
        self.W = nn.Linear(input_size, 4 * hidden_size)  # i, o, u, f
        self.U = nn.Linear(max_arity * hidden_size, (3 + max_arity) * hidden_size, bias=False)

    def project(self, x: Tensor) -> Tensor:
        """Compute ``W x + b`` of all gates, shape (n_nodes, 4 * hidden_size)."""
        return self.W(x)

    def forward(self, wx: Tensor, children: Children | None) -> tuple[Tensor, Tensor]:
        """Compute one level: the states are ``(h, c)``.

        Parameters
        ----------
        wx : Tensor of float, shape (n, 4 * hidden_size)
            Rows of :meth:`project`, of inner nodes or of leaves.
        children : Children or None
            Their children; None for leaves.

        Returns
        -------
        tuple of two Tensor, each of shape (n, hidden_size)
            Output and memory.
        """
        n, size, arity = len(wx), self.hidden_size, self.max_arity
        iou, wx_f = wx.split((3 * size, size), dim=1)
        kept = None
        if children is not None:
            h_l, c_l = (place_children(state, children, n, arity) for state in children.states)
            u_iou, u_f = self.U(h_l).split((3 * size, arity * size), dim=1)
            iou = iou + u_iou
            f = torch.sigmoid(wx_f.unsqueeze(1) + u_f.view(n, arity, size))  # (10)
            kept = (f * c_l.view(n, arity, size)).sum(1)
        return _lstm_state(iou, kept)


def _lstm_state(iou: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
    i, o, u = iou.chunk(3, dim=1)
    c = torch.sigmoid(i) * torch.tanh(u)  # (7), (13)
    if kept is not None:
        c = c + kept
    h = torch.sigmoid(o) * torch.tanh(c)  # (8), (14)
    return h, c


def sum_children(state: Tensor, children: Children, n: int) -> Tensor:
    """Sum the rows of each node's children; shape (n, hidden_size)."""
    return state.new_zeros(n, state.shape[1]).index_add(0, children.parents, state)


def place_children(state: Tensor, children: Children, n: int, arity: int) -> Tensor:
    """Lay each node's children side by side, zeros where one is absent; (n, arity * hidden_size)."""
    slots = children.parents * arity + children.ranks.clamp(max=arity - 1)
    return state.new_zeros(n * arity, state.shape[1]).index_add(0, slots, state).view(n, -1)


CELLS: dict[str, type[TreeCell]] = {
    "child_sum_lstm": ChildSumTreeLSTM,
    "nary_lstm": NaryTreeLSTM,
}
