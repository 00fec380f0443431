"""Pictures."""

from sklearn_tree.plot.tree import TreePicture, plot_tree

__all__ = ["TreePicture", "plot_tree"]
