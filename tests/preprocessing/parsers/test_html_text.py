"""The parser of HTML."""

import pytest

from sklearn_tree import Tree, TreeParser

N = 100_000


def parse(text):
    return TreeParser("html", split=None).transform([text])[0]


@pytest.mark.parametrize(
    ("text", "brackets"),
    [
        ("<p>one<p>two", "([document] (p one) (p two))"),
        ("<ul class=m><li>1.5<li>b<ul><li>c</ul></ul>", "(ul m (li number) (li b (ul (li c))))"),
        ("<table><tr><td>a<td>b<tr><td><p>c</table>", "(table (tr (td a) (td b)) (tr (td (p c))))"),
        ("<b><i>x</b>y</i>z", r"([document] (b (i x)) yz)"),
        ("<div><br><img src='a>b'>x</div></p>", "(div br (img a>b) x)"),
        ("<!doctype html><!-- a --><HTML><P>a<!-- b -->b</P></html>", "(html (p ab))"),
        ("<script>if (a<b) '</div>'</script>", "(script)"),
        ("<title>a <b> &amp; c</title>", r"(title a\ <b>\ &\ c)"),
        ("1 < 2 & 3 <4", r"([document] 1\ <\ 2\ &\ 3\ <4)"),
        ("<p hidden a='1' A=2>&eacute;", "(p \\- number é)"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "(dl (dt a) (dd b) (dt c))"),
        ("&#" + "9" * 5000 + ";x", "([document] \ufffdx)"),
        ("<a", "([document])"),
        ("", "([document])"),
    ],
)
def test_pages_are_read_as_browsers_read_them(text, brackets):
    assert parse(text).to_brackets() == brackets


def test_well_formed_pages_agree_with_xml_and_soups():
    text = "<html><body x='1' y='u'><p>one <b>two</b> 3</p><p/></body></html>".replace("<p/>", "<p></p>")
    bs4 = pytest.importorskip("bs4")
    assert (
        parse(text)
        == TreeParser("xml", split=None).transform([text])[0]
        == Tree.from_any(bs4.BeautifulSoup(text, "html.parser"))
    )


def test_texts_nested_100_000_deep_are_read():
    assert parse("<b>" * N + "</b>" * N).height == N - 1


@pytest.mark.parametrize(
    "text",
    ["<", "<!", "</", "<!--", "<a ", "<a b='", "<a b=\"", "<?", "&#", "<b>", "<li><b>", "<b><li></i>", "<p></b>",
     "<b></p><p>", "</a ", "<script></", "<title>", "<a  =", "<table><td>", "\0", "\ud800"],
)  # fmt: skip
def test_long_malformed_texts_are_read(text):
    assert parse(text * 50_000).n_nodes >= 1


def test_an_endless_end_tag_is_read_in_linear_time():
    assert parse("<p>x</" + "a" * 1_000_000).to_brackets() == "(p x)"  # many minutes in quadratic time
    assert parse("<p>x</" + "a" * 1_000_000 + ">y").to_brackets() == "(p xy)"
    assert parse("<p>x</p" + " a" * 500_000 + ">y").to_brackets() == "([document] (p x) y)"
