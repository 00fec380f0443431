"""Compiled passes are found, cached and refused."""

import os

import pytest
import torch
from user_cells import GATED_CELLS

from sklearn_tree.nn.compiled import kernels
from sklearn_tree.nn.compiled.kernels import kernels_of

pytest.importorskip("numba")


def make(cell="nary_lstm", **attributes):
    module = GATED_CELLS[cell](2, 3, 2)
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def test_equal_cells_share_their_kernels():
    assert kernels_of(make()) is kernels_of(make())
    assert kernels_of(make()).name == kernels_of(GATED_CELLS["nary_lstm"](7, 5, 2)).name
    assert kernels_of(make()).name != kernels_of(GATED_CELLS["nary_lstm"](2, 3, 3)).name


def test_kernels_depend_on_attributes():
    class Leaky(GATED_CELLS["rnn"]):
        is_pure = True
        slope = 0.5

        def update(self, gates, messages):
            return (gates[0] * self.slope,)

    cell = Leaky(2, 3, 2)
    cell.slope = 0.25
    names = {kernels_of(cell).name}
    cell.slope = 0.75
    names.add(kernels_of(cell).name)
    assert len(names) == 2


@pytest.mark.parametrize("value", [[1.0], torch.ones(1), {"a": 1}, object()])
def test_cells_with_attributes_that_may_change_in_place_are_refused(value):
    assert kernels_of(make(extra=1.0)) is not None  # the control
    assert kernels_of(make(extra=value)) is None


def test_cells_with_buffers_are_refused():
    assert kernels_of(make("positions")) is None


def test_without_numba_there_are_no_kernels(monkeypatch):
    monkeypatch.setattr(kernels, "has_numba", lambda: False)
    assert kernels_of(make()) is None


def test_the_folder_is_that_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path))
    assert kernels.cache_folder() == tmp_path
    monkeypatch.delenv("SKLEARN_TREE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernels.cache_folder() == tmp_path / "sklearn_tree"


def test_a_damaged_file_is_written_again(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path / "new"))
    path = kernels._write_source("some_name", "x = 1\n")
    assert path.read_text() == "x = 1\n"
    path.write_text("x = 2\n")
    assert kernels._import_source("some_name", "x = 1\n").x == 1
    assert set(os.listdir(path.parent)) - {"__pycache__"} == {"some_name.py"}


def test_without_a_folder_that_can_be_written_the_source_is_temporary(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path / "file" / "folder"))
    path = kernels._write_source("some_name", "x = 1\n")
    assert path.exists()
    assert tmp_path not in path.parents
