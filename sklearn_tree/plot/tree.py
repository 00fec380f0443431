"""``plot_tree``: the picture of a tree, for notebooks and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.plot.picture import Picture
from sklearn_tree.trees import Tree
from sklearn_tree.trees.svg import draw_tree


class TreePicture(Picture):
    """A drawn tree; notebooks show it by themselves.

    Parameters
    ----------
    svg : str
        The drawing, one ``<svg>`` element.
    caption : str
        A line above it, plain text.
    """

    def __init__(self, svg: str, caption: str = "") -> None:
        super().__init__(svg, caption)

    @property
    def svg(self) -> str:
        """The drawing, one ``<svg>`` element."""
        return self.html


def plot_tree(
    tree: Any,
    values: Sequence[float] | np.ndarray | None = None,
    *,
    titles: Sequence[str] | None = None,
    limit: float | None = None,
    caption: str = "",
) -> TreePicture:
    """Draw a tree, its nodes coloured by numbers if there are any.

    Parameters
    ----------
    tree : Tree or anything that ``Tree.from_any`` reads
        The tree. Beyond 60 leaves small subtrees are folded.
    values : array-like of float, length n_nodes, default=None
        A number per node in preorder, as ``predict_nodes`` returns them: orange when positive,
        blue and dashed when negative.
    titles : sequence of str, length n_nodes, default=None
        Tooltip of each node.
    limit : float, default=None
        The size of number that gets the full colour; None takes the 95th percentile of the sizes.
    caption : str, default=""
        A line above the drawing.

    Returns
    -------
    TreePicture
        Notebooks show it; ``save`` writes it to a file.

    Raises
    ------
    ValueError
        If ``values`` or ``titles`` do not have one entry per node, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import plot_tree
    >>> plot_tree("(S (NP it) (VP works))", [1, 0.2, 0, 0.9, 0.8], caption="a tree")
    TreePicture('a tree')
    """
    values = None if values is None else np.asarray(values, dtype=float).tolist()
    return TreePicture(draw_tree(Tree.from_any(tree), values, titles, limit=limit), caption)
