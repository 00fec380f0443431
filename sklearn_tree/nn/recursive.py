"""The recursive encoder, which walks a batch of trees bottom-up, and the net around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import CELLS
from sklearn_tree.nn.embedding import NodeEmbedding
from sklearn_tree.nn.gated import Children, TreeCell
from sklearn_tree.nn.pooling import TreePooling
from sklearn_tree.nn.walk import walk_all
from sklearn_tree.nn.walkable import can_walk


class RecursiveEncoder(nn.Module):
    """Compute the vector of every node from the leaves up, one level of the batch at a time.

    Parameters
    ----------
    cell : TreeCell
        What is computed at a node.

    Attributes
    ----------
    is_fast : bool
        Whether a :class:`GatedCell` takes the fast walk; set it to False for plain autograd.
    """

    def __init__(self, cell: TreeCell) -> None:
        super().__init__()
        self.cell = cell
        self.is_fast = True

    def forward(
        self, x: Tensor, batch: TreeBatch, inverse: Tensor | None = None, nodes: Tensor | None = None
    ) -> Tensor:
        """Walk the batch.

        Parameters
        ----------
        x : Tensor of float, shape (n_nodes, input_size) or (n_distinct, input_size)
            Node inputs in batch order, or the distinct ones among them.
        batch : TreeBatch
            The trees.
        inverse : Tensor of int64, shape (n_nodes,), default=None
            Row of ``x`` for each node; None if ``x`` has a row per node.
        nodes : Tensor of int64, shape (n,), default=None
            Positions of the nodes wanted; None for all.

        Returns
        -------
        Tensor of float, shape (n_nodes, hidden_size) or (n, hidden_size)
            Vectors of all nodes in batch order, or of those wanted.
        """
        if self.is_fast and can_walk(self.cell, batch):
            return walk_all(self.cell, x, batch, inverse, nodes)
        wx = self.cell.project(x)
        wx = wx if inverse is None else wx.index_select(0, inverse)
        h = torch.cat([level[0] for level in self._step(wx, batch)][::-1])
        return h if nodes is None else h.index_select(0, nodes)

    def states(self, wx: Tensor, batch: TreeBatch) -> tuple[Tensor, ...]:
        """Walk projected inputs and return all states of all nodes, each of shape (n_nodes, hidden_size)."""
        levels = list(self._step(wx, batch))[::-1]
        return tuple(torch.cat(parts) for parts in zip(*levels, strict=True))

    def _step(self, wx: Tensor, batch: TreeBatch) -> Iterator[tuple[Tensor, ...]]:
        """Walk step by step in plain autograd: any cell, and what the fast walk is tested against.

        Yields the states of all leaves, then those of the inner nodes of each level, from the deepest up.
        """
        inner, leaves = wx.split((sum(batch.n_inner), sum(batch.n_leaves)))
        leaf_states = self.cell(leaves, None)
        leaves_at = list(zip(*(state.split(batch.n_leaves) for state in leaf_states), strict=True))
        inner_at = inner.split(batch.n_inner)

        yield leaf_states
        state: tuple[Tensor, ...] = ()  # of the inner nodes of the level just left
        for depth in range(len(batch.levels) - 1, -1, -1):
            below, level = leaves_at[depth + 1], batch.levels[depth]
            if state:
                below = tuple(torch.cat(pair) for pair in zip(state, below, strict=True))
            below = tuple(part.index_select(0, level.rows) for part in below)
            state = self.cell(inner_at[depth], Children(below, level.parents, level.ranks))
            yield state


class RecursiveNet(nn.Module):
    """Embedding, encoder, pooling and a linear head: from trees to logits.

    Parameters
    ----------
    n_labels : int
        Number of label ids.
    n_outputs : int
        Number of logits per tree.
    cell : str or TreeCell subclass, default="child_sum_lstm"
        A name of ``sklearn_tree.nn.CELLS`` or a class.
    pooling : {"root", "mean", "max", "attention"}, default="root"
        How the vectors of a tree's nodes become one.
    hidden_size : int, default=64
        Size of a node's state.
    embedding_dim : int, default=64
        Size of a node's input.
    max_arity : int, default=2
        Number of children that a cell tells apart.
    dropout : float, default=0.0
        Share of features dropped at the input and before the head.
    word_dropout : float, default=0.0
        Share of labels replaced by "unknown" in training.
    n_edge_labels : int, default=0
        Number of edge ids.
    value_shift, value_scale : sequence of float, length n_labels, default=None
        Mean and standard deviation of the values of each label.
    dtype : torch.dtype, default=torch.float32
        Type of all parameters.
    """

    def __init__(
        self,
        n_labels: int,
        n_outputs: int,
        *,
        cell: str | type[TreeCell] = "child_sum_lstm",
        pooling: str = "root",
        hidden_size: int = 64,
        embedding_dim: int = 64,
        max_arity: int = 2,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        n_edge_labels: int = 0,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.embedding = NodeEmbedding(
            n_labels,
            embedding_dim,
            n_edge_labels=n_edge_labels,
            value_shift=value_shift,
            value_scale=value_scale,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        cell_class = CELLS[cell] if isinstance(cell, str) else cell
        self.encoder = RecursiveEncoder(cell_class(embedding_dim, hidden_size, max_arity))
        self.pool = TreePooling(pooling, hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, n_outputs)
        self.to(dtype)

    def forward(self, batch: TreeBatch) -> Tensor:
        """Compute the logits of a batch.

        Parameters
        ----------
        batch : TreeBatch
            The trees.

        Returns
        -------
        Tensor of float, shape (n_trees, n_outputs)
        """
        return self.head(self.dropout(self.encode(batch)))

    def forward_embedded(self, x: Tensor, batch: TreeBatch, inverse: Tensor | None = None) -> Tensor:
        """Compute the logits from what the embedding makes of a batch.

        Parameters
        ----------
        x : Tensor of float, shape (n_nodes, embedding_dim) or (n_distinct, embedding_dim)
            Inputs of the nodes.
        batch : TreeBatch
            The trees.
        inverse : Tensor of int64, shape (n_nodes,), default=None
            Row of ``x`` for each node in batch order; None if ``x`` has a row per node.

        Returns
        -------
        Tensor of float, shape (n_trees, n_outputs)
        """
        nodes = batch.roots if self.pool.how == "root" else None
        h = self.encoder(x, batch, inverse, nodes)
        return self.head(self.dropout(h if nodes is not None else self.pool(h, batch)))

    def encode(self, batch: TreeBatch) -> Tensor:
        """Return one vector per tree, float, shape (n_trees, hidden_size)."""
        if self.pool.how == "root":
            return self.encode_nodes(batch, batch.roots)
        return self.pool(self.encode_nodes(batch), batch)

    def encode_nodes(self, batch: TreeBatch, nodes: Tensor | None = None) -> Tensor:
        """Return one vector per node, or per node wanted, in batch order, float, shape (n, hidden_size)."""
        if batch.distinct is None or self.embedding.is_random:
            return self.encoder(self.embedding(batch), batch, nodes=nodes)
        # Nodes of one label have one input: it is embedded and projected once.
        return self.encoder(self.embedding(batch, batch.distinct), batch, batch.inverse, nodes)
