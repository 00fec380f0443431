"""Compiled passes are found, cached and refused."""

import shutil
import threading
import types

import numpy as np
import pytest
import torch
from short_kernels import use_short_kernels
from user_cells import GATED_CELLS

from sklearn_tree.nn import compile_cells
from sklearn_tree.nn.compiled import kernels
from sklearn_tree.nn.compiled.fingerprint import take_fingerprint
from sklearn_tree.nn.compiled.kernels import kernels_of
from sklearn_tree.nn.compiled.row_code import PRELUDE

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


def test_kernels_follow_every_change_of_the_equations():
    def update(self, gates, messages):
        return (gates[0] * self.slope * FACTORS.first + shift(messages[0]),)

    def shift(x):
        return x + offset

    FACTORS, offset = types.ModuleType("factors"), 1.0
    FACTORS.first = 2.0
    cls = type("Leaky", (GATED_CELLS["child_sum_gru"],), {"update": update, "slope": 0.5, "is_pure": True})
    cell = cls(2, 3, 2)
    names = [kernels_of(cell).name]
    cls.slope = 0.25
    names.append(kernels_of(cell).name)
    FACTORS.first = 3.0
    names.append(kernels_of(cell).name)
    offset = 4.0
    names.append(kernels_of(cell).name)
    cls.update = lambda self, gates, messages: (gates[0],)
    names.append(kernels_of(cell).name)
    assert len(set(names)) == 5


@pytest.mark.parametrize("value", [torch.ones(()), [1.0], object(), torch.nn.Linear(1, 1)])
def test_functions_that_read_a_changeable_object_are_refused(value):
    def update(self, gates, messages):
        return (gates[0] * (1.0 if value is None else 2.0),)

    cell = type("Leaky", (GATED_CELLS["child_sum_gru"],), {"update": update, "is_pure": True})(2, 3, 2)
    assert take_fingerprint(cell) is None
    value = 1.5
    assert take_fingerprint(cell) is not None  # the control
    cell = type("Leaky", (GATED_CELLS["child_sum_gru"],), {"update": update, "is_pure": True})(2, 3, 2)
    assert take_fingerprint(cell) is not None


def test_functions_that_read_other_classes_are_refused():
    settings = type("Settings", (), {"scale": 2.0})

    def update(self, gates, messages):
        return (gates[0] * settings.scale,)

    cell = type("Leaky", (GATED_CELLS["child_sum_gru"],), {"update": update, "is_pure": True})(2, 3, 2)
    assert take_fingerprint(cell) is None


def test_kernels_follow_the_activations_of_the_gates():
    cls = type("Leaky", (GATED_CELLS["child_sum_lstm"],), {"is_pure": True})
    before = take_fingerprint(cls(2, 3, 2))
    cls.tanh_gates = ()
    assert take_fingerprint(cls(2, 3, 2)) != before


def test_traces_do_not_depend_on_inference_mode(folder):
    expected = kernels_of(Scaled(2, 3, 2)).name
    kernels._kernels.clear()
    with torch.inference_mode():
        assert kernels_of(Scaled(2, 3, 2)).name == expected


def test_equal_numbers_of_different_types_are_distinguished():
    prints = {take_fingerprint(make(extra=x)) for x in (1, 1.0, True, 0.0, -0.0, float("nan"), float("nan"))}
    assert len(prints) == 6


class Scaled(GATED_CELLS["child_sum_gru"]):
    """Cell with equations that no other test compiles."""

    is_pure = True
    factor = 0.4375

    def update(self, gates, messages):
        return (gates[0] * self.factor + messages[0],)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return an empty cache, from which each call of ``reload`` reads the kernels as a new process would."""
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path))
    monkeypatch.setattr(kernels, "_kernels", {})
    return tmp_path


@pytest.fixture
def short(folder, monkeypatch):
    """Return an empty cache of short kernels, whose files are treated like those of real ones."""
    use_short_kernels(monkeypatch)
    return folder


@pytest.fixture(scope="module")
def compiled_folder(tmp_path_factory):
    """Return a cache with the kernels of the cell; its tests copy it before they change it."""
    path = tmp_path_factory.mktemp("walks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKLEARN_TREE_CACHE", str(path))
        patch.setattr(kernels, "_kernels", {})
        assert not reload(may_compile=False)[0]
        before = torch.get_rng_state()
        assert compile_cells([Scaled]) == ["Scaled"]
        assert torch.equal(torch.get_rng_state(), before)
    return path


def reload(may_compile):
    kernels._kernels.clear()
    cell = Scaled(2, 3, 2)
    found = kernels_of(cell)
    return found.load(cell, may_compile=may_compile), found


def test_kernels_are_compiled_once_and_then_read(folder, compiled_folder, monkeypatch):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(compiled_folder))
    is_loaded, found = reload(may_compile=False)
    assert is_loaded
    assert sum(found.module.climb.stats.cache_hits.values()) == 1


def damage_index(path):
    path.write_bytes(b"")


def damage_data(path):
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*.climb-*.nbi", damage_index),
        ("*.descend-*.nbc", damage_data),
        ("*.py", lambda path: path.write_bytes(b"\xff")),
    ],
)
def test_damaged_files_are_replaced(short, pattern, damage):
    assert reload(may_compile=True)[0]
    for path in short.rglob(pattern):
        damage(path)
    reload(may_compile=False)  # torch walks, if the files are needed
    assert reload(may_compile=True)[0]
    assert reload(may_compile=True)[0]  # damaged files are compiled in memory once
    assert reload(may_compile=False)[0]


def test_a_full_disk_leaves_the_kernels_in_memory(short, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", fail)
    assert reload(may_compile=True)[0]
    assert not reload(may_compile=False)[0]


def test_a_failed_compilation_is_remembered_as_a_failure(folder, monkeypatch):
    def fail(*args, **kwargs):
        raise TypeError

    monkeypatch.setattr("sklearn_tree.nn.compiled.first_walk.walk_once", fail)
    is_loaded, found = reload(may_compile=True)
    monkeypatch.undo()
    assert not is_loaded
    assert not found.load(Scaled(2, 3, 2), may_compile=True)
    assert found.module is None


def test_kernels_that_compute_something_else_are_refused(folder, compiled_folder, monkeypatch):
    shutil.copytree(compiled_folder, folder, dirs_exist_ok=True)
    for mark in folder.glob("*.compiled"):  # so that a first walk compares the kernels with the cell
        mark.unlink()
    wrong = type("Wrong", (Scaled,), {"factor": 0.4376 * 2, "is_pure": True})(2, 3, 2)
    monkeypatch.setattr(kernels, "take_fingerprint", lambda cell: ())
    assert kernels_of(Scaled(2, 3, 2)).load(wrong, may_compile=True) is False
    kernels._kernels.clear()
    assert kernels_of(Scaled(2, 3, 2)).load(Scaled(2, 3, 2), may_compile=True)  # the control


def test_a_prediction_does_not_wait_for_another_thread_that_compiles(short):
    assert reload(may_compile=True)[0]
    is_held, may_end = threading.Event(), threading.Event()

    def compile_something():
        with kernels._lock:
            is_held.set()
            may_end.wait(60)

    kernels._kernels.clear()
    cell = Scaled(2, 3, 2)
    found = kernels_of(cell)
    thread = threading.Thread(target=compile_something)
    thread.start()
    is_held.wait(60)
    assert not found.load(cell, may_compile=False)
    may_end.set()
    thread.join()
    assert found.load(cell, may_compile=False)


def test_saturated_gates_keep_their_relative_accuracy():
    x = torch.linspace(-80, 80, 1601)
    functions = {"f4": np.float32, "i4": np.int32}
    exec(PRELUDE, functions)
    sigmoid, tanh = (np.array([functions[name](np.float32(v)) for v in x]) for name in ("sigmoid", "tanh"))
    np.testing.assert_allclose(sigmoid, x.double().sigmoid(), rtol=5e-6)
    np.testing.assert_allclose(tanh, x.double().tanh(), atol=3e-7)
    assert tanh[-1] == 1
