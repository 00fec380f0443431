"""Views: the layouts of kinds of samples for explainers."""

from typing import Any

from sklearn_tree.explain.rows.kind import Rows
from sklearn_tree.explain.views.base import BASELINES, Samples, View
from sklearn_tree.explain.views.images import ImagesView
from sklearn_tree.explain.views.pairs import PairsView
from sklearn_tree.explain.views.rows import RowsView
from sklearn_tree.explain.views.series import SeriesView
from sklearn_tree.explain.views.table import StarTableView, TableView
from sklearn_tree.explain.views.tokens import TokensView
from sklearn_tree.explain.views.trees import TreesView
from sklearn_tree.explain.views.windows import WindowsView
from sklearn_tree.explain.views.words import WordsView
from sklearn_tree.kinds import Images, Kind, Pairs, Series, StarTable, Table, Tokens, Trees

# A view is found through the bases of a kind. A new kind is added here, or with `register_view`.
VIEWS: dict[type[Kind], type[View]] = {
    Kind: View,
    Trees: TreesView,
    Tokens: TokensView,
    Series: SeriesView,
    Images: ImagesView,
    Table: TableView,
    StarTable: StarTableView,
    Pairs: PairsView,
    Rows: RowsView,
}

__all__ = [
    "BASELINES",
    "VIEWS",
    "ImagesView",
    "PairsView",
    "RowsView",
    "Samples",
    "SeriesView",
    "StarTableView",
    "TableView",
    "TokensView",
    "TreesView",
    "View",
    "WindowsView",
    "WordsView",
    "find_view",
    "register_view",
]


def register_view(kind: type[Kind], view: type[View]) -> None:
    """Set the view of a kind of samples, and of its subclasses unless they have their own views.

    Parameters
    ----------
    kind : type of Kind
        The kind.
    view : type of View
        Its view.
    """
    VIEWS[kind] = view


def find_view(kind: Kind) -> View:
    """Return the view of a kind of samples: that of its nearest registered base class."""
    view: Any = next(VIEWS[base] for base in type(kind).__mro__ if base in VIEWS)
    return view() if kind.item_kind is None else view(find_view(kind.item_kind))
