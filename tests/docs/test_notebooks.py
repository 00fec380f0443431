"""Notebooks of the documentation: format, no stored outputs, no paths of a machine, a heading."""

import copy
import json
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))
ABSOLUTE_PATH = r"(?<![\w.:/<])/(?:home|root|tmp|usr|work|Users|mnt|opt)/|\b[A-Z]:\\"


def check_notebook(notebook):
    """Check the laws of all notebooks; ``notebook`` is the content of a file, as parsed JSON."""
    nbformat.validate(notebook)
    for cell in notebook["cells"]:
        assert not cell.get("outputs"), "outputs must not be stored"
        assert cell.get("execution_count") is None, "execution counts must not be stored"
        assert not re.search(ABSOLUTE_PATH, "".join(cell["source"])), "paths must not be absolute"
    first = notebook["cells"][0]
    is_heading = first["cell_type"] == "markdown" and "".join(first["source"]).startswith("# ")
    assert is_heading, "the first cell must be a heading"
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_valid_and_clean(path):
    check_notebook(read(path))


def test_all_notebooks_are_listed():
    index = (NOTEBOOKS[0].parent / "index.rst").read_text()
    assert len(NOTEBOOKS) == 3
    assert all(f"\n   {path.stem}\n" in index for path in NOTEBOOKS)


STREAM = {"output_type": "stream", "name": "stdout", "text": "1"}


@pytest.mark.parametrize(
    ("index", "changes", "message"),
    [
        (1, {"outputs": [STREAM]}, "outputs must not be stored"),
        (1, {"execution_count": 1}, "execution counts must not be stored"),
        (1, {"source": ["x = 1\n", "open('/home/ada/data.csv')"]}, "paths must not be absolute"),
        (1, {"source": "open(r'C:\\data.csv')"}, "paths must not be absolute"),
        (0, {"source": "## A section"}, "the first cell must be a heading"),
    ],
)
def test_other_notebooks_are_refused(index, changes, message):
    notebook = {
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A title"},
            {
                "cell_type": "code",
                "id": "b",
                "metadata": {},
                "source": "1 / 2",
                "outputs": [],
                "execution_count": None,
            },
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    check_notebook(notebook)
    broken = copy.deepcopy(notebook)
    broken["cells"][index].update(changes)
    with pytest.raises(AssertionError, match=message):
        check_notebook(broken)
    del broken["cells"][index]["metadata"]
    with pytest.raises(nbformat.ValidationError):
        check_notebook(broken)
