"""Actions that run when a module is imported."""

import importlib
import importlib.util
import sys

import pytest

from sklearn_tree.trees.formats.imports import call_after_import


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that has not been imported, and return its name."""
    (tmp_path / "late_module.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "late_module"
    sys.modules.pop("late_module", None)


def test_an_action_runs_once_and_after_the_import(module):
    finders, seen = list(sys.meta_path), []
    call_after_import(module, lambda m: seen.append(m.x))
    assert importlib.util.find_spec(module) is not None
    assert seen == []  # the control: nothing is imported yet
    imported = importlib.import_module(module)
    assert seen == [1]
    assert type(imported.__loader__).__name__ == type(imported.__spec__.loader).__name__ == "SourceFileLoader"
    importlib.reload(imported)
    assert seen == [1]
    assert sys.meta_path == finders


def test_an_action_runs_at_once_if_the_module_is_imported(module):
    imported, seen = importlib.import_module(module), []
    call_after_import(module, seen.append)
    assert seen == [imported]


def test_several_actions_run(module):
    seen = []
    for i in range(2):
        call_after_import(module, lambda m, i=i: seen.append(i))
    importlib.import_module(module)
    assert sorted(seen) == [0, 1]


def test_a_failed_import_can_be_repeated(module, tmp_path):
    seen = []
    call_after_import(module, lambda m: seen.append(m.x))
    (tmp_path / "late_module.py").write_text("raise RuntimeError\n")
    with pytest.raises(RuntimeError):
        importlib.import_module(module)
    (tmp_path / "late_module.py").write_text("x = 2  # repaired\n")
    importlib.import_module(module)
    assert seen == [2]


def test_a_module_that_does_not_exist_is_not_found():
    finders = list(sys.meta_path)
    call_after_import("no_such_module", print)
    try:
        with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"):
            importlib.import_module("no_such_module")
    finally:
        sys.meta_path[:] = finders
