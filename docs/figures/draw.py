"""Figures of the page "How recursive nets work", and thumbnails of the gallery, as SVG files.

Run ``python docs/figures/draw.py`` after a change; a test compares the files with the script. Lines and
captions are grey and fills are saturated, so that the figures are readable on light and dark pages.
Thumbnails are sketches of the pictures in the examples, on white.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
GREY, BLUE, ORANGE, GREEN, PINK = "#7d7d7d", "#2f6fb7", "#b3590f", "#2a7a50", "#a83a78"


def text(x: float, y: float, label: str, fill: str = GREY, size: int = 15, anchor: str = "middle") -> str:
    """Return a label, centred vertically at ``y``."""
    return (
        f'<text x="{x:g}" y="{y + size * 0.35:g}" fill="{fill}" font-size="{size}" text-anchor="{anchor}">'
        f"{label}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, *, is_arrow: bool = False) -> str:
    """Return a line, with an arrowhead at its end if wanted."""
    head = ' marker-end="url(#head)"' if is_arrow else ""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{GREY}" stroke-width="1.5"{head}/>'


def node(x: float, y: float, label: str, fill: str) -> str:
    """Return a node of a tree."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="16" fill="{fill}"/>' + text(x, y, label, "#fff")


def box(x: float, y: float, width: float, label: str, fill: str, height: float = 30) -> str:
    """Return a box with a label, ``x`` and ``y`` are its centre."""
    corner = f'x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {corner} rx="4" fill="{fill}"/>' + text(x, y, label, "#fff")


def svg(width: int, height: int, title: str, parts: list[str]) -> str:
    """Return a figure."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" role="img"><title>{title}</title><defs>'
        '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{GREY}"/></marker></defs>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def draw_cell() -> str:
    """Draw the data flow of a Child-Sum Tree-LSTM node with two children."""
    parts = [
        line(150, 275, 235, 222, is_arrow=True),
        line(390, 275, 305, 222, is_arrow=True),
        *(line(270, 190, x, 147, is_arrow=True) for x in (225, 270, 315)),
        *(line(x, 115, 270, 72, is_arrow=True) for x in (225, 270, 315)),
        line(105, 275, 105, 147, is_arrow=True),
        line(435, 275, 435, 147, is_arrow=True),
        line(105, 115, 165, 74, is_arrow=True),
        line(435, 115, 375, 74, is_arrow=True),
        line(270, 40, 270, 12, is_arrow=True),
        box(120, 290, 110, "h₁, c₁", BLUE),
        box(420, 290, 110, "h₂, c₂", BLUE),
        box(270, 206, 130, "h̃ = h₁ + h₂", GREEN),
        *(box(x, 131, 36, label, ORANGE) for x, label in ((225, "i"), (270, "o"), (315, "u"))),
        box(105, 131, 60, "f₁", PINK),
        box(435, 131, 60, "f₂", PINK),
        box(270, 56, 330, "c = i·u + f₁·c₁ + f₂·c₂,  h = o·tanh(c)", GREEN),
        text(285, 18, "h, c", anchor="start"),
        text(345, 197, "x enters", anchor="start"),
        text(345, 217, "all gates", anchor="start"),
    ]
    return svg(540, 312, "A node of a Child-Sum Tree-LSTM with two children", parts)


# Nodes of both example trees: label, x, depth, parent.
NODES = [
    ("+", 180, 0, None),
    ("1", 130, 1, 0),
    ("×", 230, 1, 0),
    ("2", 195, 2, 2),
    ("3", 265, 2, 2),
    ("−", 430, 0, None),
    ("+", 380, 1, 5),
    ("4", 345, 2, 6),
    ("5", 415, 2, 6),
    ("6", 480, 1, 5),
]


def draw_levels() -> str:
    """Draw two trees and the steps in which their nodes are computed."""
    ys = [40, 110, 180]
    parents = {parent for *_, parent in NODES}
    parts = [
        line(x, ys[depth], NODES[parent][1], ys[depth - 1])
        for _, x, depth, parent in NODES
        if parent is not None
    ]
    for i, (label, x, depth, _) in enumerate(NODES):
        fill = BLUE if i not in parents else (ORANGE if depth else PINK)
        parts.append(node(x, ys[depth], label, fill))
    parts += [text(10, y, f"depth {d}", anchor="start") for d, y in enumerate(ys)]
    legend = [(BLUE, "step 1: all leaves"), (ORANGE, "step 2: × and +"), (PINK, "step 3: + and −")]
    for k, (fill, label) in enumerate(legend):
        parts += [
            f'<circle cx="{40 + 180 * k}" cy="232" r="8" fill="{fill}"/>',
            text(55 + 180 * k, 232, label, anchor="start"),
        ]
    return svg(560, 252, "Two trees are computed in three steps", parts)


def draw_tables() -> str:
    """Draw the table of states of the two example trees."""
    labels = ["+", "−", "×", "+", "1", "6", "2", "3", "4", "5"]
    fills = [PINK] * 2 + [ORANGE] * 2 + [BLUE] * 6
    xs = [45 + 52 * i for i in range(10)]
    parts = [box(x, 45, 48, label, fill) for x, label, fill in zip(xs, labels, fills, strict=True)]
    parts += [text(x, 15, str(i), size=13) for i, x in enumerate(xs)]
    parts += [box(xs[6] + 52 * k, 125, 48, label, BLUE) for k, label in enumerate("2345")]
    parts += [line(xs[i], 62, xs[i], 108, is_arrow=True) for i in range(6, 10)]
    parts += [text(xs[5] + 10, 125, "gather", anchor="end")]
    parts += [box(xs[6] + 26, 205, 100, "2 + 3", GREEN), box(xs[8] + 26, 205, 100, "4 + 5", GREEN)]
    parts += [line(xs[6] + 52 * k, 142, xs[6] + 26 + 104 * (k // 2), 188, is_arrow=True) for k in range(4)]
    parts += [text(xs[5] + 10, 205, "sum by parent", anchor="end")]
    parts += [text(xs[5] + 10, 275, "one product with U", anchor="end")]
    parts += [box(xs[7] + 26, 275, 204, "gates of × and +", GREEN)]
    parts += [line(xs[6] + 26 + 104 * k, 222, xs[6] + 26 + 104 * k, 258, is_arrow=True) for k in range(2)]
    return svg(580, 300, "One step of the walk: gather, sum, one product", parts)


def draw_sharing() -> str:
    """Draw two trees with an equal subtree, and the graph in which it is computed once."""
    parts = []
    for shift in (0, 170):
        for x, y, x2, y2 in (
            (75, 40, 35, 110),
            (75, 40, 110, 110),
            (110, 110, 80, 180),
            (110, 110, 140, 180),
        ):
            parts.append(line(x + shift, y, x2 + shift, y2))
        parts.append(node(75 + shift, 40, "+−"[shift > 0], PINK))
        parts.append(node(35 + shift, 110, "17"[shift > 0], BLUE))
        parts += [
            node(110 + shift, 110, "×", ORANGE),
            node(80 + shift, 180, "2", BLUE),
            node(140 + shift, 180, "3", BLUE),
        ]
    parts.append(text(350, 110, "→", size=28))
    edges = ((420, 40, 395, 110), (420, 40, 460, 110), (500, 40, 525, 110), (500, 40, 460, 110))
    parts += [line(*edge) for edge in (*edges, (460, 110, 430, 180), (460, 110, 490, 180))]
    nodes = [(420, 40, "+", PINK), (500, 40, "−", PINK), (395, 110, "1", BLUE), (460, 110, "×", ORANGE)]
    nodes += [(525, 110, "7", BLUE), (430, 180, "2", BLUE), (490, 180, "3", BLUE)]
    parts += [node(*spec) for spec in nodes]
    return svg(560, 210, "Equal subtrees of a batch are computed once", parts)


Spec = tuple[str, str, list]  # label, fill and children of a node of a sketch
LIGHT = "#e6e6e6"


def thumbnail(title: str, parts: list[str]) -> str:
    """Return a thumbnail, on a white background."""
    return svg(400, 280, title, ['<rect width="400" height="280" fill="#fff"/>', *parts])


def pill(x: float, y: float, label: str, fill: str) -> str:
    """Return a label on a rounded box, dark on light fills and white on others."""
    width = max(34, 9 * len(label) + 18)
    shape = f'<rect x="{x - width / 2:g}" y="{y - 15:g}" width="{width}" height="30" rx="15" fill="{fill}"/>'
    return shape + text(x, y, label, "#222" if fill == LIGHT else "#fff")


def sketch(spec: Spec, left: float, right: float, y: float = 45, step: float = 65) -> list[str]:
    """Return a tree whose leaves share the width between ``left`` and ``right`` equally."""
    label, fill, children = spec
    counts = [_count_leaves(child) for child in children]
    x, start, parts, below = (left + right) / 2, left, [], []
    width = (right - left) / max(sum(counts), 1)  # of a leaf
    for child, n in zip(children, counts, strict=True):
        end = start + width * n
        parts.append(line(x, y, (start + end) / 2, y + step))
        below += sketch(child, start, end, y + step, step)
        start = end
    return [*parts, *below, pill(x, y, label, fill)]


def _count_leaves(spec: Spec) -> int:
    return sum(map(_count_leaves, spec[2])) or 1


def draw_question() -> str:
    """Draw a wh-question whose phrases are coloured by the probability of the class."""
    verb = ("SQ", LIGHT, [(word, LIGHT, []) for word in ("did", "she", "say")])
    root = ("SBARQ", ORANGE, [("WHNP", ORANGE, [("what", ORANGE, [])]), verb])
    return thumbnail("Parse tree of a question", sketch(root, 15, 385, step=85))


def draw_function() -> str:
    """Draw the syntax tree of a function that checks a value."""
    check = ("If", ORANGE, [("Compare", LIGHT, []), ("Raise", ORANGE, [])])
    root = ("FunctionDef", LIGHT, [("arguments", LIGHT, []), check])
    return thumbnail("Syntax tree of a function", sketch(root, 10, 390, step=85))


def draw_explained() -> str:
    """Draw an explained tree, text and image."""
    root = ("not bad", ORANGE, [("not", ORANGE, []), ("bad", BLUE, [])])
    words = [("not", ORANGE), ("a", LIGHT), ("bad", BLUE), ("film", LIGHT)]
    parts = sketch(root, 15, 195, y=50, step=80)
    parts += [pill(60 + 92 * i, 235, word, fill) for i, (word, fill) in enumerate(words)]
    for row in range(6):
        for column in range(6):
            fill = ORANGE if column == 2 and row in (1, 2, 3, 4) else LIGHT
            corner = f'x="{230 + 24 * column}" y="{28 + 24 * row}"'
            parts.append(f'<rect {corner} width="22" height="22" fill="{fill}"/>')
    return thumbnail("Explained tree, text and image", parts)


def draw_phrases() -> str:
    """Draw a sentence whose phrases have labels."""
    phrase = ("\u2212", BLUE, [("very", LIGHT, []), ("boring", BLUE, [])])
    root = ("+", ORANGE, [("film", LIGHT, []), ("+", ORANGE, [("not", LIGHT, []), phrase])])
    return thumbnail("Sentence with labels of its phrases", sketch(root, 15, 385, y=40, step=66))


def draw_pair() -> str:
    """Draw two formulas, of which the first implies the second."""
    first = ("∧", ORANGE, [("p", LIGHT, []), ("q", LIGHT, [])])
    second = ("∨", BLUE, [("p", LIGHT, []), ("r", LIGHT, [])])
    parts = [*sketch(first, 15, 165, y=95, step=85), *sketch(second, 235, 385, y=95, step=85)]
    return thumbnail("Two formulas", [*parts, text(200, 140, "⊨", "#222", size=44)])


def draw_page() -> str:
    """Draw the elements of an HTML page with a price in a table."""
    table = ("table", ORANGE, [("price", ORANGE, [])])
    body = ("body", LIGHT, [("nav", LIGHT, []), table, ("p", LIGHT, [])])
    root = ("html", LIGHT, [("h1", LIGHT, []), body])
    return thumbnail("Elements of an HTML page", sketch(root, 10, 390, y=40, step=66))


def draw_csv() -> str:
    """Draw a table of texts and labels."""
    parts = [line(20, 52, 380, 52), text(150, 32, "text", "#222"), text(335, 32, "label", "#222")]
    for row, (widths, marked, fill) in enumerate(
        [
            ((60, 40, 90), 2, ORANGE),
            ((90, 50, 70), 0, BLUE),
            ((40, 110, 60), 1, ORANGE),
            ((70, 70, 50), 2, BLUE),
        ]
    ):
        x, y = 25, 72 + 52 * row
        for word, width in enumerate(widths):
            colour = fill if word == marked else LIGHT
            parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="24" rx="12" fill="{colour}"/>')
            x += width + 10
        parts.append(f'<circle cx="335" cy="{y + 12}" r="12" fill="{fill}"/>')
    return thumbnail("Table of texts and labels", parts)


THUMBNAILS = {
    "csv.svg": draw_csv,
    "explained.svg": draw_explained,
    "function.svg": draw_function,
    "page.svg": draw_page,
    "pair.svg": draw_pair,
    "phrases.svg": draw_phrases,
    "question.svg": draw_question,
}
FIGURES = {
    "cell.svg": draw_cell,
    "levels.svg": draw_levels,
    "sharing.svg": draw_sharing,
    "tables.svg": draw_tables,
}

if __name__ == "__main__":
    for name, draw in FIGURES.items():
        (FOLDER / name).write_text(draw(), "utf-8")
    (FOLDER / "thumbnails").mkdir(exist_ok=True)
    for name, draw in THUMBNAILS.items():
        (FOLDER / "thumbnails" / name).write_text(draw(), "utf-8")
