"""Drawings that are displayed in notebooks and written to files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sklearn_tree.drawing import CHAR, FONT, OPACITY, escape, fill, keep_finite, scroll
from sklearn_tree.plot.svg import frame_svg, stack_svg, underline, write_svg_lines, write_text

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{caption}</title>
<style>:root {{ color-scheme: light dark; }}
body {{ font: 15px system-ui, sans-serif; margin: min(2em, 4vw); }}</style>
</head><body>
{body}
</body></html>
"""

_STYLE = (
    "<style>.sklt-outline ul { list-style: none; margin: 0; padding-left: 1.3em; }"
    ".sklt-outline summary { cursor: pointer; }"
    ".sklt-outline details[open] > summary > small { display: none; }"
    ".sklt-legend > svg { max-width: 100%; height: auto; }"
    "@media print { .sklt svg { max-width: 100% !important; height: auto; } }"
    "@media print { .sklt [role=note] { display: none; } }"
    "</style>"
)


class Picture:
    """Drawing that notebooks display.

    Parameters
    ----------
    html : str
        The drawing, as HTML or as one ``<svg>`` element. It is not escaped.
    caption : str
        Text of the line above the drawing; it is escaped.
    svg : callable, default=None
        Function without parameters that returns the drawing as one ``<svg>`` element with a width and a
        height, for files and for viewers that show no HTML. None if ``html`` is such an element or the
        picture has no drawing in SVG.

    Examples
    --------
    >>> from sklearn_tree.plot import Picture
    >>> Picture("<b>hello</b>", caption="a greeting")
    Picture('a greeting')
    """

    def __init__(self, html: str, caption: str = "", svg: Callable[[], str] | None = None) -> None:
        self.html = html
        self.caption = caption
        self._svg = svg

    def _repr_html_(self) -> str:
        caption = f"<p>{escape(self.caption)}</p>" if self.caption else ""
        return f'{_STYLE}<div class="sklt">{caption}{scroll(self.html)}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        if self._svg is not None:
            bundle["image/svg+xml"] = self._svg()
        elif _is_svg(self.html):
            caption = [write_svg_lines(self.caption)] if self.caption else []
            bundle["image/svg+xml"] = frame_svg(stack_svg([*caption, self.html]))
        return bundle

    def save(self, path: str | os.PathLike) -> Path:
        """Write the picture to a self-contained file.

        Parameters
        ----------
        path : str or path-like
            Path of the file. ``.html`` writes a page; ``.svg`` writes the drawing, which explanations, trees,
            series and importances have in SVG.

        Returns
        -------
        pathlib.Path
            Absolute path of the file.

        Raises
        ------
        ValueError
            If the path has another suffix, or ends in ``.svg`` and the picture has no drawing in SVG.
        FileNotFoundError
            If the folder does not exist.
        """
        path = Path(path)
        if path.suffix not in (".html", ".svg"):
            raise ValueError(f"path must end in .html or .svg, got {str(path)!r}")
        if path.suffix == ".svg" and self._svg is None and not _is_svg(self.html):
            raise ValueError(
                f"path must end in .html unless the picture is one <svg> element, got {str(path)!r}; "
                "summaries, for example, are pages"
            )
        if not path.resolve().parent.is_dir():
            raise FileNotFoundError(f"path must be in an existing folder, got {str(path)!r}")
        if path.suffix == ".html":
            text = _PAGE.format(caption=escape(self.caption), body=self._repr_html_())
        else:
            text = self.html if self._svg is None else self._svg()
        return _write(path.resolve(), text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.caption!r})" if self.caption else f"{type(self).__name__}()"


def draw_legend(
    limit: float,
    unit: str = "",
    *,
    values: Any = (),
    words: tuple[str, str] = ("against", "for"),
    opacity: float = OPACITY,
) -> str:
    """Draw a legend of the colours.

    Parameters
    ----------
    limit : float
        Absolute value that gets the full colour.
    unit : str, default=""
        Unit of the numbers; it is escaped.
    values : array-like of float, default=()
        The coloured numbers. The legend shows their minimum or maximum if it is beyond the limit.
    words : tuple of str, default=("against", "for")
        Meaning of negative and of positive numbers; both are escaped.
    opacity : float, default=0.5
        Opacity of the strongest colour.

    Returns
    -------
    str
        One ``<svg>`` element: dashed blue for negative numbers ("against"), orange for positive ones ("for").

    Examples
    --------
    >>> from sklearn_tree.plot import draw_legend
    >>> "+0.5 bits" in draw_legend(0.5, "bits")
    True
    >>> "\u2265 +0.5 for (max +3)" in draw_legend(0.5, values=[0.1, 3.0])
    True
    """
    numbers = keep_finite(values)
    low, high = numbers.min(initial=0), numbers.max(initial=0)
    left, right = f"{words[0]} {-limit:.3g}", f"{f'{limit:+.3g} {unit}'.strip()} {words[1]}"
    if high > limit:
        right = f"\u2265 {right} (max {high:+.3g})"
    if low < -limit:
        left = f"(min {low:.3g}) {words[0]} \u2264 {-limit:.3g}"
    zero, side, n = CHAR * len(left) + 76, 14, 5
    colours = [(zero + i * side, fill((i + 0.5) / n, opacity)) for i in range(-n, n)]
    boxes = "".join(
        f'<rect x="{x:.1f}" y="4" width="{side}" height="14" fill="{colour}"/>' for x, colour in colours
    )
    end = zero + n * side
    width = round(end + 6 + CHAR * (len(right) + 1))
    return (
        f'<svg viewBox="0 0 {width} 24" width="{width}" height="24" role="img" '
        f'aria-label="{escape(f"colours from {left} to {right}")}" style="{FONT}">{boxes}'
        f"{underline(zero - n * side, zero, 19, -1)}{underline(zero, end, 19, 1)}"
        f"{write_text(zero - n * side - 6, 15, left, 'end')}{write_text(end + 6, 15, right)}</svg>"
    )


def _is_svg(html: str) -> bool:
    """Return whether a drawing is one ``<svg>`` element with a namespace."""
    try:
        return ElementTree.fromstring(html).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (drawn here)
    except ElementTree.ParseError:
        return False


def _write(path: Path, text: str) -> Path:
    """Write a temporary file and rename it, so that readers see the old or the new file and never a part."""
    unfinished = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
