"""Kinds of samples: trees, tokens, series, images and tables, and pairs of them."""

from sklearn_tree.kinds.base import Batch, Kind
from sklearn_tree.kinds.encoding import NotEncodedError
from sklearn_tree.kinds.finite import check_finite
from sklearn_tree.kinds.images import Images
from sklearn_tree.kinds.pairs import PairArray, Pairs
from sklearn_tree.kinds.registry import KINDS, find_kind
from sklearn_tree.kinds.series import Series
from sklearn_tree.kinds.state import kind_from_state, kind_to_state
from sklearn_tree.kinds.table import StarTable, Table
from sklearn_tree.kinds.tokens import Tokens
from sklearn_tree.kinds.training import TrainingDefaults
from sklearn_tree.kinds.trees import Trees

__all__ = [
    "KINDS",
    "Batch",
    "Images",
    "Kind",
    "NotEncodedError",
    "PairArray",
    "Pairs",
    "Series",
    "StarTable",
    "Table",
    "Tokens",
    "TrainingDefaults",
    "Trees",
    "check_finite",
    "find_kind",
    "kind_from_state",
    "kind_to_state",
]
