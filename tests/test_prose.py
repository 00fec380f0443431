"""Prose: phrases that the style guide bans, in the package's source, the documentation, the notebooks and the README."""

import ast
import io
import json
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sklearn_tree"

TICS = {
    "behind": r"\bbehind\b",
    "say": r"\bsa(?:y|ys|ying|id)\b",
    "stand": r"\b(?:stands?|stood)\b(?!-)",
    "is no": r"(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b)\w",
    "alone": r"\balone\b",
    "by itself": r"\bby (?:itself|themselves)\b",
    "taken away": r"\b(?:take|takes|taken|taking|took) away\b",
    "anew": r"\banew\b",
    "so many": r"\bso many\b",
    "is there": r"\b(?:is|are|was|were) there\b",
    "Of ...:": r"(?:^|[.;!?]\s+)Of [^.:]{1,60}:",
    "to be told": r"\bto be told\b",
    "come again": r"\bcom(?:e|es|ing) again\b",
    "a third less": r"\ba (?:half|third|quarter) less\b",
    "in front of": r"\bin front of\b",
    "makes of": r"\bmakes? of\b",
}
OPENING = r"(?:What|Which|How|Whether|Who|Where|When|Why|Say|Says)\b"

# Sentences in which a banned phrase is the subject matter: (path, sentence).
EXCEPTIONS: set[tuple[str, str]] = set()

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.rst") if not {"gallery", "generated"} & {*path.parts}),
]
SCRIPTS = [
    ROOT / "docs/conf.py",
    *sorted((ROOT / "examples").glob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
]
FOLDERS = {
    "package": sorted(PACKAGE.glob("*.py")),
    **{path.name: sorted(path.rglob("*.py")) for path in sorted(PACKAGE.iterdir()) if path.is_dir()},
    "docs, examples and benchmarks": [path for path in SCRIPTS if ".venvs" not in path.parts],
}
FOLDERS.pop("__pycache__", None)
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


def find_tics(text):
    """Return the banned phrases in a text with the words around them; line breaks do not hide a phrase."""
    text = re.sub(r"\s+", " ", text).strip()
    return [
        f"{name}: ...{text[max(0, match.start() - 30) : match.end() + 30]}..."
        for name, pattern in TICS.items()
        for match in re.finditer(pattern, text, re.IGNORECASE if name != "Of ...:" else 0)
    ]


def find_source_tics(source):
    """Return the banned phrases in the docstrings, strings and comments of a source, and banned openings."""
    tree = ast.parse(source)
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [tic for text in [*texts, *_comments(source)] for tic in find_tics(text)] + _openings(tree)


def find_notebook_tics(text):
    """Return the banned phrases in the text and the code of a notebook."""
    find = {"markdown": find_tics, "code": find_source_tics}
    return [
        tic for cell in json.loads(text)["cells"] for tic in find[cell["cell_type"]]("".join(cell["source"]))
    ]


def _comments(source):
    """Yield comments; those of consecutive lines are joined."""
    parts, last_row = [], None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if parts and token.start[0] != last_row + 1:
                yield " ".join(parts)
                parts = []
            parts.append(token.string.lstrip("# "))
            last_row = token.start[0]
    yield " ".join(parts)


def _openings(tree):
    """Return the first lines of module, class and function docstrings that open with a banned word.

    A property may open with "Whether", as the description of an attribute does.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node) or ""
            is_attribute = docstring.startswith("Whether") and _is_property(node)
            if re.match(OPENING, docstring) and not is_attribute:
                found.append(f"opening: {docstring.splitlines()[0]}")
    return found


def _is_property(node):
    decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(name.endswith("property") for name in decorators)


def assert_none(paths, find):
    """Fail with one banned phrase per line."""
    lines = [
        f"{path.relative_to(ROOT)}: {tic}"
        for path in paths
        for tic in find(path.read_text())
        if (str(path.relative_to(ROOT)), tic) not in EXCEPTIONS
    ]
    assert not lines, f"{len(lines)} banned phrases\n" + "\n".join(lines)


@pytest.mark.parametrize("folder", FOLDERS)
def test_source_has_no_banned_phrases(folder):
    assert_none(FOLDERS[folder], find_source_tics)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_has_no_banned_phrases(path):
    assert_none([path], find_tics)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_no_banned_phrases(path):
    assert_none([path], find_notebook_tics)


@pytest.mark.parametrize(("kind", "source"), [("markdown", "A key says it."), ("code", "# A key says it.")])
def test_banned_phrases_of_a_notebook_are_found(kind, source):
    assert find_notebook_tics(json.dumps({"cells": [{"cell_type": kind, "source": [source]}]}))


@pytest.mark.parametrize(
    "text",
    [
        "States behind the end are arbitrary.",
        "A key says what the value is.",
        "A dependency relation, say, is an edge.",
        "A row stands for a node.",
        "A comment is no element.",
        "The root's vector alone is read.",
        "Each sample is drawn for by itself.",
        "Inputs are taken\n    away in turn.",
        "It is computed anew.",
        "There are so many nodes.",
        "Tensors are left where they are there already.",
        "Padding is dropped. Of regressors: the predictions.",
        "Their genres are to be told.",
        "Phrases that come again are shared.",
        "It has a third less weights.",
        "The axis in front of the others.",
        "What the net makes of a phrase.",
    ],
)
def test_banned_phrases_are_found(text):
    assert find_tics(text)


@pytest.mark.parametrize(
    "text",
    [
        "Understand the essay.",
        "If there is no such node.",
        "The file is no longer needed.",
        "The list of trees: one per row.",
        "It has a third fewer weights.",
        "The standard deviation is used.",
    ],
)
def test_plain_sentences_are_accepted(text):
    assert not find_tics(text)


@pytest.mark.parametrize(
    "source",
    [
        '"""What cells are."""',
        'def f():\n    """Whether a cell is pure."""',
        'class A:\n    """How a fit is run."""',
        "# Each row stands\n# for a node.\n",
        'raise ValueError(f"X is no tree, got {x}")',
        'def f():\n    """Return it.\n\n    The padding is behind\n    the end.\n    """',
    ],
)
def test_banned_phrases_and_openings_of_a_source_are_found(source):
    assert find_source_tics(source)


def test_code_and_plain_docstrings_are_accepted():
    prop = 'class A:\n    @cached_property\n    def f(self):\n        """{} X is a tree."""\n'
    assert not find_source_tics(prop.format("Whether"))
    assert find_source_tics(prop.format("Which"))
    assert not find_source_tics(
        '"""Trees."""\nbehind = alone = 1\ndef say():\n    """Return whether X is a tree."""\n'
    )
