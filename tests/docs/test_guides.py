"""Guides: their doctests, and their tables and figures as the scripts write them."""

import doctest
import importlib.util

import pytest
from pages import ROOT, run

OTHER_PROCESSES = ["extending.rst", "works_with.rst"]  # register methods; import libraries that warn
GUIDES = sorted(
    path.name
    for path in (ROOT / "docs").glob("*.rst")
    if ">>>" in path.read_text("utf-8") and path.name not in OTHER_PROCESSES
)
SCRIPT = """
import doctest
flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
result = doctest.testfile({path!r}, module_relative=False, optionflags=flags, encoding="utf-8")
assert result.attempted > 0
assert result.failed == 0
"""


@pytest.mark.parametrize("page", GUIDES)
def test_the_code_of_a_guide_runs(page):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(
        str(ROOT / "docs" / page), module_relative=False, optionflags=flags, encoding="utf-8"
    )
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("page", OTHER_PROCESSES)
def test_the_code_of_a_guide_runs_in_a_new_process(page, tmp_path):
    done = run(SCRIPT.format(path=str(ROOT / "docs" / page)), tmp_path)
    assert not done.returncode, done.stdout + done.stderr


def test_tables_of_results_are_those_that_the_script_makes(load_script):
    script = load_script("benchmarks/tables.py")
    tables = script.make_tables()
    folder = ROOT / "docs" / "tables"
    assert {path.name for path in folder.iterdir()} == {*tables}
    for name, text in tables.items():
        assert (folder / name).read_text() == text, f"run python benchmarks/tables.py to update {name}"
    assert script.make_readme_table() in (ROOT / "README.md").read_text()


def test_every_problem_of_the_test_parts_is_in_a_table(load_script):
    script = load_script("benchmarks/tables.py")
    measured = {*script.pd.read_csv(script.RESULTS / "accuracy.csv").problem}
    assert {name for names in script.PROBLEMS.values() for name in names} == measured


def test_figures_are_those_that_the_script_draws(load_script):
    script = load_script("docs/figures/draw.py")
    assert {path.name for path in script.FOLDER.glob("*.svg")} == {
        *script.FIGURES,
        "explained.svg",
    }  # of explain.py
    thumbnails = {f"thumbnails/{name}": draw for name, draw in script.THUMBNAILS.items()}
    assert {f"thumbnails/{path.name}" for path in (script.FOLDER / "thumbnails").iterdir()} == {*thumbnails}
    for name, draw in (script.FIGURES | thumbnails).items():
        assert (script.FOLDER / name).read_text("utf-8") == draw(), (
            f"run python docs/figures/draw.py to update {name}"
        )


@pytest.fixture
def load_script():
    """Return a function that runs a script of the repository as a module."""

    def load(path):
        spec = importlib.util.spec_from_file_location("script", ROOT / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
