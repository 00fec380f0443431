"""Bar charts are sorted and complete."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from sklearn_tree.plot import draw_bars, plot_importances

HOSTILE = "<img src=x onerror=alert(1)>"
NAME = "{http://www.w3.org/2000/svg}"


def find(svg, kind):
    return list(ElementTree.fromstring(svg).iter(NAME + kind))  # well-formed


def rows(svg):
    """Return the name and the number of each row."""
    titles = [title.text.rsplit(" ", 1) for title in find(svg, "title")]
    return [(name, float(value)) for name, value in titles]


def lengths(svg):
    return [float(rect.get("width")) for rect in find(svg, "rect")]


@given(st.lists(st.integers(-99, 99), max_size=30), st.integers(1, 30))
def test_bars_are_sorted_by_size_and_sum_to_the_total(values, max_bars):
    shown = rows(draw_bars([f"n{i}" for i in range(len(values))], values, max_bars=max_bars))
    sizes = [abs(value) for name, value in shown if "other" not in name]
    assert sizes == sorted(map(abs, values), reverse=True)[:max_bars]
    assert sum(value for _, value in shown) == pytest.approx(sum(values), rel=1e-2)  # three digits each


def test_the_remaining_numbers_are_summed():
    assert rows(draw_bars(list("abcd"), [1, -5, 2, 3], max_bars=2)) == [("b", -5), ("d", 3), ("2 others", 3)]
    assert rows(draw_bars(list("abc"), [1, -5, 2], max_bars=2))[-1] == ("1 other", 1)
    assert rows(draw_bars(list("ab"), [1, -5], max_bars=2)) == [("b", -5), ("a", 1)]


def test_negative_bars_point_to_the_left_and_are_dashed():
    svg = draw_bars(["a", "b"], [2, -1])
    right, left = find(svg, "rect")
    assert float(left.get("x")) + float(left.get("width")) == pytest.approx(float(right.get("x")))
    assert "stroke-dasharray" in left.attrib
    assert "stroke-dasharray" not in right.attrib
    assert lengths(svg) == [180, 90]


def test_bars_of_one_sign_use_the_full_width():
    assert lengths(draw_bars(["a", "b"], [2, 1])) == [360, 180]


def test_lengths_are_scaled_and_clipped_by_the_limit():
    assert lengths(draw_bars(["a", "b"], [9, 1], limit=1)) == [180, 180]
    assert lengths(draw_bars(["a", "b"], [9, 1], limit=9)) == [180, 20]


def test_a_break_marks_bars_that_are_cut():
    broken = 'fill="none" stroke="currentColor" stroke-width="1.5"'
    assert draw_bars(["a", "b", "c"], [9, 1, -2], limit=1).count(broken) == 2
    assert broken not in draw_bars(["a", "b", "c"], [9, 1, -9], limit=9)
    assert broken not in draw_bars(["a", "b", "c"], [9, 1, -2])


def test_with_a_limit_the_zero_line_is_in_the_middle():
    axis = [draw_bars(["a"], [value], limit=9).split('<path d="M')[1].split()[0] for value in (1, -1)]
    assert axis[0] == axis[1]


def test_numbers_that_are_not_finite_count_as_zero():
    assert rows(draw_bars(["a", "b", "c"], [np.nan, 1, np.inf])) == [("b", 1), ("a", 0), ("c", 0)]


def test_an_explainer_and_its_names_and_numbers_give_the_same_picture():
    names, values = ["a", "b"], np.array([0.25, 0.75])
    explainer = SimpleNamespace(feature_importances_=values, get_feature_names_out=lambda: np.array(names))
    assert plot_importances(explainer).html == plot_importances(names, values).html
    assert plot_importances(explainer).html != plot_importances(names, values[::-1]).html


def test_names_are_truncated_and_escaped():
    svg = draw_bars([HOSTILE * 9, "特徴" * 9, "a\0"], [1, 2, 3])
    assert "<img" not in svg
    texts = [text.text for text in find(svg, "text")]
    assert max(map(len, texts)) == 32
    assert {"特徴" * 9, "a\ufffd"} <= set(texts)


def test_wide_characters_get_more_room():
    def width(name):
        return int(re.search(r' width="(\d+)"', draw_bars([name], [1]))[1])

    assert width("特徴") == width("abcd") > width("ab")


def test_files_are_self_contained(tmp_path):
    picture = plot_importances([HOSTILE], [1], caption=HOSTILE)
    assert picture.save(tmp_path / "a.svg").read_text() == picture.html
    page = picture.save(tmp_path / "a.html").read_text()
    assert "<img" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("values", [[1], [[1, 2]]])
def test_values_of_the_wrong_shape_are_refused(values):
    with pytest.raises(ValueError, match=r"values must have one entry per name: shape \(2,\), got \("):
        draw_bars(["a", "b"], values)


def test_an_invalid_number_of_bars_is_refused():
    with pytest.raises(ValueError, match="max_bars must be an int >= 1, got 0"):
        plot_importances(["a"], [1], max_bars=0)


@pytest.mark.parametrize("explainer", [["a", "b"], RandomForestClassifier()])
def test_names_without_values_are_refused(explainer):
    kind = type(explainer).__name__
    message = r"must have feature_importances_ and get_feature_names_out\(\) if values is None, got " + kind
    with pytest.raises(TypeError, match=message):
        plot_importances(explainer)
