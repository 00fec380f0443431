"""XML and HTML elements of the standard library, lxml and BeautifulSoup.

The label of an element is its tag without the namespace. Its children are its attributes, which are leaves
whose edge labels are the names of the attributes, followed by its texts and child elements in order. Texts
and attributes that are numbers become values. Runs of whitespace are collapsed; blank texts and comments are
omitted.
"""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.leaves import make_text_leaf
from sklearn_tree.trees.formats.node import Part, TreeNode
from sklearn_tree.trees.formats.registry import register_lazily
from sklearn_tree.trees.formats.unpicklable import refuse_pickling


def read_element(element: Any) -> TreeNode:
    """Read one element of ElementTree or lxml."""
    if not isinstance(element.tag, str):
        raise ValueError("expected an element or a document, got a comment or a processing instruction")
    children: list[Any] = [
        make_text_leaf(text, strip_namespace(name)) for name, text in element.attrib.items()
    ]
    text = element.text
    # Iteration over an element of lxml.objectify visits its siblings, not its children.
    for child in element.iterchildren() if hasattr(element, "iterchildren") else element:
        if isinstance(child.tag, str):
            _add_text(text, children)
            children.append(Part(child, read_element))
            text = child.tail
        else:  # a comment or a processing instruction
            text = (text or "") + (child.tail or "")
    _add_text(text, children)
    return TreeNode(strip_namespace(element.tag), children)


def read_document(tree: Any) -> TreeNode:
    """Read the root element of an ``ElementTree``."""
    root = tree.getroot()
    if root is None:
        raise ValueError("a document must have a root element, got none")
    return read_element(root)


def read_soup(tag: Any) -> TreeNode:
    """Read one ``Tag`` of BeautifulSoup; a whole soup is its only element, or "[document]" above several."""
    from bs4 import Tag
    from bs4.element import CData, PreformattedString, Script, Stylesheet

    children: list[Any] = []
    for name, text in tag.attrs.items():
        words = text if isinstance(text, str) else " ".join(map(str, text or ()))
        children.append(make_text_leaf(words, strip_namespace(name)))
    texts: list[str] = []
    for child in tag.contents:
        if isinstance(child, Tag):
            _add_text("".join(texts), children)
            texts.clear()
            children.append(Part(child, read_soup))
        elif isinstance(child, CData) or not isinstance(child, (PreformattedString, Script, Stylesheet)):
            texts.append(child)  # comments and doctypes are PreformattedStrings
    _add_text("".join(texts), children)
    if tag.name == "[document]" and len(children) == 1 and type(children[0]) is Part:
        return read_soup(children[0].node)
    return TreeNode(strip_namespace(tag.name), children)


def strip_namespace(name: str) -> str:
    """Return a name without its namespace, ``{uri}name`` or ``prefix:name``."""
    return name.rpartition("}")[2].rpartition(":")[2] or name


def _add_text(text: str | None, children: list) -> None:
    if text and (text := " ".join(text.split())):
        children.append(make_text_leaf(text))


register_lazily("xml.etree.ElementTree.Element", read_element)
register_lazily("xml.etree.ElementTree.ElementTree", read_document)
register_lazily("lxml._Element", read_element)
register_lazily("lxml._ElementTree", read_document)
register_lazily("bs4.Tag", read_soup)
refuse_pickling("lxml.etree", "_Element", "_ElementTree")
refuse_pickling("lxml.html", "HtmlElement")
