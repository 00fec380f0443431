"""Drawings stacked in one SVG image."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.drawing import measure_svg
from sklearn_tree.plot import draw_bars, draw_legend
from sklearn_tree.plot.svg import frame_svg, stack_svg, wrap_svg, write_svg_lines

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
