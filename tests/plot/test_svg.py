"""Drawings stacked in one SVG image."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.drawing import measure_svg
from sklearn_tree.plot import draw_bars, draw_legend, draw_series
from sklearn_tree.plot.image import draw_image_svg
from sklearn_tree.plot.svg import frame_svg, stack_svg, wrap_svg, write_svg_lines
from sklearn_tree.plot.tokens import draw_tokens_svg
from sklearn_tree.trees import Tree
from sklearn_tree.trees.svg import draw_tree

NESTED = "{http://www.w3.org/2000/svg}svg"


def test_stacked_drawings_do_not_overlap():
    drawings = [draw_bars(["a", "b"], [1, 2]), draw_legend(1), write_svg_lines("a text")]
    root = ElementTree.fromstring(stack_svg(drawings))
    parts = root.findall(NESTED)
    assert len(parts) == 3
    ends = [int(part.get("y")) + int(part.get("height")) for part in parts]
    assert all(int(part.get("y")) > end for part, end in zip(parts[1:], ends))
    assert int(root.get("height")) == ends[-1]
    assert int(root.get("width")) == max(int(part.get("width")) for part in parts)


def test_a_frame_has_a_background_and_a_text_colour_of_its_own():
    framed = frame_svg(write_svg_lines("a"))
    assert ElementTree.fromstring(framed)[0].get("fill") == "#fff"
    assert "color: #111" in framed
    assert measure_svg(framed)[0] == measure_svg(write_svg_lines("a"))[0] + 24


@given(st.text(max_size=600))
def test_any_text_is_written_on_at_most_four_lines(text):
    root = ElementTree.fromstring(write_svg_lines(text))
    assert 1 <= len(root) <= 4
    assert all(len(line.text or "") <= 100 for line in root)


def test_drawings_without_a_size_are_not_measured():
    assert measure_svg(wrap_svg(7, 8, "")) == (7, 8)
    assert measure_svg("<svg><g/></svg>") is None
    assert measure_svg("<div><svg></svg></div>") is None
    with pytest.raises(AssertionError, match="a width and a height"):
        stack_svg(["<div></div>"])


def test_images_have_a_name_for_screen_readers():
    drawings = {
        "bars: a +1, b -0.5": draw_bars(["a", "b"], [1, -0.5]),
        "series of 3 steps; x +2": draw_series([1, 2, 3], [1, 0, 1], names=["x"], legend=False),
        "a &lt;b&gt; &quot;c&quot;": draw_tokens_svg(["a", "<b>", '"c"'], [1, 0, 0]),
        "the input, and attributions from +0 to +1, sum +2": draw_image_svg(np.ones((2, 2)), np.eye(2)),
        "colours from against -1 to +1 for": draw_legend(1),
        "tree: it works": draw_tree(Tree.from_any("(S it works)")),
        "a text": write_svg_lines("a text"),
    }
    for label, svg in drawings.items():
        assert f'role="img" aria-label="{label}"' in svg
    assert 'role="group"' in stack_svg(drawings.values()).partition(">")[0]
