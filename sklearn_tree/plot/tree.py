"""Pictures of trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.plot.picture import Picture
from sklearn_tree.trees import Tree
from sklearn_tree.trees.svg import draw_tree


class TreePicture(Picture):
    """Drawing of a tree that notebooks display.

    Parameters
    ----------
    svg : str
        The drawing, one ``<svg>`` element.
    caption : str
        Text of the line above the drawing; it is escaped.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_tree.plot import plot_tree
    >>> picture = plot_tree("(S (NP it) (VP works))", [0, 0.2, 0.1, 0.9, 0.8], caption="it works")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     is_file = picture.save(Path(folder) / "tree.svg").is_file()
    >>> picture, is_file
    (TreePicture('it works'), True)
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
    """Draw a tree, optionally with its nodes coloured by numbers.

    Parameters
    ----------
    tree : Tree or anything that ``Tree.from_any`` reads
        The tree. If it has more than 60 leaves or 40 levels, small subtrees are folded.
    values : array-like of float, length n_nodes, default=None
        A number per node in preorder, such as a column of ``predict_nodes``: orange if positive, blue and
        dashed if negative.
    titles : sequence of str, length n_nodes, default=None
        Tooltip of each node.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 95th percentile, at least 5 % of the largest.
    caption : str, default=""
        Text of the line above the drawing.

    Returns
    -------
    TreePicture
        Displayed in notebooks; ``save`` writes it to an HTML or SVG file.

    Raises
    ------
    ValueError
        If ``values`` or ``titles`` does not have one entry per node, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import plot_tree
    >>> plot_tree("(S (NP it) (VP works))", [1, 0.2, 0, 0.9, 0.8], caption="a tree")
    TreePicture('a tree')
    """
    values = None if values is None else np.asarray(values, dtype=float).tolist()
    return TreePicture(draw_tree(Tree.from_any(tree), values, titles, limit=limit), caption)
