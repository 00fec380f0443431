"""Pages for contributors: their code runs, block after block, as one script."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs" / "contributing").glob("add_*.rst"))


def code_of(text):
    """Return the code blocks of a page as one script, each line at its place in the page."""
    lines = ["" for _ in text.splitlines()]
    for match in re.finditer(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", text, re.M):
        start = text[: match.start(1)].count("\n")
        block = textwrap.dedent(match[1]).splitlines()
        lines[start : start + len(block)] = block
    return "\n".join(lines) + "\n"


def run(code, folder):
    """Run a script in a new process, so that registered types and methods do not reach other tests."""
    script = folder / "page.py"
    script.write_text(code)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_each_extension_has_a_page():
    names = {"add_a_cell", "add_a_kind_of_sample", "add_a_tree_format", "add_an_explainer_method"}
    assert {path.stem for path in PAGES} == names
    index = (ROOT / "docs" / "contributing" / "index.rst").read_text()
    assert all(f"   {name}\n" in index for name in names)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_code_of_a_page_runs(page, tmp_path):
    result = run(code_of(page.read_text()), tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_pages_have_at_most_80_lines(page):
    assert len(page.read_text().splitlines()) <= 80


def test_blocks_share_names_and_a_failing_block_is_reported(tmp_path):
    page = "Page\n\n.. code-block:: python\n\n    def f():\n\n        return 1\n\nText\n\n"
    page += ".. code-block:: python\n\n    assert f() == {}\n"
    assert run(code_of(page.format(1)), tmp_path).returncode == 0
    result = run(code_of(page.format(2)), tmp_path)
    assert "line 13" in result.stderr
