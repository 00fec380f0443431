"""Pictures of trees, texts, series, images, importances and training histories."""

from sklearn_tree.plot.bars import draw_bars, plot_importances
from sklearn_tree.plot.history import plot_history
from sklearn_tree.plot.image import draw_image, plot_image
from sklearn_tree.plot.outline import draw_outline
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.plot.series import draw_series, plot_series
from sklearn_tree.plot.tokens import draw_tokens, plot_tokens
from sklearn_tree.plot.tree import TreePicture, plot_tree

__all__ = [
    "Picture",
    "TreePicture",
    "draw_bars",
    "draw_image",
    "draw_legend",
    "draw_outline",
    "draw_series",
    "draw_tokens",
    "plot_history",
    "plot_image",
    "plot_importances",
    "plot_series",
    "plot_tokens",
    "plot_tree",
]
