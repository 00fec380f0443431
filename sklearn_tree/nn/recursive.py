"""Recursive encoder and net."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import CELLS
from sklearn_tree.nn.downward import DownwardEncoder
from sklearn_tree.nn.embedding import NodeEmbedding, Pretrained
from sklearn_tree.nn.gated import Children, GatedCell, TreeCell
from sklearn_tree.nn.net import Net
from sklearn_tree.nn.pooling import EndPooling, TreePooling
from sklearn_tree.nn.walk import walk_batch
from sklearn_tree.nn.walkable import can_walk

_MIN_WEIGHTS_IN_BFLOAT16 = 250_000


class RecursiveEncoder(nn.Module):
    """Encoder that applies a cell to every node of a batch, level by level from the leaves up.

    Parameters
    ----------
    cell : TreeCell
        Cell that computes the states of a node.
    downward : DownwardEncoder, default=None
        Encoder of a second walk from the roots down, whose states are appended to those of the cell; None
        for bottom-up nets.

    Attributes
    ----------
    is_fast : bool
        Whether cells that support it take the fast walk. Set it to False for plain autograd.
    is_compiled : bool
        Whether the fast walk uses passes that numba compiles for the cell, see :func:`compile_cells`. The
        estimators set it for long fits.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import ChildSumTreeLSTM, RecursiveEncoder, TreeBatch
    >>> trees = TreeVectorizer().fit_transform(["(+ 1 (× 2 3))", "(- 1 2)"])
    >>> batch = TreeBatch.from_array(trees)
    >>> encoder = RecursiveEncoder(ChildSumTreeLSTM(input_size=8, hidden_size=4))
    >>> vectors = encoder(torch.randn(batch.n_nodes, 8), batch)
    >>> vectors.shape, vectors[batch.roots].shape
    (torch.Size([8, 4]), torch.Size([2, 4]))
    """

    def __init__(self, cell: TreeCell, downward: DownwardEncoder | None = None) -> None:
        super().__init__()
        self.cell = cell
        self.downward = downward
        self.is_fast = True
        self.is_compiled = False

    @property
    def compiled_cells(self) -> list[TreeCell]:
        """Cells of the walks."""
        return [self.cell] if self.downward is None else [self.cell, self.downward.cell]

    def forward(
        self, x: Tensor, batch: TreeBatch, inverse: Tensor | None = None, nodes: Tensor | None = None
    ) -> Tensor:
        """Compute the vectors of the nodes.

        Parameters
        ----------
        x : Tensor of float, shape (n_nodes, input_size) or (n_distinct, input_size)
            Inputs of the nodes in batch order, or the distinct inputs.
        batch : TreeBatch
            Trees.
        inverse : Tensor of int64, shape (n_nodes,), default=None
            Row of ``x`` for each node; None if ``x`` has one row per node.
        nodes : Tensor of int64, shape (n,), default=None
            Positions of the nodes to return; None for all.

        Returns
        -------
        Tensor of float, shape (n_nodes, size) or (n, size)
            Vectors of all nodes in batch order, or of ``nodes``. ``size`` is that of a state, with
            ``downward`` of two states.
        """
        if self.downward is None:
            return self._walk_up(x, batch, inverse, nodes)
        up = self._walk_up(x, batch, inverse, None)
        down = self.downward(up, batch, is_fast=self.is_fast, is_compiled=self.is_compiled)
        h = torch.cat([up, down], dim=1)
        return h if nodes is None else h.index_select(0, nodes)

    def _walk_up(self, x: Tensor, batch: TreeBatch, inverse: Tensor | None, nodes: Tensor | None) -> Tensor:
        if self.is_fast and can_walk(self.cell, batch):
            return walk_batch(self.cell, x, batch, inverse, nodes, is_compiled=self.is_compiled)
        wx = self.cell.project(x)
        wx = wx if inverse is None else wx.index_select(0, inverse)
        h = torch.cat([states[0] for states in self._walk_levels(wx, batch)][::-1])
        return h if nodes is None else h.index_select(0, nodes)

    def compute_states(self, wx: Tensor, batch: TreeBatch) -> tuple[Tensor, ...]:
        """Compute all states of the bottom-up walk from projected inputs.

        Parameters
        ----------
        wx : Tensor of float, shape (n_nodes, any)
            Projected inputs in batch order.
        batch : TreeBatch
            Trees.

        Returns
        -------
        tuple of Tensor, each of shape (n_nodes, hidden_size)
            States in batch order.
        """
        levels = list(self._walk_levels(wx, batch))[::-1]
        return tuple(torch.cat(parts) for parts in zip(*levels, strict=True))

    def _walk_levels(self, wx: Tensor, batch: TreeBatch) -> Iterator[tuple[Tensor, ...]]:
        """Walk with plain autograd, for any cell; the reference of the fast walk.

        Yields the states of all leaves, then the states of the inner nodes of each level from the deepest up.
        """
        inner, leaves = wx.split((sum(batch.n_inner), sum(batch.n_leaves)))
        leaf_states = self.cell(leaves, None)
        leaf_levels = list(zip(*(state.split(batch.n_leaves) for state in leaf_states), strict=True))
        inner_levels = inner.split(batch.n_inner)

        yield leaf_states
        states: tuple[Tensor, ...] = ()  # of the inner nodes of the level below
        for depth in range(len(batch.levels) - 1, -1, -1):
            below, level = leaf_levels[depth + 1], batch.levels[depth]
            if states:
                below = tuple(torch.cat(pair) for pair in zip(states, below, strict=True))
            below = tuple(part.index_select(0, level.rows) for part in below)
            states = self.cell(inner_levels[depth], Children(below, level.parents, level.ranks))
            yield states


def gains_from_bfloat16(module: nn.Module) -> bool:
    """Return whether bfloat16 products make a net faster on a CPU that has them.

    The encoder of a recursive net needs 250,000 weights; below, rounding takes longer than it saves.
    """
    encoders = [part for part in module.modules() if isinstance(part, RecursiveEncoder)]
    sizes = [sum(weight.numel() for weight in encoder.parameters()) for encoder in encoders]
    return not sizes or max(sizes) >= _MIN_WEIGHTS_IN_BFLOAT16


def make_downward(cell: type[TreeCell], size: int) -> DownwardEncoder:
    """Make the encoder of the top-down walk that follows the walk of a cell with states of a size."""
    gated = {name: c for name, c in CELLS.items() if issubclass(c, GatedCell)}
    down_class = gated.get(cell.downward)
    if down_class is None:
        raise ValueError(f"downward of {cell.__name__} must be one of {sorted(gated)}, got {cell.downward!r}")
    return DownwardEncoder(down_class(size, size, 1))


class RecursiveNet(Net):
    """Net for trees: embedding, recursive encoder, pooling and a linear head.

    Parameters
    ----------
    n_labels : int
        Number of label ids.
    n_outputs : int
        Number of logits per tree.
    cell : str or TreeCell subclass, default="child_sum_lstm"
        Name in ``sklearn_tree.nn.CELLS``, or class of the cell.
    pooling : {"root", "mean", "max", "attention"}, default="root"
        Pooling of the vectors of a tree's nodes; "root" becomes :class:`EndPooling` in bidirectional nets.
    bidirectional : bool, default=False
        Whether a walk from the root down follows the walk from the leaves up, see :class:`DownwardEncoder`.
    hidden_size : int, default=64
        Size of a node's state.
    embedding_dim : int, default=64
        Size of a node's input.
    max_arity : int, default=2
        Number of children that the cell distinguishes.
    dropout : float, default=0.0
        Fraction of features set to zero in training, at the input and before the head.
    word_dropout : float, default=0.0
        Fraction of labels replaced by "unknown" in training.
    n_edge_labels : int, default=0
        Number of edge ids.
    value_shift, value_scale : sequence of float, length n_labels, default=None
        Mean and standard deviation of the values of each label.
    pretrained : callable, default=None
        Returns ids and their initial vectors, see :meth:`Embedding.load`.
    freeze_embeddings : bool, default=False
        Whether training leaves a table with pretrained vectors unchanged.
    linear_path : bool, default=False
        Whether a :class:`LinearPath`, fitted separately, adds its logits.
    dtype : torch.dtype, default=torch.float32
        Dtype of all parameters.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import RecursiveNet, TreeBatch
    >>> vectorizer = TreeVectorizer()
    >>> batch = TreeBatch.from_array(vectorizer.fit_transform(["(S it works)", "(S it fails)"]))
    >>> net = RecursiveNet(n_labels=len(vectorizer.vocabulary_) + 2, n_outputs=2)
    >>> optimizer, target = torch.optim.Adam(net.parameters(), lr=0.01), torch.tensor([1, 0])
    >>> for _ in range(30):
    ...     loss = torch.nn.functional.cross_entropy(net(batch), target)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    >>> net(batch).argmax(1).tolist()
    [1, 0]
    """

    embedding: NodeEmbedding
    encoder: RecursiveEncoder
    pool: TreePooling

    def __init__(
        self,
        n_labels: int,
        n_outputs: int,
        *,
        cell: str | type[TreeCell] = "child_sum_lstm",
        pooling: str = "root",
        bidirectional: bool = False,
        hidden_size: int = 64,
        embedding_dim: int = 64,
        max_arity: int = 2,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        n_edge_labels: int = 0,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        pretrained: Pretrained | None = None,
        freeze_embeddings: bool = False,
        linear_path: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        embedding = NodeEmbedding(
            n_labels,
            embedding_dim,
            n_edge_labels=n_edge_labels,
            value_shift=value_shift,
            value_scale=value_scale,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        cell_class = CELLS[cell] if isinstance(cell, str) else cell
        downward = make_downward(cell_class, hidden_size) if bidirectional else None
        encoder = RecursiveEncoder(cell_class(embedding_dim, hidden_size, max_arity), downward)
        size = 2 * hidden_size if bidirectional else hidden_size
        ends = bidirectional and pooling == "root"
        pool = EndPooling(size) if ends else TreePooling(pooling, size)
        super().__init__(embedding, encoder, pool, dropout)
        self.head = nn.Linear(size, n_outputs)
        self._load_vectors(pretrained, freeze_embeddings)
        if linear_path:
            self._add_linear_path(n_labels)
        self.to(dtype)

    def forward(self, batch: TreeBatch) -> Tensor:
        """Compute the logits of a batch.

        Parameters
        ----------
        batch : TreeBatch
            Trees.

        Returns
        -------
        Tensor of float, shape (n_predictions, n_outputs)
            One row per tree, or per subtree of ``batch.output_nodes``.
        """
        if batch.output_nodes is None:
            return super().forward(batch)
        logits = self.compute_logits(self.encode_subtrees(batch, batch.output_nodes))
        if self.active_linear is None:
            return logits
        return logits + self.active_linear.score_subtrees(batch, batch.output_nodes)

    def forward_embedded(self, x: Tensor, batch: TreeBatch, inverse: Tensor | None = None) -> Tensor:
        """Compute the logits of a batch from its embedded inputs.

        Parameters
        ----------
        x : Tensor of float, shape (n_rows, size)
            Inputs, see :meth:`embed`.
        batch : TreeBatch
            Trees.
        inverse : Tensor of int64, shape (n_nodes,), default=None
            Row of ``x`` for each node; None if ``x`` has one row per node.

        Returns
        -------
        Tensor of float, shape (n_predictions, n_outputs)
            One row per tree, or per subtree of ``batch.output_nodes``.
        """
        nodes = batch.output_nodes
        if nodes is None:
            return super().forward_embedded(x, batch, inverse)
        x, scores = self.split_embedded(x)
        vectors = self.pool.pool_subtrees(self.encoder(x, batch, inverse), batch)
        logits = self.compute_logits(vectors.index_select(0, nodes))
        if self.active_linear is None:
            return logits
        scores = scores if inverse is None else scores[inverse]
        return logits + self.active_linear.pool_subtrees(scores, batch, nodes)

    def encode(self, batch: TreeBatch) -> Tensor:
        """Compute one vector per tree, Tensor of float, shape (n_trees, size)."""
        return self.encode_embedded(*self._embed(batch))

    def encode_embedded(self, x: Tensor, batch: TreeBatch, inverse: Tensor | None = None) -> Tensor:
        """Compute one vector per tree from embedded inputs, Tensor of float, shape (n_trees, size)."""
        if self.pool.how == "root":
            return self.encoder(x, batch, inverse, batch.roots)
        return self.pool(self.encoder(x, batch, inverse), batch)

    def encode_nodes(self, batch: TreeBatch, nodes: Tensor | None = None) -> Tensor:
        """Compute one vector per node.

        Parameters
        ----------
        batch : TreeBatch
            Trees.
        nodes : Tensor of int64, shape (n,), default=None
            Positions of the nodes; None for all, in batch order.

        Returns
        -------
        Tensor of float, shape (n, size)
        """
        return self.encoder(*self._embed(batch), nodes)

    def encode_subtrees(self, batch: TreeBatch, nodes: Tensor | None = None) -> Tensor:
        """Compute one vector per subtree.

        It is the vector that ``encode`` computes for the subtree as a tree; in bidirectional nets, the
        downward states of its nodes are those in the whole tree.

        Parameters
        ----------
        batch : TreeBatch
            Trees.
        nodes : Tensor of int64, shape (n,), default=None
            Positions of the roots of the subtrees; None for all nodes, in batch order.

        Returns
        -------
        Tensor of float, shape (n, size)
        """
        if self.pool.how == "root":
            return self.encode_nodes(batch, nodes)
        vectors = self.pool.pool_subtrees(self.encode_nodes(batch), batch)
        return vectors if nodes is None else vectors.index_select(0, nodes)

    def _embed(self, batch: TreeBatch) -> tuple[Tensor, TreeBatch, Tensor | None]:
        """Return the inputs of the nodes, the batch and the row of each node's input.

        Nodes with the same label have the same input, which is embedded and projected once, unless dropout
        is active.
        """
        if batch.distinct is None or self.embedding.is_random:
            return self.embedding(batch), batch, None
        return self.embedding(batch, batch.distinct), batch, batch.inverse
