"""Files that were made to do harm."""

import numpy as np
import pytest
from samples import BRACKETS, TEXTS, Y, quick

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, RNNClassifier, load, save
from sklearn_tree.io import files


def add(arrays, array):
    """Add an array to those of a file and return the value that names it."""
    arrays.append(array)
    return {"$": "array", "number": len(arrays) - 1}


def compile_by_a_shell(state, arrays):
    options = {"cpp.march": "native -wrapper '/bin/sh,-c,id'"}
    state["net_"]["params"] |= {"compile": True, "compile__options": options}


def compile_in_fit(state, arrays):
    state["net_params"] = {"compile": True}


def replace_the_module(state, arrays):
    state["net_"]["params"]["module"] = {"__torch__": "class", "name": "L1Loss"}


def open_a_file(state, arrays):
    state["kind_"]["vectors"] = {"size": 64, "is_param": False, "embeddings": "/etc/passwd"}


def repeat_an_array(state, arrays):
    large = add(arrays, np.zeros(100_000, np.float32))
    state["net_"]["weights"] |= {f"x{i}": large for i in range(150)}


def name_empty_texts(state, arrays):
    texts = {**add(arrays, np.zeros(0, np.uint32)), "dtype": "U0", "shape": [2 * 10**8]}
    state["kind_"]["state"]["names"] = {"$": "objects", "items": [texts], "shape": [10**9]}


def choose_a_large_loss(state, arrays):
    params = state["net_"]["params"]
    params |= {"criterion": {"__torch__": "class", "name": "AdaptiveLogSoftmaxWithLoss"}}
    params |= {"criterion__in_features": 20000, "criterion__n_classes": 20000, "criterion__cutoffs": [10000]}


def move_a_random_state(state, arrays):
    key = add(arrays, np.arange(624, dtype=np.uint32))
    items = ["MT19937", key, 2**30, 0, 0.0]
    state["random_state"] = {"$": "random_state", "state": {"$": "tuple", "items": items}}


def choose_colliding_keys(state, arrays):
    state["class_weight"] = {"$": "dict", "items": [[i * (2**61 - 1), 0] for i in range(100)]}


FORGERIES = {
    compile_by_a_shell: "must not have the parameter 'compile'",
    compile_in_fit: "net_params must not contain 'compile'",
    replace_the_module: "must not have the parameter 'module'",
    open_a_file: "embeddings must not be the path of a file, got '/etc/passwd'",
    repeat_an_array: "must occur only once",
    name_empty_texts: "cannot reshape",
    choose_a_large_loss: "unknown object of torch",
    move_a_random_state: "the position of a random state must be in",
    choose_colliding_keys: "keys must be str or small numbers",
}


def forge(estimator, change, path):
    """Save an estimator, change the state in its file, and write it with a valid digest."""
    save(estimator, path)
    state, arrays = files.read(path)
    change(state["state"], arrays)
    files.write(path, state, arrays)


@pytest.mark.parametrize("change", FORGERIES, ids=lambda change: change.__name__)
def test_harmful_files_are_refused(change, tmp_path):
    net = quick(RNNClassifier).fit(TEXTS, Y)
    forge(net, change, tmp_path / "file")
    with pytest.raises(ValueError, match=FORGERIES[change]):
        load(tmp_path / "file", device="cpu")
    forge(net, lambda state, arrays: None, tmp_path / "file")  # the control
    load(tmp_path / "file", device="cpu")


@pytest.mark.parametrize(
    ("name", "column"),
    [("depths", np.full(156, 2 * 10**9, np.int32)), ("labels", np.full(156, 10**8, np.int32))],
)
def test_columns_of_trees_are_validated(name, column, tmp_path):
    explainer = CaptumExplainer(quick(RecursiveNetClassifier).fit(BRACKETS, Y)).fit(BRACKETS)
    n_nodes = explainer._samples.n_nodes

    def change(state, arrays):
        state["_samples"]["state"] |= {"validate": False, name: add(arrays, column[:n_nodes])}

    forge(explainer, change, tmp_path / "file")
    with pytest.raises(ValueError, match="cannot be loaded"):
        load(tmp_path / "file", device="cpu")
