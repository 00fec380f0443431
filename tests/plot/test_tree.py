"""Pictures of trees."""

import pytest

from sklearn_tree.plot import Picture, TreePicture, plot_tree


def test_files_are_self_contained_and_escaped(tmp_path):
    picture = plot_tree(("S", "<script>"), [1, -1], caption="<b>")
    page = picture.save(tmp_path / "tree.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    svg = picture.save(tmp_path / "tree.svg").read_text()
    assert svg.startswith("<svg")
    assert svg in picture._repr_html_()


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.html or \.svg"):
        plot_tree("(S a)").save(tmp_path / "tree.png")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_a_tree_is_a_picture():
    picture = plot_tree("(S a)", caption="one")
    assert isinstance(picture, Picture)
    assert picture.svg == picture.html
    assert repr(picture) == "TreePicture('one')"
    assert repr(TreePicture(svg="<svg/>")) == "TreePicture()"


def test_the_limit_is_used():
    assert plot_tree("(S a)", [1, 9], limit=1).svg != plot_tree("(S a)", [1, 9], limit=9).svg
    with pytest.raises(ValueError, match="limit must be a positive number, got 0"):
        plot_tree("(S a)", [1, 9], limit=0)
