"""XML and HTML elements of the standard library, lxml and BeautifulSoup.

An element is a node labelled with its tag, without the namespace. Its children are its
attributes, leaves on edges labelled with their names; then its text and child elements, in
order. Texts and attributes that are numbers become values; runs of blanks in
a text are one blank, blank texts and comments are left out.
"""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.leaves import text_leaf
from sklearn_tree.trees.formats.registry import Part, TreeNode, register_lazily


def read_element(element: Any) -> TreeNode:
    """Read one element of ElementTree or lxml."""
    if not isinstance(element.tag, str):
        raise ValueError("a comment or a processing instruction is no tree: an element is, or a document")
    children: list[Any] = [text_leaf(text, local_name(name)) for name, text in element.attrib.items()]
    text = element.text
    # lxml.objectify's elements iterate over their siblings.
    for child in element.iterchildren() if hasattr(element, "iterchildren") else element:
        if isinstance(child.tag, str):  # a comment's or processing instruction's is a function
            _add_text(text, children)
            children.append(Part(child, read_element))
            text = child.tail
        else:
            text = (text or "") + (child.tail or "")
    _add_text(text, children)
    return TreeNode(local_name(element.tag), children)


def read_document(tree: Any) -> TreeNode:
    """Read an ElementTree's root element."""
    root = tree.getroot()
    if root is None:
        raise ValueError("a document must have a root element, got none")
    return read_element(root)


def read_soup(tag: Any) -> TreeNode:
    """Read one ``Tag`` of BeautifulSoup, or a whole soup: its only element or "[document]"."""
    from bs4 import Tag
    from bs4.element import CData, PreformattedString, Script, Stylesheet

    children: list[Any] = []
    for name, text in tag.attrs.items():
        words = text if isinstance(text, str) else " ".join(map(str, text or ()))
        children.append(text_leaf(words, local_name(name)))
    texts: list[str] = []
    for child in tag.contents:
        if isinstance(child, Tag):
            _add_text("".join(texts), children)
            texts.clear()
            children.append(Part(child, read_soup))
        elif isinstance(child, CData) or not isinstance(child, (PreformattedString, Script, Stylesheet)):
            texts.append(child)  # comments and doctypes are preformatted too
    _add_text("".join(texts), children)
    if tag.name == "[document]" and len(children) == 1 and type(children[0]) is Part:
        return read_soup(children[0].node)
    return TreeNode(local_name(tag.name), children)


def local_name(name: str) -> str:
    """Return a name without its namespace, ``{uri}name`` or ``prefix:name``."""
    return name.rpartition("}")[2].rpartition(":")[2] or name


def _add_text(text: str | None, children: list) -> None:
    if text and (text := " ".join(text.split())):
        children.append(text_leaf(text))


register_lazily("xml.etree.ElementTree.Element", read_element)
register_lazily("xml.etree.ElementTree.ElementTree", read_document)
register_lazily("lxml._Element", read_element)
register_lazily("lxml._ElementTree", read_document)
register_lazily("bs4.Tag", read_soup)
