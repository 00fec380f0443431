"""Nets in plain PyTorch: tree batches, cells, the recursive encoder, pooling."""

from sklearn_tree.nn.batch import Level, TreeBatch
from sklearn_tree.nn.cells import CELLS, Children, ChildSumTreeLSTM, NaryTreeLSTM, TreeCell
from sklearn_tree.nn.embedding import NodeEmbedding
from sklearn_tree.nn.pooling import POOLINGS
from sklearn_tree.nn.recursive import RecursiveEncoder, RecursiveNet

__all__ = [
    "CELLS",
    "POOLINGS",
    "ChildSumTreeLSTM",
    "Children",
    "Level",
    "NaryTreeLSTM",
    "NodeEmbedding",
    "RecursiveEncoder",
    "RecursiveNet",
    "TreeBatch",
    "TreeCell",
]
