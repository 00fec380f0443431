"""Pictures."""

from sklearn_tree.plot.history import plot_history
from sklearn_tree.plot.tree import TreePicture, plot_tree

__all__ = ["TreePicture", "plot_history", "plot_tree"]
