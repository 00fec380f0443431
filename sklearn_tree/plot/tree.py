"""``plot_tree``: the picture of a tree, for notebooks and as a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_tree.trees import Tree
from sklearn_tree.trees.svg import draw_tree, escape

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{caption}</title>
<style>:root {{ color-scheme: light dark; }} body {{ font: 15px system-ui, sans-serif; margin: 2em; }}</style>
</head><body>
{body}
</body></html>
"""


class TreePicture:
    """A drawn tree; notebooks show it by themselves.

    Parameters
    ----------
    svg : str
        The drawing, one ``<svg>`` element.
    caption : str
        A line above it, plain text.
    """

    def __init__(self, svg: str, caption: str = "") -> None:
        self.svg = svg
        self.caption = caption

    def _repr_html_(self) -> str:
        caption = f"<p>{escape(self.caption)}</p>" if self.caption else ""
        return f'{caption}<div style="overflow-x: auto">{self.svg}</div>'

    def save(self, path: str | os.PathLike) -> Path:
        """Write the picture as a file that needs nothing else.

        Parameters
        ----------
        path : str or path-like
            ``.svg`` writes the bare drawing, ``.html`` a page.

        Returns
        -------
        pathlib.Path
            The absolute path written.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        """
        path = Path(path)
        if path.suffix not in (".html", ".svg"):
            raise ValueError(f"path must end in .html or .svg, got {str(path)!r}")
        page = _PAGE.format(caption=escape(self.caption), body=self._repr_html_())
        path.write_text(self.svg if path.suffix == ".svg" else page, encoding="utf-8")
        return path.resolve()

    def __repr__(self) -> str:
        return f"TreePicture({self.caption!r})" if self.caption else "TreePicture()"


def plot_tree(
    tree: Any,
    values: Sequence[float] | np.ndarray | None = None,
    *,
    titles: Sequence[str] | None = None,
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
    caption : str, default=""
        A line above the drawing.

    Returns
    -------
    TreePicture
        Notebooks show it; ``save`` writes it to a file.

    Raises
    ------
    ValueError
        If ``values`` or ``titles`` do not have one entry per node.

    Examples
    --------
    >>> from sklearn_tree.plot import plot_tree
    >>> plot_tree("(S (NP it) (VP works))", [1, 0.2, 0, 0.9, 0.8], caption="a tree")
    TreePicture('a tree')
    """
    values = None if values is None else np.asarray(values, dtype=float).tolist()
    return TreePicture(draw_tree(Tree.from_any(tree), values, titles), caption)
