"""Colours and escaping of all pictures."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.drawing import (
    AGAINST,
    FOR,
    cut,
    escape,
    fill,
    find_limit,
    find_strengths,
    keep_finite,
    mark,
    scroll,
)

FINITE = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8).map(np.array)


@given(st.text())
def test_escaped_texts_are_well_formed(text):
    element = ElementTree.fromstring(f'<a title="{escape(text)}">{escape(text)}</a>')
    assert len(element) == 0
    escape(text).encode("utf-8")


def test_texts_that_are_not_escaped_are_not_well_formed():  # the control of the law above
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring("<a>\0</a>")
    assert escape("<\0\ud800&") == "&lt;\ufffd\ufffd&amp;"


@given(FINITE)
def test_strengths_are_in_range_and_keep_the_sign(values):
    strengths = find_strengths(values, find_limit(values))
    assert (np.abs(strengths) <= 1).all()
    assert (strengths * values >= 0).all()


def test_the_default_limit_is_a_percentile_then_the_maximum_then_1():
    assert find_limit(np.array([1.0] * 40 + [-10.0])) == 1
    assert find_limit(np.array([0.0] * 40 + [-1000.0])) == 1000
    assert find_limit(np.zeros(3)) == find_limit(np.zeros(0)) == 1
    assert find_limit(np.array([1.0, -3.0]), percentile=100) == 3
    assert find_limit(np.array([1.0, -3.0]), limit=2) == 2


@given(FINITE)
def test_the_default_limit_is_at_least_5_percent_of_the_largest_number(values):
    largest = np.abs(values).max(initial=0)
    assert find_limit(values) >= 0.05 * largest
    assert find_limit(values) <= max(largest, 1)


def test_noise_beside_a_large_number_has_almost_no_colour():
    values = np.array([1e-4] * 40 + [3.0])
    assert np.percentile(values, 95) == 1e-4  # the control: the percentile would colour the noise
    assert find_limit(values) == pytest.approx(0.15)


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf])
def test_invalid_limits_are_refused(limit):
    with pytest.raises(ValueError, match=f"limit must be a positive number, got {limit}"):
        find_limit(np.ones(1), limit)


def test_the_colour_depends_on_the_sign_and_the_opacity_on_the_strength():
    assert fill(1) == f"rgba({FOR}, 0.50)"
    assert fill(-0.5) == f"rgba({AGAINST}, 0.25)"


def test_numbers_that_are_not_finite_become_0():
    assert keep_finite([[1, np.nan], [-np.inf, 2]]).tolist() == [[1, 0], [0, 2]]


def test_long_texts_are_truncated_to_one_line():
    assert cut("a\n b", 3) == "a b"
    assert cut("abcdef", 3) == "ab…"


def test_marks_are_solid_for_positive_and_dashed_for_negative_numbers():
    assert mark(0) == ""
    assert FOR in mark(0.5)
    assert "solid" in mark(0.5)
    assert AGAINST in mark(-0.5)
    assert "dashed" in mark(-0.5)


def test_only_drawings_with_a_known_width_have_a_note_that_they_scroll():
    page = scroll('<svg width="700" height="20"></svg>')
    assert "(692px - 100%)" in page
    assert "scroll \u2192" in page
    assert "scroll \u2192" not in scroll("<div></div>")
    assert page.count('<div style="overflow-x: auto" tabindex="0">') == 1
