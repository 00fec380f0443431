"""The site: formulas as MathML, and the check of what the built pages load."""

import json
import re
import subprocess
import sys

import pytest
from pages import ROOT

sys.path.insert(0, str(ROOT / "docs"))
sys.path.insert(0, str(ROOT / "docs" / "_ext"))
from check_site import MAX_BYTES, check_site
from mathml import convert
from sphinx.errors import ExtensionError

DIRECTIVE = re.compile(r"^( *)\.\. math::\n\n((?:\1 {3,}.*\n|\n)+)", re.M)


def find_formulas():
    """Yield each formula of the guides, the docstrings and the notebooks."""
    for path in [*(ROOT / "docs").rglob("*.rst"), *(ROOT / "sklearn_tree").rglob("*.py")]:
        if {"gallery", "generated"} & {*path.parts}:
            continue
        text = path.read_text("utf-8")
        for formula in re.findall(r":math:`([^`]+)`", text):
            yield pytest.param(formula, False, id=f"{path.name}: {formula}")
        for match in DIRECTIVE.finditer(text):
            yield pytest.param(match[2], True, id=f"{path.name}: {match[2].strip()}")
    for path in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        for block, formula in re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", text, re.S):
            yield pytest.param(block or formula, bool(block), id=f"{path.name}: {block or formula}")


@pytest.mark.parametrize(("formula", "is_block"), [*find_formulas()])
def test_formulas_are_converted(formula, is_block):
    mathml = convert(formula, is_block=is_block)
    assert mathml.startswith('<math display="block">' if is_block else "<math>")
    assert "\\" not in mathml
    assert mathml.count("<mtr>") in (0, formula.count(r"\\") + 1)


def test_blocks_are_aligned_and_subscripts_follow_accents():
    table = convert(r"a &= b \\ c &= \tilde h_j", is_block=True)
    assert table.count("<mtr>") == 2
    assert table.count("<mtd>") == 4
    assert (
        '<msub><mover accent="true"><mi>h</mi><mo stretchy="false">~</mo></mover><mi>j</mi></msub>' in table
    )
    assert convert(r"\begin{align*} a &= b \\ c &= d \end{align*}", is_block=True).count("<mtd>") == 4


@pytest.mark.parametrize(
    "formula", [r"\unknown x", r"\frac{a}", "{a", "a}", "x^", r"\left( a", "a & b", r"\begin{aligned} a"]
)
def test_errors_in_formulas_are_raised(formula):
    with pytest.raises(ExtensionError, match="cannot convert the formula"):
        convert(formula, is_block=False)


CONF = "import sys\nsys.path.insert(0, {folder!r})\nextensions = ['mathml', 'myst_parser']\nhtml_theme = 'basic'\n"
CONF += (
    "html_math_renderer = 'mathml'\nmyst_enable_extensions = ['amsmath', 'dollarmath']\nmath_numfig = True\n"
)
PAGE = "Title\n=====\n\n:math:`x_t`\n\n.. math::\n   :label: sum\n\n   a + b\n\nSee :eq:`sum`.\n\n.. toctree::\n\n   note\n"
NOTE = (
    "# Note\n\nInline $h_j$.\n\n$$\nc + d\n$$ (diff)\n\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n"
)


def build(folder, page):
    (folder / "conf.py").write_text(CONF.format(folder=str(ROOT / "docs" / "_ext")))
    (folder / "index.rst").write_text(page)
    (folder / "note.md").write_text(NOTE)
    command = [sys.executable, "-m", "sphinx", "-qW", str(folder), str(folder / "out")]
    return subprocess.run(command, capture_output=True, text=True)


def test_pages_have_formulas_with_numbers_and_no_script_for_them(tmp_path):
    done = build(tmp_path, PAGE)
    assert not done.returncode, done.stderr
    index, note = ((tmp_path / "out" / name).read_text() for name in ("index.html", "note.html"))
    assert index.count("<math") == 2
    assert '<span class="eqno">(1)<a class="headerlink"' in index
    assert '<div class="formula" id="equation-sum" tabindex="0">' in index  # scrolls with the keyboard
    assert 'href="#equation-sum"' in index
    assert note.count("<math") == 3
    assert note.count("<mtd>") == 4
    assert not re.search(r"<script[^>]*mathjax", (index + note).lower())


def test_a_wrong_formula_fails_the_build(tmp_path):
    done = build(tmp_path, PAGE.replace("a + b", r"\unknown + b"))
    assert done.returncode
    assert r"cannot convert the formula '\\unknown + b'" in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css"/>',
        '<img alt="" src="http://example.org/a.png">',
        '<img alt="" srcset="https://example.org/a.png 2x" src="a.svg">',
        '<style>@import "https://example.org/a.css";</style>',
        '<p style="background: url(https://example.org/a.png)"></p>',
        '<script>import("https://example.org/a.mjs")</script>',
        '<iframe src="https://example.org/a"></iframe>',
        '<link rel="stylesheet" href="other.css">',
        '<script src="other.js"></script>',
        '<img alt="" src="missing.png">',
        f'<img alt="" src="large.png">{"x" * 1000}',
    ],
)
def test_check_finds_what_a_page_must_not_load(tmp_path, content):
    (tmp_path / "other.css").write_text("@font-face { src: url('https://example.org/a.woff2') }")
    (tmp_path / "other.js").write_text('const url = "https://example.org/a.js";')
    (tmp_path / "large.png").write_bytes(b"0" * (MAX_BYTES - 1000))
    (tmp_path / "a.svg").write_text("<svg/>")
    (tmp_path / "index.html").write_text("<p></p>")
    assert check_site(tmp_path)[0] == []
    (tmp_path / "index.html").write_text(content)
    problems, sizes = check_site(tmp_path)
    assert len(problems) == 1
    assert [name for _, name in sizes] == ["index.html"]


def test_check_accepts_links_and_own_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "page.html").write_text(
        '<link rel="stylesheet" href="../b.css?v=1"><link rel="canonical" href="https://example.org/">'
        '<a href="https://example.org/a.js">a</a><img alt="" src="data:image/png;base64,AA==">'
    )
    (tmp_path / "b.css").write_text("/* https://example.org/a.css */ p { background: url('c.svg') }")
    (tmp_path / "c.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    problems, sizes = check_site(tmp_path)
    assert problems == []
    assert sizes == [(sum(p.stat().st_size for p in tmp_path.rglob("*.*")), "a/page.html")]


@pytest.mark.parametrize(
    "url", ["missing.html", "a/page.html#missing", "#missing", "a/missing#x", "../index.html"]
)
def test_check_finds_links_that_do_not_resolve(tmp_path, url):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "page.html").write_text('<h2 id="here"></h2><a href="../index.html#top">top</a>')
    links = '<a id="top" href="a/page.html#here"></a><a href="#top"></a><a href="#"></a><a href="mailto:a@example.org">'
    (tmp_path / "index.html").write_text(links)
    assert check_site(tmp_path)[0] == []
    (tmp_path / "index.html").write_text(f'{links}<a href="{url}"></a>')
    [problem] = check_site(tmp_path)[0]
    assert problem.startswith(f"index.html links to {url}, which ")


def test_check_finds_default_thumbnails(tmp_path):
    (tmp_path / "_images").mkdir()
    (tmp_path / "index.html").write_text("<p></p>")
    for name in ("plot_1_thumb.png", "plot_1_001.png", "plot_2_thumb.svg", "plot_3_thumb.png"):
        (tmp_path / "_images" / f"sphx_glr_{name}").write_bytes(b"")
    assert check_site(tmp_path)[0] == ["plot_3 has the default thumbnail: set sphinx_gallery_thumbnail_path"]


def test_the_documentation_is_checked_when_it_is_built():
    recipe = (ROOT / "Makefile").read_text().split("\ndocs:")[1].split("\n\n")[0]
    assert "docs/check_site.py docs/_build/html" in recipe
