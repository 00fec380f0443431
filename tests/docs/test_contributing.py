"""Pages for contributors: their code runs, block after block, as one script."""

import pytest
from pages import ROOT, code_of, run

PAGES = sorted(path for path in (ROOT / "docs" / "contributing").glob("add_*.rst"))


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
