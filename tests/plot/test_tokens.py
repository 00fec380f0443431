"""Texts with their tokens coloured by numbers."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.plot import draw_tokens, plot_tokens
from sklearn_tree.plot.tokens import draw_tokens_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<img src=x onerror=alert(1)>"


def spans(html):
    return list(ElementTree.fromstring(html).iter("span"))  # well-formed


def backgrounds(html):
    found = (
        re.search(r"background: rgba\((\d+), \d+, \d+, ([\d.]+)\)", span.get("style")) for span in spans(html)
    )
    return [match and (match[1], float(match[2])) for match in found]


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1)))
def test_tokens_are_drawn_in_order(tokens):
    shown = spans(draw_tokens(tokens, np.arange(len(tokens)) - 1.0))
    assert [span.text for span in shown] == tokens


@given(st.lists(st.text(st.characters(), max_size=4)))
def test_all_tokens_are_visible_and_well_formed(tokens):
    html = draw_tokens(tokens, np.ones(len(tokens)))
    assert len(spans(html)) == len(tokens)
    assert all(span.text for span in spans(html))
    html.encode("utf-8")


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (HOSTILE, HOSTILE),
        ("", "∅"),
        ("  ", "␣␣"),
        (" lead", " lead"),
        ("\n", r"\n"),
        ("a\tb", r"a\tb"),
        ("\0", r"\x00"),
        ("\x85", r"\x85"),
        ("\u202eevil", r"\u202eevil"),
        ("שלום", "שלום"),
        ("\ud800", "\ufffd"),
    ],
)
def test_invisible_characters_are_written_as_escape_sequences(token, shown):
    assert [span.text for span in spans(draw_tokens([token], [1]))] == [shown]


def test_tokens_and_captions_are_escaped(tmp_path):
    page = (
        plot_tokens([HOSTILE, '" onload="'], [1, -1], caption=HOSTILE).save(tmp_path / "a.html").read_text()
    )
    assert "<img" not in page
    assert 'onload="' not in page
    assert page.count("&lt;img") == 4  # title of the page, caption, tooltip and text
    assert "http" not in page


def test_colours_and_lines_show_size_and_sign():
    html = draw_tokens(["a", "b", "c"], [1, 0, -0.5], limit=1)
    assert backgrounds(html) == [("230", 0.5), None, ("40", 0.25)]
    a, b, c = (span.get("style") for span in spans(html))
    assert "2px solid" in a
    assert "border" not in b
    assert "2px dashed" in c


def test_strengths_are_scaled_and_clipped_by_the_limit():
    assert backgrounds(draw_tokens(["a", "b"], [1, 9], limit=1)) == [("230", 0.5)] * 2
    assert backgrounds(draw_tokens(["a", "b"], [1, 9], limit=9))[0] == ("230", 0.06)


def test_the_default_limit_is_robust_to_one_large_number():
    assert backgrounds(draw_tokens(["a"] * 100, [1] * 99 + [10]))[0] == ("230", 0.5)
    assert backgrounds(draw_tokens(["a"] * 100, [1] * 99 + [1000], limit=1000))[0] == ("230", 0.0)


def test_numbers_that_are_not_finite_count_as_zero_and_are_shown_in_tooltips():
    html = draw_tokens(["a", "b", "c"], [np.nan, np.inf, 1])
    assert backgrounds(html) == [None, None, ("230", 0.5)]
    assert spans(html)[0].get("title") == "'a' +nan"


@pytest.mark.parametrize("values", [[], [0.0], [1e308], [5e-324], [np.nan]])
def test_extreme_numbers_are_drawn(values):
    assert len(spans(draw_tokens(["a"] * len(values), values))) == len(values)


def test_drawings_of_two_thousand_tokens_are_small():
    html = draw_tokens(["token"] * 2000, np.linspace(-1, 1, 2000))
    assert len(spans(html)) == 2000
    assert len(html) < 500_000


@pytest.mark.parametrize("values", [[1], [[1, 2]], 1, []])
def test_values_of_the_wrong_shape_are_refused(values):
    with pytest.raises(ValueError, match=r"values must have one entry per token: shape \(2,\), got \("):
        draw_tokens(["a", "b"], values)


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf])
def test_invalid_limits_are_refused(limit):
    with pytest.raises(ValueError, match=f"limit must be a positive number, got {limit}"):
        plot_tokens(["a"], [1], limit=limit)


def place_words(tokens, **params):
    """Return the words of a text in SVG with the coordinates of their centres."""
    root = ElementTree.fromstring(draw_tokens_svg(tokens, np.zeros(len(tokens)), **params))
    return [(text.text, float(text.get("x")), float(text.get("y"))) for text in root.iter(f"{SVG}text")]


def test_words_in_svg_are_in_order_and_wrapped():
    words = place_words(["word"] * 100)
    assert len({y for _, _, y in words}) > 3
    assert [(y, x) for _, x, y in words] == sorted((y, x) for _, x, y in words)
    assert max(x for _, x, _ in words) < 720


def test_texts_in_svg_from_right_to_left_begin_on_the_right():
    for tokens, is_mirrored in ((["1", "\u05e9", "good"], True), (["1", "good", "\u05e9"], False)):
        x = [x for _, x, _ in place_words(tokens)]
        assert x == sorted(x, reverse=is_mirrored)


def test_punctuation_in_svg_is_as_close_as_in_the_text():
    spaced, close = (place_words(["a", ","], gaps=gaps)[1][1] for gaps in (["", " ", ""], ["", "", ""]))
    assert spaced > close


def test_hidden_characters_and_long_words_in_svg_are_visible():
    words = [word for word, _, _ in place_words(["\u202e", " ", "x" * 500, "<b>"])]
    assert words[0] == "\\u202e"
    assert words[1] == "\u2423"
    assert len(words[2]) == 60
    assert words[3] == "<b>"
