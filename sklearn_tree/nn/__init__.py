"""Nets in plain PyTorch: batches, cells, encoders, pooling."""

from sklearn_tree.nn.batch import Level, TreeBatch
from sklearn_tree.nn.cells import CELLS, Children, ChildSumTreeLSTM, NaryTreeLSTM, TreeCell
from sklearn_tree.nn.embedding import NodeEmbedding, StepValues
from sklearn_tree.nn.losses import MultiOutputCrossEntropy
from sklearn_tree.nn.pooling import POOLINGS, SEQUENCE_POOLINGS, SequencePooling, TreePooling
from sklearn_tree.nn.recurrent import RECURRENT_CELLS, RecurrentEncoder, RecurrentNet
from sklearn_tree.nn.recursive import RecursiveEncoder, RecursiveNet
from sklearn_tree.nn.sequence_batch import SequenceBatch

__all__ = [
    "CELLS",
    "POOLINGS",
    "RECURRENT_CELLS",
    "SEQUENCE_POOLINGS",
    "ChildSumTreeLSTM",
    "Children",
    "Level",
    "MultiOutputCrossEntropy",
    "NaryTreeLSTM",
    "NodeEmbedding",
    "RecurrentEncoder",
    "RecurrentNet",
    "RecursiveEncoder",
    "RecursiveNet",
    "SequenceBatch",
    "SequencePooling",
    "StepValues",
    "TreeBatch",
    "TreeCell",
    "TreePooling",
]
