"""Drawings of which the reader sees one at a time, without scripts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sklearn_tree.drawing import escape

MAX_CHOICES = 5
_NBSP = "\u00a0"  # keeps a button and its name on one line
_RULES = ", ".join(
    f".sklt-switch > input:nth-of-type({i}):not(:checked) ~ section:nth-of-type({i})"
    for i in range(1, MAX_CHOICES + 1)
)
_LABEL = ".sklt-switch > label { margin-right: 1em; overflow-wrap: anywhere; }"
_STYLE = f"<style>{_RULES} {{ display: none; }} {_LABEL}</style>"


def draw_switch(names: Sequence[str], drawings: Sequence[str]) -> str:
    """Draw a row of radio buttons that select one of several drawings, the first one initially.

    Pages that remove styles or forms show the names and all drawings below each other.

    Parameters
    ----------
    names : sequence of str, length n_drawings
        Names of the drawings, at most five; they are escaped.
    drawings : sequence of str, length n_drawings
        HTML of the drawings.

    Returns
    -------
    str
        HTML without scripts. Its ids are random, so that pictures on one page do not interact.
    """
    group = f"sklt-{uuid.uuid4().hex}"
    buttons = [
        f'<input type="radio" name="{group}" id="{group}-{i}"{" checked" * (i == 0)}>'
        f'<label for="{group}-{i}">{_NBSP}{escape(name).replace(" ", _NBSP)}</label>\n'
        for i, name in enumerate(names)
    ]
    sections = [f"<section>{drawing}</section>" for drawing in drawings]
    return f'{_STYLE}<div class="sklt-switch">{"".join(buttons)}{"".join(sections)}</div>'
