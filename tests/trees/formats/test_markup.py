"""XML and HTML elements as trees."""

from xml.etree import ElementTree

import pytest

from sklearn_tree import Tree, TreeParser

XML = "<a xmlns='u' x='1.5' y='007'> one\n two<b/><!-- c -->tail <b>3</b> </a>"


def test_attributes_texts_and_numbers_are_kept():
    tree = Tree.from_any(ElementTree.fromstring(XML))
    assert tree.labels == ("a", "number", "007", "one two", "b", "tail", "b", "number")
    assert tree.values == (None, 1.5, None, None, None, None, None, 3.0)
    assert tree.edges == (None, "x", "y", None, None, None, None, None)
    assert Tree.from_any(ElementTree.ElementTree(ElementTree.fromstring(XML))) == tree


def test_lxml_and_soups_agree_with_elementtree():
    etree, bs4 = pytest.importorskip("lxml.etree"), pytest.importorskip("bs4")
    expected = Tree.from_any(
        ElementTree.fromstring("<a x='1.5' y='u v'>one<b/>t<!-- c -->ail<i:d xmlns:i='u'/></a>")
    )
    text = "<a x='1.5' y='u v'>one<b></b>t<!-- c -->ail<i:d xmlns:i='u'/></a>"
    assert Tree.from_any(etree.fromstring(text)) == expected
    assert Tree.from_any(etree.ElementTree(etree.fromstring(text))) == expected
    soup = bs4.BeautifulSoup(
        "<!doctype html><a x='1.5' y='u v'>one<b></b>t<!-- c -->ail<d></d></a>", "html.parser"
    )
    assert Tree.from_any(soup) == Tree.from_any(soup.a) == expected
    assert Tree.from_any(bs4.BeautifulSoup("<p>x</p><p class='u v'>y", "html.parser")).labels == (
        "[document]", "p", "x", "p", "u v", "y",
    )  # fmt: skip


def test_objectified_elements_agree_with_elementtree():
    objectify = pytest.importorskip("lxml.objectify")
    text = "<a x='1'><b>2</b><b>t</b><c/></a>"
    assert Tree.from_any(objectify.fromstring(text)) == Tree.from_any(ElementTree.fromstring(text))


def test_texts_of_a_soup_are_kept_except_in_scripts_and_styles():
    bs4 = pytest.importorskip("bs4")
    text = (
        "<p>a<ruby>b<rt>c</rt><rp>(</rp></ruby><template>d</template><script>e</script><style>f</style>"
        "<textarea>g</textarea>h<!-- i -->j</p>"
    )
    tree = Tree.from_any(bs4.BeautifulSoup(text, "html.parser"))
    assert tree == TreeParser("html").transform([text])[0]
    assert [tree.labels[i] for i in tree.leaves] == ["a", "b", "c", "(", "d", "script", "style", "g", "hj"]


def test_comments_and_empty_documents_are_refused():
    lxml = pytest.importorskip("lxml.etree")
    for comment in (ElementTree.Comment("c"), lxml.Comment("c")):
        with pytest.raises(ValueError, match="expected an element or a document, got a comment"):
            Tree.from_any(comment)
    with pytest.raises(ValueError, match="must have a root element, got none"):
        Tree.from_any(ElementTree.ElementTree())
