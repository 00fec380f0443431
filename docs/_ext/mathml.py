"""Formulas as MathML, which browsers draw without a script; a formula with an error fails the build."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

ENVIRONMENT = re.compile(r"\\begin\{(align|equation|gather|multline|split)\*?\}(.*)\\end\{\1\*?\}", re.S)
PAIRS = ((r"(?<!\\)\{", r"(?<!\\)\}"), (r"\\left\b", r"\\right\b"), (r"\\begin\b", r"\\end\b"))
ENTITY = re.compile(r"&(?!lt;|gt;|amp;)\w+;")
ACCENTS = {"~", "^", "ˆ", "¯", "˙", "→"}


def convert(latex: str, *, is_block: bool) -> str:
    r"""Return a formula as MathML.

    Environments of numbered equations are written as ``aligned``, and so is a block with ``\\``.
    """
    latex = ENVIRONMENT.sub(r"\2", latex.strip())
    if is_block and re.search(r"\\\\|(?<!\\)&", latex) and r"\begin" not in latex:
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    try:
        for left, right in PAIRS:
            if len(re.findall(left, latex)) != len(re.findall(right, latex)):
                raise MathError(f"{left} without {right}")
        mathml = tex2mathml(latex, as_block=is_block).replace(
            'xmlns="http://www.w3.org/1998/Math/MathML"', ""
        )
        math = ElementTree.fromstring(ENTITY.sub(lambda match: html.unescape(match[0]), mathml))
    except Exception as error:  # the converter raises several types
        raise ExtensionError(f"cannot convert the formula {latex!r}: {error}") from error
    for node in math.iter():
        node.text, node.tail = (text and text.strip("\n ") for text in (node.text, node.tail))
    for node in math.iter("munderover"):
        if node[2].text in ACCENTS:  # a subscript belongs at the right of a letter with an accent
            base, subscript, accent = node
            node.tag, node[:] = "msub", [ElementTree.Element("mover", {"accent": "true"}), subscript]
            node[0][:] = [base, accent]
    return ElementTree.tostring(math, "unicode")


def visit_math(self, node):
    """Write a formula of a line of text."""
    self.body.append(convert(node.astext(), is_block=False))
    raise nodes.SkipNode


def visit_math_block(self, node):
    """Write a formula of its own, with a number if it has a label."""
    self.body.append(self.starttag(node, "div", CLASS="formula", tabindex="0"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    parts = re.split(r"\n\s*\n", node.astext().strip())
    self.body += [convert(part, is_block=True) for part in parts]
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    """Make MathML the format of formulas in HTML."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
