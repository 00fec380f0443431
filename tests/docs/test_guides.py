"""Guides: their doctests, and their tables and figures as the scripts write them."""

import doctest
import importlib.util
import re
from functools import cache

import numpy as np
import pandas as pd
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


DECIMAL = re.compile(r"(?<![\w.=/:])(\d*\.\d+)(?![\w/]|\.\d)")


@cache
def find_measured():
    """Return all decimals in the files of results, and the means of the seeds in ``defaults.csv``."""
    folder = ROOT / "benchmarks"
    files = [folder / "README.md", *(folder / "results").iterdir(), *(ROOT / "docs" / "tables").iterdir()]
    results = pd.read_csv(folder / "results" / "defaults.csv", keep_default_na=False)
    means = results.groupby(["problem", "model", "setting"]).accuracy.mean()
    return np.array([*means, *(float(x) for file in files for x in DECIMAL.findall(file.read_text("utf-8")))])


def find_unmeasured(page, measured):
    """Return the decimals of paragraphs that cite a benchmark to which no result can be rounded."""
    found = []
    for paragraph in re.split(r"\n\s*\n", page):
        if "benchmarks/" in paragraph and not paragraph.startswith(">>>"):
            for number in DECIMAL.findall(re.sub(r"``[^`]*``", "", paragraph)):
                half = 0.5001 * 10.0 ** -len(number.partition(".")[2])
                if np.abs(measured - float(number)).min() > half:
                    found.append(number)
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.rst")), ids=lambda path: path.name)
def test_figures_that_cite_a_benchmark_are_among_its_results(path):
    assert find_unmeasured(path.read_text("utf-8"), find_measured()) == []


def test_a_figure_without_a_result_is_found():
    measured = np.array([0.6184, 2.65])
    page = "It reached .618 (``benchmarks/x.py``),\n2.6 or 2.7 times.\n\nNo source: .999.\n\n.617 and 3.1 in ``benchmarks``/"
    assert find_unmeasured(page, measured) == []
    assert find_unmeasured(page.replace("reached .618", "reached .617"), measured) == [".617"]
