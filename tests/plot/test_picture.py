"""Pictures in notebooks and files, and the legend of their colours."""

import os
from xml.etree import ElementTree

import pytest

from sklearn_tree.plot import Picture, draw_bars, draw_legend

NAMESPACE = "{http://www.w3.org/2000/svg}"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>'


def test_pages_are_self_contained_and_follow_the_theme(tmp_path):
    path = Picture("<b>hello</b>", caption="<i>").save(tmp_path / "a.html")
    page = path.read_text()
    assert path.is_absolute()
    assert "<b>hello</b>" in page
    assert page.count("&lt;i&gt;") == 2  # the title of the page and the caption
    assert "color-scheme: light dark" in page
    assert "http" not in page
    assert "<script" not in page


def test_one_svg_element_can_be_written_to_a_file(tmp_path):
    assert Picture(SVG).save(tmp_path / "a.svg").read_text() == SVG


@pytest.mark.parametrize(
    "html", ["<b>hello</b>", SVG + SVG, f"<div>{SVG}</div>", "<svg><g/></svg>", "text", ""]
)
def test_other_drawings_cannot_be_written_as_svg(tmp_path, html):
    with pytest.raises(
        ValueError, match=r"path must end in \.html unless the picture is one <svg> element, got .*a\.svg"
    ):
        Picture(html).save(tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []


def test_pictures_in_svg_are_offered_to_viewers_without_html(tmp_path):
    drawing = draw_bars(["<a>", "b"], [1, -1])
    bundle = Picture(drawing, caption="two <bars>")._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain", "image/svg+xml"}
    texts = [text.text for text in ElementTree.fromstring(bundle["image/svg+xml"]).iter(f"{NAMESPACE}text")]
    assert texts[0] == "two <bars>"
    assert "<a>" in texts
    assert "image/svg+xml" not in Picture("<div></div>")._repr_mimebundle_()  # the control


def test_a_picture_in_html_may_have_a_drawing_in_svg(tmp_path):
    picture = Picture("<div></div>", svg=lambda: SVG)
    assert picture._repr_mimebundle_()["image/svg+xml"] == SVG
    assert picture.save(tmp_path / "a.svg").read_text() == SVG
    assert "<div></div>" in picture.save(tmp_path / "a.html").read_text()


def test_a_failed_write_leaves_the_old_file_unchanged(tmp_path):
    path = Picture("old").save(tmp_path / "a.html")
    old = path.read_text()
    with pytest.raises(UnicodeEncodeError):
        Picture("half \ud800").save(path)
    assert path.read_text() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path must be in an existing folder, got .*none.a\.html"):
        Picture("a").save(tmp_path / "none" / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_symbolic_links_are_followed(tmp_path):
    (tmp_path / "link.html").symlink_to(tmp_path / "target.html")
    assert Picture("new").save(tmp_path / "link.html") == (tmp_path / "target.html").resolve()
    assert (tmp_path / "link.html").is_symlink()


def test_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    path = Picture("a").save(os.fspath(tmp_path / "a.html"))
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_legend_shows_both_limits_and_the_unit():
    root = ElementTree.fromstring(draw_legend(0.5, "<bits>"))
    assert [text.text for text in root.iter("text")] == ["against -0.5", "+0.5 <bits> for"]
    assert "http" not in draw_legend(0.5)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ["against -0.5", "+0.5 for"]),
        ([-0.5, 0.5], ["against -0.5", "+0.5 for"]),
        ([0.1, 3.31], ["against -0.5", "≥ +0.5 for (max +3.31)"]),
        ([-3.31, 0.1], ["(min -3.31) against ≤ -0.5", "+0.5 for"]),
        ([[-2, 1]], ["(min -2) against ≤ -0.5", "≥ +0.5 for (max +1)"]),
        ([float("nan"), float("inf"), 0.5], ["against -0.5", "+0.5 for"]),
    ],
)
def test_the_legend_shows_the_numbers_beyond_the_limit(values, shown):
    root = ElementTree.fromstring(draw_legend(0.5, values=values))
    assert [text.text for text in root.iter("text")] == shown


def test_only_negative_colours_are_dashed_in_the_legend():
    against, for_ = ElementTree.fromstring(draw_legend(1)).iter("path")
    assert "stroke-dasharray" in against.attrib
    assert "stroke-dasharray" not in for_.attrib
