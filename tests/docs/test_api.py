"""The API page: it lists every public name, and every name has an example that the tests run."""

import doctest
import importlib
import inspect
import re

import pytest
from pages import ROOT

API = (ROOT / "docs" / "api.rst").read_text()
MODULES = [
    "sklearn_tree",
    *(
        f"sklearn_tree.{name}"
        for name in (
            "datasets",
            "diagnosis",
            "explain",
            "explain.metrics",
            "export",
            "io",
            "nn",
            "plot",
            "preprocessing",
            "serve",
            "trees",
        )
    ),
]
# Examples that are shown only: they download, read the standard library or compile for many seconds.
NOT_RUN = {"compile_cells", "fetch_sst", "load_python_functions"}


def find_listed(text):
    """Return the full names in the tables and the ``data`` directives of the API page."""
    module, in_table, names = "", False, []
    for line in text.splitlines():
        if match := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        if line.startswith(".. "):
            in_table = line == ".. autosummary::"
        match = re.fullmatch(r"   ([\w.]+)", line) if in_table else re.fullmatch(r"\.\. data:: (\S+)", line)
        if match:
            names.append(f"{module}.{match[1]}")
    return names


def resolve(name):
    """Return the object with a full name."""
    module, parts = importlib.import_module("sklearn_tree"), name.split(".")[1:]
    for i, part in enumerate(parts):
        if not hasattr(module, part):
            importlib.import_module(".".join(["sklearn_tree", *parts[: i + 1]]))
        module = getattr(module, part)
    return module


LISTED = find_listed(API)
DOCUMENTED = [name for name in LISTED if callable(resolve(name))]


def parse_examples(public):
    return doctest.DocTestParser().get_examples(public.__doc__ or "")


def find_names_without_examples(names):
    return [name for name in names if not parse_examples(resolve(name))]


def find_unlisted_names(listed):
    """Return the public names of ``MODULES`` that are not in a list of full names."""
    modules = [importlib.import_module(name) for name in MODULES]
    objects = {id(resolve(name)) for name in listed}
    return [
        f"{module.__name__}.{name}"
        for module in modules
        for name in module.__all__
        if id(public := getattr(module, name)) not in objects and not inspect.ismodule(public)
    ]


def test_every_public_name_is_on_the_api_page():
    assert find_unlisted_names(LISTED) == []
    assert len(LISTED) == len(set(LISTED)) > 100


def test_every_public_name_has_an_example():
    assert find_names_without_examples(DOCUMENTED) == []


def test_the_checks_name_what_is_missing():
    unlisted = [name for name in LISTED if not name.endswith((".save", ".nn.Level", ".nn.CELLS"))]
    missing = {"sklearn_tree.save", "sklearn_tree.io.save", "sklearn_tree.nn.Level", "sklearn_tree.nn.CELLS"}
    assert {*find_unlisted_names(unlisted)} == missing
    assert find_names_without_examples(["sklearn_tree.save", "sklearn_tree.trees.levels.sort_nodes"]) == [
        "sklearn_tree.trees.levels.sort_nodes"
    ]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_examples_are_run(name):
    """The doctests of the package run the example, or this test runs it; a decorator hides some from them."""
    public = resolve(name)
    is_skipped = [doctest.SKIP in example.options for example in parse_examples(public)]
    assert any(is_skipped) == (public.__name__ in NOT_RUN)
    module = inspect.getmodule(inspect.unwrap(public))
    found = {test.name for test in doctest.DocTestFinder().find(module, module.__name__) if test.examples}
    if f"{module.__name__}.{public.__qualname__}" in found:
        return
    test = doctest.DocTestParser().get_doctest(public.__doc__, {}, name, None, 0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=flags).run(test)
    assert result.attempted
    assert not result.failed
