"""PyTorch modules: batches, cells, encoders, pooling and nets."""

from sklearn_tree.nn.batch import Level, TreeBatch
from sklearn_tree.nn.batch_norm import BatchNorm
from sklearn_tree.nn.cells import (
    CELLS,
    ChildSumTreeGRU,
    ChildSumTreeLSTM,
    NaryTreeGRU,
    NaryTreeLSTM,
    RecursiveCell,
    RNTNCell,
)
from sklearn_tree.nn.check_cell import check_cell
from sklearn_tree.nn.compilation import compile_cells
from sklearn_tree.nn.convolution import Convolution
from sklearn_tree.nn.convolutional import ConvolutionalEncoder, ConvolutionalNet
from sklearn_tree.nn.downward import DownwardEncoder
from sklearn_tree.nn.embedding import Embedding, NodeEmbedding
from sklearn_tree.nn.gated import Children, GatedCell, TreeCell
from sklearn_tree.nn.image_batch import ImageBatch
from sklearn_tree.nn.losses import (
    MultiOutputCrossEntropy,
    SmoothedBinaryCrossEntropy,
    SmoothedCrossEntropy,
)
from sklearn_tree.nn.net import Net
from sklearn_tree.nn.pairs import PairBatch, PairNet
from sklearn_tree.nn.pooling import (
    CONVOLUTION_POOLINGS,
    POOLINGS,
    SEQUENCE_POOLINGS,
    EndPooling,
    SequencePooling,
    TreePooling,
)
from sklearn_tree.nn.recurrent import RECURRENT_CELLS, RecurrentEncoder, RecurrentNet
from sklearn_tree.nn.recursive import RecursiveEncoder, RecursiveNet
from sklearn_tree.nn.residual import ResidualBlock, ResidualEncoder
from sklearn_tree.nn.sequence_batch import SequenceBatch
from sklearn_tree.nn.step_values import StepValues

__all__ = [
    "CELLS",
    "CONVOLUTION_POOLINGS",
    "POOLINGS",
    "RECURRENT_CELLS",
    "SEQUENCE_POOLINGS",
    "ChildSumTreeGRU",
    "ChildSumTreeLSTM",
    "GatedCell",
    "NaryTreeGRU",
    "RNTNCell",
    "RecursiveCell",
    "BatchNorm",
    "Children",
    "Convolution",
    "ConvolutionalEncoder",
    "ConvolutionalNet",
    "DownwardEncoder",
    "Embedding",
    "EndPooling",
    "ImageBatch",
    "Level",
    "MultiOutputCrossEntropy",
    "NaryTreeLSTM",
    "Net",
    "NodeEmbedding",
    "PairBatch",
    "PairNet",
    "RecurrentEncoder",
    "RecurrentNet",
    "RecursiveEncoder",
    "RecursiveNet",
    "ResidualBlock",
    "ResidualEncoder",
    "SequenceBatch",
    "SequencePooling",
    "SmoothedBinaryCrossEntropy",
    "SmoothedCrossEntropy",
    "StepValues",
    "TreeBatch",
    "TreeCell",
    "TreePooling",
    "check_cell",
    "compile_cells",
]
