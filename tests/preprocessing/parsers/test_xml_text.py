"""The parser of XML."""

import time
from xml.etree import ElementTree

import pytest

from sklearn_tree import Tree, TreeParser

N = 100_000
BOMB = '<!DOCTYPE l [<!ENTITY a "ha">{}]><l>&j;</l>'.format(
    "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij"))
)


def parse(text):
    return TreeParser("xml", split=None).transform([text])[0]


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "<a x='1'>t<b>2</b>u<!-- c -->v<?p i?>w</a>",
        "<a xmlns='u' xmlns:n='v' n:x='y'><n:b/> &lt;\n </a>",
        "<a xml:lang='de'/>",
    ],
)
def test_documents_are_read_as_elementtree_reads_them(text):
    assert parse(text) == Tree.from_any(ElementTree.fromstring(text))


def test_texts_nested_100_000_deep_are_read():
    assert parse("<a>" * N + "</a>" * N).height == N - 1


@pytest.mark.parametrize(
    "head",
    ['<!DOCTYPE l [<!ATTLIST a x CDATA "{}">]><l>', "<l xmlns='{}'>"],
    ids=["the default of an attribute", "a namespace"],
)
def test_long_defaults_and_namespaces_are_not_copied_to_every_element(head):
    text = head.format("A" * 1_000_000) + "<a/>" * 20_000 + "</l>"
    start = time.process_time()
    tree = parse(text)  # copies would take 20 GB or half a minute
    assert time.process_time() - start < 5
    assert tree == parse("<l>" + "<a/>" * 20_000 + "</l>")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "must not declare or load entities, got the entity 'a'"),
        ('<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hosts">]><l>&x;</l>', "got the entity 'x'"),
        ('<!DOCTYPE l [<!ENTITY % x SYSTEM "file:///etc/hosts"> %x;]><l/>', "got the entity 'x'"),
        ('<!DOCTYPE l SYSTEM "http://localhost/x.dtd"><l>&x;</l>', "got the entity 'x'"),
        ("<a><b></a>", "not well-formed XML: mismatched tag: line 1"),
        ("<a>\0</a>", "not well-formed"),
        ("<a>\ud800</a>", "surrogates not allowed"),
    ],
)
def test_invalid_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)
