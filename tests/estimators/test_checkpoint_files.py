"""Files of checkpoints: full disks, damages, other processes."""

import hashlib
import io
import os
import pickle
import resource
import time
from collections import deque, namedtuple
from contextlib import contextmanager

import numpy as np
import pytest
import skorch
import torch
from crashes import assert_same_bits, crash
from samples import TEXTS, Y, quick
from sklearn.base import clone
from torch import nn

from sklearn_tree import RNNClassifier, load, save
from sklearn_tree.estimators.storable import from_storable, to_storable
from sklearn_tree.io import files


@pytest.fixture
def crashed(tmp_path):
    """An estimator whose fit crashed in the third epoch, and the file of its checkpoint."""
    net = quick(RNNClassifier, max_epochs=5, checkpoint_dir=tmp_path)
    crash(clone(net), TEXTS, Y, 3)
    return net, tmp_path / "checkpoint.pt"


@contextmanager
def full_disk(n_bytes):
    """Let no file grow beyond a size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_raises_and_keeps_the_last_epoch(crashed):
    net, path = crashed
    before = path.read_bytes()
    with (
        full_disk(1000),
        pytest.raises(OSError, match="cannot be written, the fit continues from the last epoch"),
    ):
        net.fit(TEXTS, Y)
    assert not hasattr(net, "net_")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]
    assert_same_bits(net.fit(TEXTS, Y), quick(RNNClassifier, max_epochs=5).fit(TEXTS, Y), TEXTS)


@pytest.mark.parametrize("name", ["", "runs/{diggest}", "runs/{digest", "{digest}/}", "a{}"])
def test_other_braces_and_empty_paths_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"checkpoint_dir must be a path, with no braces but those of '{digest}'"
    ):
        quick(RNNClassifier, checkpoint_dir=name).fit(TEXTS, Y)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused_before_the_training(tmp_path):
    (tmp_path / "file").write_text("")
    started = skorch.callbacks.Callback()
    started.on_train_begin = lambda *_, **__: pytest.fail("the training has begun")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        net = quick(RNNClassifier, checkpoint_dir=folder, callbacks=[started])
        with pytest.raises(OSError, match=r"checkpoint_dir.*file"):
            net.fit(TEXTS, Y)
    with full_disk(10), pytest.raises(OSError, match="cannot be written"):
        quick(RNNClassifier, checkpoint_dir=tmp_path / "run", callbacks=[started]).fit(TEXTS, Y)


@pytest.mark.parametrize(
    "damage", [lambda x: x[:-9], lambda x: x[:40], lambda x: b"", lambda x: x[:-9] + b"x" * 9]
)
def test_a_damaged_file_is_refused(crashed, damage):
    net, path = crashed
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"checkpoint.pt is damaged, delete it to restart the fit"):
        net.fit(TEXTS, Y)
    path.unlink()
    assert net.fit(TEXTS, Y).n_iter_ == 5


def test_files_of_killed_processes_are_removed_and_those_of_others_kept(crashed):
    net, path = crashed
    old, new = (path.parent / f".sklearn_tree-{i}" for i in (1, 2))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 4000,) * 2)
    net.fit(TEXTS, Y)
    assert sorted(file.name for file in path.parent.iterdir()) == [new.name, "checkpoint.pt"]


@pytest.mark.parametrize("missing", ["seed", "training", "module", "generators"])
def test_a_file_without_a_part_is_refused(crashed, missing):
    net, path = crashed
    content = _content(path)
    del (content if missing in content else content["training"])[missing]
    _forge(path, content)
    with pytest.raises(ValueError, match="is a checkpoint of another version, delete it to restart the fit"):
        net.fit(TEXTS, Y)


Point = namedtuple("Point", "x y")
VALUES = {
    "numbers": {"a": [1, 2.5, True, None, 1j, b"x"], "b": ("c", np.float32(2))},
    "arrays": [
        np.arange(6).reshape(2, 3)[:, ::2],
        np.array([True]),
        np.arange(2.0).astype(">f8"),
        np.array(1.5),
        np.array(["a", None], dtype=object),
    ],
    "sets": {1, (2, "a")},
    "frozen": frozenset("ab"),
    "deque": deque([1, np.arange(2)], maxlen=3),
    "keys": {1: 2, (1, "a"): 3, np.str_("b"): 4, np.int64(7): 5},
    "tag": {"__type__": "set", "content": [1]},
    "tensor": torch.ones(2, requires_grad=True) * 2,
    "parameter": nn.Parameter(torch.ones(2)),
}


@pytest.mark.parametrize("name", VALUES)
def test_stored_values_are_restored(name, tmp_path):
    stored, lost = to_storable(VALUES[name])
    torch.save(stored, tmp_path / "file")
    restored = from_storable(torch.load(tmp_path / "file", weights_only=True))
    assert lost == []
    _assert_equal(restored, VALUES[name])


def test_values_that_cannot_be_stored_are_named():
    stored, lost = to_storable({"a": 1, "b": [object()], "c": {"d": print, "e": 2}, print: 3}, "state")
    assert stored == {"a": 1, "c": {"e": 2}}
    assert lost[:2] == ["state['b'][0]", "state['c']['d']"]
    assert len(lost) == 3
    assert to_storable(Point(1, 2))[0] == (1, 2)


def test_a_fit_that_cannot_save_the_state_of_a_callback_warns_once(tmp_path):
    class Remember(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("point", Point(1, np.arange(2)))

        def state_dict(self):
            return {"good": {1}, "bad": print}

        def load_state_dict(self, state):
            self.state = state

    callback = Remember()
    net = quick(RNNClassifier, max_epochs=4, checkpoint_dir=tmp_path, callbacks=[("mine", callback)])
    with pytest.warns(
        UserWarning, match=r"checkpoint_dir: \['callbacks'\]\['mine'\]\['bad'\] cannot be saved"
    ) as found:
        crash(clone(net), TEXTS, Y, 3)
    assert len(found) == 1
    with pytest.warns(UserWarning, match="cannot be saved"):
        net.fit(TEXTS, Y)
    assert callback.state == {"good": {1}}
    assert net.net_.history[0]["point"][0] == 1


def _content(path):
    data = path.read_bytes()
    return torch.load(io.BytesIO(data[data.index(b"PK") :]), weights_only=True)


def _forge(path, content):
    data = path.read_bytes()
    buffer = io.BytesIO()
    torch.save(content, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest().encode()
    path.write_bytes(data[: data.index(b"PK") - len(digest)] + digest + buffer.getvalue())


def _assert_equal(found, wanted):
    if isinstance(wanted, np.generic):
        wanted = wanted.item()
    if isinstance(wanted, dict):
        assert list(found) == [k.item() if isinstance(k, np.generic) else k for k in wanted]
        found, wanted = list(found.values()), list(wanted.values())
    assert type(found) is type(wanted) or isinstance(wanted, nn.Parameter)
    if isinstance(wanted, (list, tuple, deque)):
        assert len(found) == len(wanted)
        assert getattr(found, "maxlen", 0) == getattr(wanted, "maxlen", 0)
        for pair in zip(found, wanted, strict=True):
            _assert_equal(*pair)
    elif isinstance(wanted, (np.ndarray, torch.Tensor)):
        np.testing.assert_array_equal(
            np.asarray(found), wanted.detach() if isinstance(wanted, torch.Tensor) else wanted
        )
        assert str(found.dtype).lstrip(">") == str(wanted.dtype).lstrip(">").replace("f8", "float64")
    else:
        assert found == wanted


def test_partial_fit_and_copies_write_no_files(tmp_path):
    net = quick(RNNClassifier, checkpoint_dir=tmp_path / "run")
    net.partial_fit(TEXTS, Y)
    net.make_net(TEXTS, Y)
    assert not (tmp_path / "run").exists()
    save(net.fit(TEXTS, Y), tmp_path / "net")
    assert load(tmp_path / "net").checkpoint_dir is None
    assert pickle.loads(pickle.dumps(net)).checkpoint_dir == net.checkpoint_dir


def test_a_forged_file_cannot_name_a_folder(tmp_path):
    save(quick(RNNClassifier).fit(TEXTS, Y), tmp_path / "net")
    state, arrays = files.read(tmp_path / "net")
    state["state"]["checkpoint_dir"] = "/tmp/elsewhere"
    files.write(tmp_path / "forged", state, arrays)
    with pytest.raises(ValueError, match="checkpoint_dir must be None in a saved estimator"):
        load(tmp_path / "forged")
