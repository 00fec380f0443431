"""Parser of HTML that accepts unclosed, overlapping and unknown tags, in linear time."""

from __future__ import annotations

import html
import re

from sklearn_tree.preprocessing.parsers.builder import TreeBuilder
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.leaves import Splitter, keep_label
from sklearn_tree.trees.formats.markup import strip_namespace

_OPEN = re.compile(r"<([a-zA-Z][^\s/>]*)")
_CLOSE = re.compile(r"</([a-zA-Z][^\s/>]*+)[^>]*+>")  # possessive: nothing to try again without ">"
_ATTRIBUTE = re.compile(
    r"""[\s/]*(?:(>)|([^\s/>][^\s/>=]*)(?:\s*=\s*("[^"]*"|'[^']*'|(?!["'])[^\s>]*|["'][^\s>]*))?)"""
)
# Elements without an end tag and without content.
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_HIDDEN = frozenset(["script", "style"])  # elements whose text is omitted
# Elements whose content is text up to the end tag, and the patterns of the end tags.
_RAW = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.I) for tag in (*_HIDDEN, "textarea", "title")}
_BLOCKS = (
    "address article aside blockquote div dl fieldset footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p "
    "pre section table ul"
)
# The open elements that end when an element begins; the search for them stops at the borders below.
_CLOSED_BY = {
    **dict.fromkeys(_BLOCKS.split(), ("p",)),
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "option": ("option",),
    "optgroup": ("option", "optgroup"),
    "td": ("td", "th"),
    "th": ("td", "th"),
    "tr": ("tr",),
    "tbody": ("tbody", "thead", "tfoot"),
    "tfoot": ("tbody", "thead"),
    "body": ("head",),
}
_BORDERS = frozenset(["ul", "ol", "dl", "table", "select", "div", "td", "th", "button", "html", "body"])
_TABLE = frozenset(["table"])
_BORDERS_OF = dict.fromkeys(["td", "th", "tr", "thead", "tbody", "tfoot"], _TABLE)
_ENDLESS_CODE = re.compile(r"&#[0-9]{1000,};?")
_FAR = 32  # number of open elements that are searched
_DOCUMENT = "[document]"


def parse_html(text: str, split: Splitter = keep_label) -> FlatTree:
    """Parse a page or a fragment; the root of several elements is "[document]".

    ``split`` splits texts and the values of attributes.
    """
    reader = _Reader(split)
    reader.read(text)
    has_one_child = reader.builder.parents.count(0) == 1
    return (
        _drop_root(reader.builder.build()) if reader.positions and has_one_child else reader.builder.build()
    )


def _drop_root(tree: FlatTree) -> FlatTree:
    values, edges = (None if column is None else column[1:] for column in (tree.values, tree.edges))
    parents, depths = [p - 1 for p in tree.parents[1:]], [d - 1 for d in tree.depths[1:]]
    return FlatTree(tree.labels[1:], parents, depths, values, edges)


class _Reader:
    """Reader of the tags of a text.

    Attributes
    ----------
    builder : TreeBuilder
        Receives the elements and texts.
    tags : list of str
        Tags of the open elements, from the root down.
    positions : dict of str to list of int
        Positions in ``tags`` of the open elements with each tag.
    """

    def __init__(self, split: Splitter) -> None:
        self.builder = TreeBuilder(split)
        self.builder.open(_DOCUMENT)
        self.tags: list[str] = []
        self.positions: dict[str, list[int]] = {}

    def read(self, text: str) -> None:
        """Read a whole text."""
        at = 0
        while (tag := text.find("<", at)) >= 0:
            if tag > at:
                self.builder.add_text(_unescape(text[at:tag]))
            at = self._read_tag(text, tag)
        self.builder.add_text(_unescape(text[at:]))
        self.builder.flush()

    def _read_tag(self, text: str, at: int) -> int:
        """Read the tag or comment that begins with the "<" at a position, and return where it ends."""
        if match := _OPEN.match(text, at):
            return self._read_start(text, match)
        if text.startswith("<!--", at):
            return _find_end(text, "-->", at + 2)
        if text.startswith(("<!", "<?"), at):
            return _find_end(text, ">", at)
        if text.startswith("</", at) and text[at + 2 : at + 3].isalpha():
            if match := _CLOSE.match(text, at):
                self._close_tag(match[1].lower())
            return _find_end(text, ">", at)
        self.builder.add_text("<")
        return at + 1

    def _read_start(self, text: str, match: re.Match) -> int:
        """Read a start tag, and the content of an element that holds only text; return where they end."""
        attributes: dict[str, str] = {}
        at = match.end()
        while found := _ATTRIBUTE.match(text, at):
            at = found.end()
            if found[1]:
                break
            attributes.setdefault(found[2].lower(), _unquote(found[3] or ""))
        else:
            return len(text)  # the tag is not complete
        tag = match[1].lower()
        self._open(tag, attributes)
        if tag in _VOID:
            self._close(1)
        elif tag in _RAW:
            end = _RAW[tag].search(text, at)
            stop = end.start() if end else len(text)
            if tag not in _HIDDEN:
                self.builder.add_text(_unescape(text[at:stop]))
            return stop
        return at

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        """Close the elements that end here, and open a new one."""
        for k, open_tag in enumerate(self.tags[: -_FAR - 1 : -1], start=1):
            if open_tag in _CLOSED_BY.get(tag, ()):
                self._close(k)
                break
            if open_tag in _BORDERS_OF.get(tag, _BORDERS):
                break
        self.builder.open(strip_namespace(tag))
        self.tags.append(tag)
        self.positions.setdefault(tag, []).append(len(self.tags) - 1)
        for name, value in attributes.items():
            self.builder.add_attribute(strip_namespace(name), value)

    def _close_tag(self, tag: str) -> None:
        """Close the innermost open element with a given tag, if any, and all elements inside it."""
        if positions := self.positions.get(tag):
            self._close(len(self.tags) - positions[-1])

    def _close(self, n: int) -> None:
        """Close the n innermost open elements."""
        for _ in range(n):
            self.builder.close()
            self.positions[self.tags.pop()].pop()


def _find_end(text: str, delimiter: str, at: int) -> int:
    end = text.find(delimiter, at)
    return len(text) if end < 0 else end + len(delimiter)


def _unquote(text: str) -> str:
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        text = text[1:-1]
    return _unescape(text)


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a character code with more digits than Python converts to an int
        return html.unescape(_ENDLESS_CODE.sub("\ufffd", text))
