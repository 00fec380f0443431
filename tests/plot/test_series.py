"""Line charts of series over coloured strips."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from sklearn_tree.plot import draw_series, plot_series
from sklearn_tree.plot.series import MAX_STRIPS

HOSTILE = "<img src=x onerror=alert(1)>"
NAME = "{http://www.w3.org/2000/svg}"


def find(svg, kind):
    return list(ElementTree.fromstring(svg).iter(NAME + kind))  # well-formed


def strips(svg):
    """Return the number and the opacity of each strip."""
    found = [path for path in find(svg, "path") if path.get("fill-opacity")]
    return [(float(path[0].text.split(": ")[1]), float(path.get("fill-opacity"))) for path in found]


def labels(svg):
    return [text.text for text in find(svg, "text")]


def dashes(svg):
    """Return the dash patterns of the lines below the strips and of the legend."""
    return [
        path.get("stroke-dasharray")
        for path in find(svg, "path")
        if path.get("stroke", "").startswith("rgba")
    ]


def test_each_channel_is_a_line_with_its_total():
    svg = draw_series(
        np.arange(10).reshape(5, 2), [[1, 0], [1, 0], [1, -2], [0, 0], [0, -1]], names=["a", HOSTILE]
    )
    assert len(find(svg, "polyline")) == 2
    assert {"a: +3", f"{HOSTILE}: -3"} <= set(labels(svg))
    assert "<img" not in svg


def test_a_one_dimensional_series_has_one_channel():
    assert draw_series([1, 2, 4], [0, 1, -1]) == draw_series([[1], [2], [4]], [[0], [1], [-1]])
    assert draw_series([1, 2, 4], [0, 1, -1]) != draw_series([1, 2, 4], [0, 1, 1])


def test_all_channels_have_the_same_scale():
    svg = draw_series(np.zeros((2, 2)), [[1.0, 0.5], [0, -0.25]], limit=1)
    assert strips(svg) == [(1.0, 0.5), (0.5, 0.25), (-0.25, 0.12)]


def test_strengths_are_scaled_and_clipped_by_the_limit():
    assert strips(draw_series([0, 0], [5, 1], limit=1)) == [(5, 0.5), (1, 0.5)]
    assert strips(draw_series([0, 0], [5, 1], limit=5)) == [(5, 0.5), (1, 0.1)]


def test_only_negative_lines_are_dashed():
    assert dashes(draw_series([0, 0], [1, 2])) == [None, "4 2", None]  # the last two are the legend's
    assert dashes(draw_series([0, 0], [-1, -2])) == ["4 2", "4 2", None]


def test_neighbours_of_the_same_sign_share_a_line():
    assert len(dashes(draw_series(np.zeros(6), [1, 1, 0, 1, -1, -1]))) == 3 + 2


def test_long_series_are_summed_over_neighbouring_steps():
    rng = np.random.default_rng(0)
    values = rng.random(5000)
    svg = draw_series(rng.normal(size=5000), values)
    assert len(strips(svg)) == MAX_STRIPS
    assert sum(value for value, _ in strips(svg)) == pytest.approx(
        values.sum(), rel=1e-2
    )  # three digits each
    assert f"channel 0: {values.sum():+.3g}" in labels(svg)
    assert len(svg) < 100_000


@pytest.mark.parametrize("n_steps", [1, MAX_STRIPS - 1, MAX_STRIPS, MAX_STRIPS + 1, 2 * MAX_STRIPS])
def test_strips_cover_the_series_without_gaps(n_steps):
    svg = draw_series(np.zeros(n_steps), np.ones(n_steps))
    edges = re.findall(r'd="M([\d.]+) 0H([\d.]+)V', svg)
    assert len(edges) == min(n_steps, MAX_STRIPS)
    assert edges[0][0] == "0.0"
    assert edges[-1][1] == "720.0"
    assert all(end == start for (_, end), (start, _) in pairwise(edges))


def test_spikes_of_long_series_are_drawn():
    def height(series):
        points = find(draw_series(series, np.zeros(len(series))), "polyline")[0].get("points").split()
        return np.ptp([float(point.split(",")[1]) for point in points])

    spike = np.zeros(5000)
    assert height(spike) == 0
    spike[2501] = 1
    assert height(spike) == pytest.approx(36)


@pytest.mark.parametrize("n_steps", [1, 2, 9, 10, 11, 99, 100, 101, 12345])
def test_an_axis_has_at_most_ten_ticks(n_steps):
    ticks = [
        int(text) for text in labels(draw_series(np.zeros(n_steps), np.zeros(n_steps))) if text.isdigit()
    ]
    ticks = ticks[2:]  # without the minimum and the maximum of the channel
    assert ticks[0] == 0
    assert len(ticks) <= 10
    assert ticks[-1] < n_steps


def test_files_are_self_contained(tmp_path):
    picture = plot_series([1, 2], [1, np.nan], names=[HOSTILE], caption=HOSTILE)
    assert picture.save(tmp_path / "a.svg").read_text() == picture.html
    page = picture.save(tmp_path / "a.html").read_text()
    assert "<img" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2]], [1, 2]), r"values must have the shape of series: \(1, 2\), got \(2,\)"),
        (([1, 2], [1]), r"values must have the shape of series: \(2,\), got \(1,\)"),
        (([], []), r"series must have shape \(n_steps, n_channels\) or \(n_steps,\), got \(0,\)"),
        ((np.zeros((1, 1, 1)), np.zeros((1, 1, 1))), r"series must have shape .*, got \(1, 1, 1\)"),
        (([1, np.nan], [1, 2]), "series must be finite, got NaN or infinity"),
    ],
)
def test_invalid_series_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_series(*arguments)


def test_names_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match="names must have one entry per channel: 1, got 2"):
        draw_series([1, 2], [1, 2], names=["a", "b"])
