"""Recursive cells: equations of a node's state from its input and its children's states."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_tree.nn.gated import Children, GatedCell, Gradients, TreeCell, place_children, tanh
from sklearn_tree.nn.gemm import linear


class ChildSumTreeLSTM(GatedCell):
    r"""Child-Sum Tree-LSTM, an LSTM whose previous state is the sum over the children.

    For a node :math:`j` with input :math:`x_j` and children :math:`C(j)` [1]_:

    .. math::

        \tilde h_j &= {\textstyle\sum_{k \in C(j)}} h_k                             & (2) \\
        i_j &= \sigma(W^{(i)} x_j + U^{(i)} \tilde h_j + b^{(i)})                  & (3) \\
        f_{jk} &= \sigma(W^{(f)} x_j + U^{(f)} h_k + b^{(f)})                      & (4) \\
        o_j &= \sigma(W^{(o)} x_j + U^{(o)} \tilde h_j + b^{(o)})                  & (5) \\
        u_j &= \tanh(W^{(u)} x_j + U^{(u)} \tilde h_j + b^{(u)})                   & (6) \\
        c_j &= i_j \odot u_j + {\textstyle\sum_{k \in C(j)}} f_{jk} \odot c_k        & (7) \\
        h_j &= o_j \odot \tanh(c_j)                                               & (8)

    The states do not depend on the order of the children.

    Parameters
    ----------
    input_size, hidden_size, max_arity : int
        See :class:`TreeCell`.

    References
    ----------
    .. [1] K. S. Tai, R. Socher, C. D. Manning (2015). Improved Semantic Representations From
       Tree-Structured Long Short-Term Memory Networks. ACL.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import ChildSumTreeLSTM, RecursiveEncoder, TreeBatch
    >>> trees = TreeVectorizer().fit_transform(["(- 5 3)", "(- 3 5)"])
    >>> batch = TreeBatch.from_array(trees)
    >>> encoder = RecursiveEncoder(ChildSumTreeLSTM(input_size=8, hidden_size=4))
    >>> roots = encoder(torch.nn.Embedding(5, 8)(batch.labels), batch, nodes=batch.roots)
    >>> torch.allclose(roots[0], roots[1], atol=1e-6)  # the order of the children has no effect
    True
    """

    x_gates = h_gates = ("i", "o", "u")
    child_gates = ("f",)
    tanh_gates = ("u",)
    n_states = 2
    n_kept = 1
    is_pure = True

    # message and update are documented in GatedCell.
    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return (gates[0] * states[1],)  # (7)

    def message_backward(self, gates: tuple, states: tuple, grads: Sequence[Tensor]) -> Gradients:
        """Differentiate :meth:`message`."""
        return (grads[0] * states[1],), (None, grads[0] * gates[0])

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        i, o, u = gates
        c = torch.addcmul(messages[0], i, u)  # (7)
        tanh_c = tanh(c)
        return o * tanh_c, c, tanh_c  # (8)

    def update_backward(
        self, gates: tuple, messages: tuple, kept: tuple, grads: Sequence[Tensor]
    ) -> Gradients:
        """Differentiate :meth:`update`."""
        (i, o, u), (tanh_c,), (grad_h, grad_c) = gates, kept, grads
        grad_c = grad_c + torch.ops.aten.tanh_backward(grad_h * o, tanh_c)
        return (grad_c * u, grad_h * tanh_c, grad_c * i), (grad_c,)


class NaryTreeLSTM(GatedCell):
    r"""N-ary Tree-LSTM, an LSTM with separate weights for the first, second, ... child.

    For a node :math:`j` with children :math:`1 \ldots N` [1]_, where an absent child has
    :math:`h = c = 0`:

    .. math::

        i_j &= \sigma(W^{(i)} x_j + {\textstyle\sum_l} U^{(i)}_l h_{jl} + b^{(i)})        & (9) \\
        f_{jk} &= \sigma(W^{(f)} x_j + {\textstyle\sum_l} U^{(f)}_{kl} h_{jl} + b^{(f)})  & (10) \\
        o_j &= \sigma(W^{(o)} x_j + {\textstyle\sum_l} U^{(o)}_l h_{jl} + b^{(o)})        & (11) \\
        u_j &= \tanh(W^{(u)} x_j + {\textstyle\sum_l} U^{(u)}_l h_{jl} + b^{(u)})         & (12) \\
        c_j &= i_j \odot u_j + {\textstyle\sum_l} f_{jl} \odot c_{jl}                     & (13) \\
        h_j &= o_j \odot \tanh(c_j)                                                    & (14)

    The states follow from the gates as in :class:`ChildSumTreeLSTM`. Children beyond ``max_arity`` share
    the last place, where their states are summed.

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

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import NaryTreeLSTM, RecursiveEncoder, TreeBatch
    >>> trees = TreeVectorizer().fit_transform(["(- 5 3)", "(- 3 5)"])
    >>> batch = TreeBatch.from_array(trees)
    >>> encoder = RecursiveEncoder(NaryTreeLSTM(input_size=8, hidden_size=4, max_arity=2))
    >>> roots = encoder(torch.nn.Embedding(5, 8)(batch.labels), batch, nodes=batch.roots)
    >>> torch.allclose(roots[0], roots[1], atol=1e-6)  # the order of the children has an effect
    False
    """

    # NOTE[DIFF] The paper does not define nodes with more than N children; here the last ones are summed.
    x_gates = h_gates = ("i", "o", "u")
    child_gates = ("f",)
    tanh_gates = ("u",)
    n_states = 2
    n_kept = 1
    is_placed = True
    is_pure = True
    message = ChildSumTreeLSTM.message
    message_backward = ChildSumTreeLSTM.message_backward
    update = ChildSumTreeLSTM.update
    update_backward = ChildSumTreeLSTM.update_backward


class ChildSumTreeGRU(GatedCell):
    r"""Child-Sum Tree-GRU, a GRU whose previous state is the sum over the children.

    For a node :math:`j` with input :math:`x_j` and children :math:`C(j)`, with the gates of [1]_ in the
    form of [2]_, which applies the reset gate to the product :math:`U^{(m)} \tilde h_j`:

    .. math::

        \tilde h_j &= {\textstyle\sum_{k \in C(j)}} h_k                             & (1) \\
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

    Examples
    --------
    >>> from sklearn_tree.nn import ChildSumTreeGRU, ChildSumTreeLSTM
    >>> gru, lstm = ChildSumTreeGRU(input_size=64, hidden_size=64), ChildSumTreeLSTM(64, 64)
    >>> [sum(weights.numel() for weights in cell.parameters()) for cell in (gru, lstm)]
    [24768, 33024]
    """

    downward = "nary_gru"
    x_gates = ("n", "r", "z")
    h_gates = ("r", "z", "m")
    linear_gates = ("n", "m")
    is_pure = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return states  # (1)

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        n, r, z, m = gates
        n = tanh(n + r * m)  # (4)
        return ((1 - z) * n + z * messages[0],)  # (5)


class NaryTreeGRU(GatedCell):
    r"""N-ary Tree-GRU, a GRU with separate weights and a separate update gate for each child.

    For a node :math:`j` with children :math:`1 \ldots N`, where an absent child has :math:`h = 0`:

    .. math::

        r_j &= \sigma(W^{(r)} x_j + {\textstyle\sum_l} U^{(r)}_l h_{jl} + b^{(r)})                   & (1) \\
        z_{jk} &= \sigma(W^{(z)} x_j + {\textstyle\sum_l} U^{(z)}_{kl} h_{jl} + b^{(z)})             & (2) \\
        n_j &= \tanh(W^{(n)} x_j + b^{(n)} + r_j \odot {\textstyle\sum_l} U^{(m)}_l h_{jl})          & (3) \\
        h_j &= (1 - {\textstyle\frac1N \sum_l} z_{jl}) \odot n_j
               + {\textstyle\frac1N \sum_l} z_{jl} \odot h_{jl}                                   & (4)

    With one child it equals ``torch.nn.GRU``. A leaf has no update gate: :math:`h = n`. Children beyond
    ``max_arity`` share the last place.

    Parameters
    ----------
    input_size, hidden_size : int
        See :class:`TreeCell`.
    max_arity : int, default=2
        :math:`N`. The weights grow with its square.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetClassifier
    >>> formulas, y = ["(- 5 3)", "(- 3 5)"] * 20, ["positive", "negative"] * 20
    >>> clf = RecursiveNetClassifier(cell="nary_gru", max_arity=2, random_state=0).fit(formulas, y)
    >>> type(clf.net_.module_.encoder.cell).__name__, clf.predict(["(- 5 3)", "(- 3 5)"]).tolist()
    ('NaryTreeGRU', ['positive', 'negative'])
    """

    downward = "nary_gru"
    x_gates = ("n", "r")
    h_gates = ("r", "m")
    child_gates = ("z",)
    linear_gates = ("n", "m")
    n_messages = 2
    is_placed = True
    is_pure = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        z = gates[0] / self.max_arity
        return z, z * states[0]

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        n, r, m = gates
        z, kept = messages
        return ((1 - z) * tanh(n + r * m) + kept,)  # (3), (4)


class RecursiveCell(GatedCell):
    r"""Cell of the plain recursive net, one layer that is applied at every node.

    For a node :math:`j` with children :math:`1 \ldots N` [1]_, where an absent child has :math:`h = 0`:

    .. math::

        h_j = \tanh(W x_j + {\textstyle\sum_l} U_l h_{jl} + b)

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

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import RecursiveCell, RecursiveEncoder, TreeBatch
    >>> batch = TreeBatch.from_array(TreeVectorizer().fit_transform(["(- 5 3)"]))
    >>> cell, x = RecursiveCell(input_size=8, hidden_size=4), torch.randn(3, 8)
    >>> root, *leaves = RecursiveEncoder(cell)(x, batch)
    >>> torch.allclose(root, torch.tanh(cell.W(x[0]) + cell.U(torch.cat(leaves))), atol=1e-6)
    True
    """

    downward = "rnn"
    x_gates = h_gates = tanh_gates = ("h",)
    n_messages = 0
    is_placed = True
    is_pure = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return ()

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return gates


class RNTNCell(TreeCell):
    r"""Cell of the Recursive Neural Tensor Network, in which children interact through a tensor.

    For a node :math:`j` with children :math:`1 \ldots N` and the concatenation
    :math:`p_j = [h_{j1}; \ldots; h_{jN}]` [1]_, where an absent child has :math:`h = 0`:

    .. math::

        h_j = \tanh(W x_j + b + U p_j + p_j^\top V^{[1:d]} p_j)

    The tensor has :math:`d \cdot (N d)^2` elements, so ``hidden_size`` should be small.

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

    Examples
    --------
    >>> from sklearn_tree.nn import RNTNCell
    >>> for hidden_size in (10, 20):
    ...     print(hidden_size, RNTNCell(input_size=8, hidden_size=hidden_size).V.numel())
    10 4000
    20 32000
    """

    # NOTE[DIFF] In the paper only leaves have words; here every node has an input W x + b.

    downward = "rnn"

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
        """Compute the states ``(h,)`` of the nodes of one level.

        Parameters
        ----------
        wx : Tensor of float, shape (n, hidden_size)
            Rows of :meth:`project`, all inner nodes or all leaves.
        children : Children or None
            Children of the nodes; None for leaves.

        Returns
        -------
        tuple of one Tensor, shape (n, hidden_size)
        """
        if children is None:
            return (tanh(wx),)
        p = place_children(children.states[0], children, len(wx), self.max_arity)
        products = (p @ self.V).view(len(wx), self.hidden_size, -1)  # p^T V^[k], for each k
        return (tanh(wx + self.U(p) + (products @ p.unsqueeze(2)).squeeze(2)),)


CELLS: dict[str, type[TreeCell]] = {
    "child_sum_gru": ChildSumTreeGRU,
    "child_sum_lstm": ChildSumTreeLSTM,
    "nary_gru": NaryTreeGRU,
    "nary_lstm": NaryTreeLSTM,
    "rnn": RecursiveCell,
    "rntn": RNTNCell,
}
