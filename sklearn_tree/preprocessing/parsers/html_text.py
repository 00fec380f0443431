"""HTML as browsers meet it: unclosed, crossed and unknown tags are fine, in linear time."""

from __future__ import annotations

import html
import re

from sklearn_tree.preprocessing.parsers.builder import TreeBuilder
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.markup import local_name

_OPEN = re.compile(r"<([a-zA-Z][^\s/>]*)")
_CLOSE = re.compile(r"</([a-zA-Z][^\s/>]*)[^>]*>")
_ATTRIBUTE = re.compile(
    r"""[\s/]*(?:(>)|([^\s/>][^\s/>=]*)(?:\s*=\s*("[^"]*"|'[^']*'|(?!["'])[^\s>]*|["'][^\s>]*))?)"""
)
# They have no end tag and hold nothing.
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_HIDDEN = frozenset(["script", "style"])  # their text is no content
_RAW = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.I) for tag in (*_HIDDEN, "textarea", "title")}
_BLOCKS = (
    "address article aside blockquote div dl fieldset footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p "
    "pre section table ul"
)
# Which open elements end where an element begins, and what they are looked for in.
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
_FAR = 32  # an open element is looked for among so many
_DOCUMENT = "[document]"


def parse_html(text: str) -> FlatTree:
    """Read a page or a fragment; several elements side by side get the root "[document]"."""
    reader = _Reader()
    reader.read(text)
    return _without_wrapper(reader.builder.tree(), bool(reader.places))


def _without_wrapper(tree: FlatTree, is_element: bool) -> FlatTree:
    if not is_element or tree.parents.count(0) != 1:
        return tree
    values, edges = (None if column is None else column[1:] for column in (tree.values, tree.edges))
    parents, depths = [p - 1 for p in tree.parents[1:]], [d - 1 for d in tree.depths[1:]]
    return FlatTree(tree.labels[1:], parents, depths, values, edges)


class _Reader:
    """Finds the tags of a text, and keeps the path of the elements that are open."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.builder.open(_DOCUMENT)
        self.tags: list[str] = []
        self.places: dict[str, list[int]] = {}  # in ``tags``, of the elements of each tag

    def read(self, text: str) -> None:
        at = 0
        while (sign := text.find("<", at)) >= 0:
            if sign > at:
                self.builder.text(_unescape(text[at:sign]))
            at = self._tag(text, sign)
        self.builder.text(_unescape(text[at:]))
        self.builder.flush()

    def _tag(self, text: str, at: int) -> int:
        """Read what begins at a "<" and return where it ends."""
        if match := _OPEN.match(text, at):
            return self._start(text, match)
        if text.startswith("<!--", at):
            return _after(text, "-->", at + 2)
        if text.startswith(("<!", "<?"), at):
            return _after(text, ">", at)
        if text.startswith("</", at) and text[at + 2 : at + 3].isalpha():
            if match := _CLOSE.match(text, at):
                self._end(match[1].lower())
            return _after(text, ">", at)
        self.builder.text("<")
        return at + 1

    def _start(self, text: str, match: re.Match) -> int:
        attributes: dict[str, str] = {}
        at = match.end()
        while found := _ATTRIBUTE.match(text, at):
            at = found.end()
            if found[1]:
                break
            attributes.setdefault(found[2].lower(), _unquoted(found[3] or ""))
        else:
            return len(text)  # the text ends inside the tag
        tag = match[1].lower()
        self._open(tag, attributes)
        if tag in _VOID:
            self.builder.close()
            self._forget()
        elif tag in _RAW:
            end = _RAW[tag].search(text, at)
            stop = end.start() if end else len(text)
            if tag not in _HIDDEN:
                self.builder.text(_unescape(text[at:stop]))
            return stop
        return at

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        for k, open_tag in enumerate(self.tags[: -_FAR - 1 : -1], start=1):
            if open_tag in _CLOSED_BY.get(tag, ()):
                self._close(k)
                break
            if open_tag in _BORDERS_OF.get(tag, _BORDERS):
                break
        self.builder.open(local_name(tag))
        self.tags.append(tag)
        self.places.setdefault(tag, []).append(len(self.tags) - 1)
        for name, value in attributes.items():
            self.builder.attribute(local_name(name), value)

    def _end(self, tag: str) -> None:
        if places := self.places.get(tag):  # else there is nothing to close
            self._close(len(self.tags) - places[-1])

    def _close(self, n: int) -> None:
        for _ in range(n):
            self.builder.close()
            self._forget()

    def _forget(self) -> None:
        self.places[self.tags.pop()].pop()


def _after(text: str, sign: str, at: int) -> int:
    end = text.find(sign, at)
    return len(text) if end < 0 else end + len(sign)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        text = text[1:-1]
    return _unescape(text)


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a code of more digits than Python makes an int of: no character
        return html.unescape(_ENDLESS_CODE.sub("\ufffd", text))
