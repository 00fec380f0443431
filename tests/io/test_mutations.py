"""Damaged and forged files give an error or an equal model."""

import numpy as np
import pytest
import torch
from fuzzing_files import fuzz_files, save_seeds
from samples import TEXTS, Y, quick

from sklearn_tree import RNNClassifier, SequenceVectorizer, load, save
from sklearn_tree.export import to_onnx
from sklearn_tree.io import files
from sklearn_tree.serve import OnnxClassifier


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with two saved estimators, and their samples and outputs."""
    folder = tmp_path_factory.mktemp("saved")
    return folder, save_seeds(folder)


@pytest.mark.parametrize("seed", range(2))
def test_damaged_files_give_an_error_or_an_equal_model(saved, seed):
    n_loaded, n_refused = fuzz_files(*saved, 300, seed, is_forged=False)
    assert n_refused > 200
    assert n_loaded > 3


@pytest.mark.filterwarnings("ignore")  # of versions, devices and empty layers
@pytest.mark.parametrize("seed", range(2))
def test_forged_files_give_an_error_or_a_model(saved, seed):
    n_loaded, n_refused = fuzz_files(*saved, 300, seed, is_forged=True)
    assert n_refused > 150
    assert n_loaded > 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("module__hidden_size", 10**15),
        ("module__n_layers", 10**9),
        ("module__n_labels", 10**12),
        ("module__hidden_size", 10**5),
    ],
)
def test_sizes_are_checked_before_memory_is_allocated(saved, name, value):
    folder, _ = saved
    state, arrays = files.read(folder / "RNNClassifier.safetensors")
    state["state"]["net_"]["params"][name] = value
    files.write(folder / "forged", state, arrays)
    with pytest.raises(ValueError, match=r"must (have|be at most) \d+"):
        load(folder / "forged")


def test_foreign_classes_and_paths_are_refused(saved):
    folder, _ = saved
    state, arrays = files.read(folder / "RNNClassifier.safetensors")
    forged = {
        "names the class 'os.system'": {"class": "os.system"},
        "embeddings must not be the path": {"state": {**state["state"], "embeddings": "/etc/passwd"}},
        "unknown object of torch: class": {
            "state": {**state["state"], "optimizer": {"__torch__": "class", "name": "Module"}}
        },
    }
    for message, change in forged.items():
        files.write(folder / "forged", {**state, **change}, arrays)
        with pytest.raises(ValueError, match=message):
            load(folder / "forged")
    files.write(folder / "forged", state, arrays)
    load(folder / "forged")  # the control


def test_files_of_other_formats_are_named(tmp_path):
    net = quick(RNNClassifier).fit(TEXTS, Y)
    to_onnx(net, tmp_path / "net.onnx")
    save(net, tmp_path / "net.safetensors")
    (tmp_path / "net.skops").write_bytes(b"PK")
    for name, message in {
        "net.onnx": "OnnxClassifier and OnnxRegressor open",
        "net.skops": "skops.io.load opens",
    }.items():
        with pytest.raises(ValueError, match=message):
            load(tmp_path / name)
    with pytest.raises(ValueError, match=r"use sklearn_tree\.load"):
        OnnxClassifier(tmp_path / "net.safetensors")
    with pytest.raises(TypeError, match="the path comes second"):
        save(tmp_path / "net", net)
    with pytest.raises(TypeError, match="cells must be a sequence of classes, got the class RNNClassifier"):
        load(tmp_path / "net.safetensors", cells=RNNClassifier)
    with pytest.raises(TypeError, match=r"tokenizer'?\]? cannot be saved, got a function"):
        save(SequenceVectorizer(tokenizer=lambda text: [text]), tmp_path / "lambda")


def test_other_files_are_refused(tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(FileNotFoundError, match="is not a file"):
        load(tmp_path / "missing")
    (tmp_path / "text").write_text("hello")
    save_file({"a": np.ones(2)}, tmp_path / "weights")
    save_file({"a": np.ones(2)}, tmp_path / "later", {"format": "sklearn_tree", "version": "2"})
    torch.save({"a": torch.ones(2)}, tmp_path / "torch")
    for name, message in {
        "text": "is not a file of sklearn_tree.save",
        "torch": "is not a file of sklearn_tree.save",
        "weights": "is not a file of sklearn_tree.save",
        "later": "has the format version '2'",
    }.items():
        with pytest.raises(ValueError, match=message):
            load(tmp_path / name)
