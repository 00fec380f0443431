"""Random damage to saved files, and forged files with valid digests."""

import copy
import json
import random

import numpy as np
import onnx
from samples import BRACKETS, TEXTS, Y, quick

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, load, save
from sklearn_tree.export import to_onnx
from sklearn_tree.io import files
from sklearn_tree.serve import open_onnx
from sklearn_tree.serve.metadata import seal

# Values that replace others in forged files.
FORGED = [
    None, True, -1, 0, 7, 2**31, 10**18, 0.5, float("nan"), "", "os.system", "../../x", [], {}, [[]],
    {"$": "object", "class": "os.system", "state": {}}, {"$": "object", "class": "Pipeline", "state": {}},
    {"$": "same", "number": 0}, {"$": "same", "number": -1}, {"$": "array", "number": 0},
    {"$": "array", "number": 10**9}, {"$": "array", "number": 0, "dtype": "U9", "shape": [10**12]},
    {"$": "cell", "name": "MyCell"}, {"$": "objects", "items": [1], "shape": [2**40]},
    {"__torch__": "class", "name": "Module"}, {"__torch__": "class", "name": "L1Loss"},
    {"__torch__": "dtype", "name": "float16"}, {"__torch__": "device", "name": "cuda:77"},
    {"$": "unknown"}, {"$": []}, {"$": "tuple", "items": 3}, {"$": "random_state", "state": {}},
]  # fmt: skip


def places_in(value, path=()):
    """Yield the paths of all values in nested lists and dicts."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places_in(item, (*path, key))


def forge(state, rng):
    """Return a copy of a state in which a few values are replaced, removed or exchanged."""
    state = copy.deepcopy(state)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        path = rng.choice([*places_in(state)])
        parent = state
        for key in path[:-1]:
            parent = parent[key]
        action = rng.random()
        if action < 0.7:
            parent[path[-1]] = copy.deepcopy(rng.choice(FORGED))
        elif action < 0.85:
            del parent[path[-1]]
        elif isinstance(parent[path[-1]], int) and not isinstance(parent[path[-1]], bool):
            parent[path[-1]] += rng.choice([-1, 1, 100])
        else:
            parent[path[-1]] = copy.deepcopy(rng.choice([state, parent, rng.choice(FORGED)]))
    return state


def damage(data, rng):
    """Return bytes with a few changes, some of them cut."""
    changed = bytearray(data)
    if rng.random() < 0.3:
        del changed[rng.randrange(len(data)) :]
    for _ in range(rng.choice([0, 1, 1, 8])):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def write_onnx(path, state, model):
    """Write an exported net with other metadata and a valid digest."""
    onnx.helper.set_model_props(model, {"sklearn_tree": json.dumps({**state, "digest": "0" * 64})})
    path.write_bytes(seal(model.SerializeToString()))


def read_seed(path):
    """Return a function that writes a file with another state, and the state of a file."""
    if path.suffix == ".onnx":
        model = onnx.load(path)
        state = json.loads(model.metadata_props[0].value)
        return (lambda changed, state: write_onnx(changed, state, model)), state
    state, arrays = files.read(path)
    return (lambda changed, state: files.write(changed, state, arrays)), state


def save_seeds(folder):
    """Save and export two estimators, and return their samples and outputs by the names of the files."""
    expected = {}
    for cls, X in ((RNNClassifier, TEXTS), (RecursiveNetClassifier, BRACKETS)):
        net = quick(cls, embedding_dim=4, hidden_size=3).fit(X, Y)
        for suffix, write in ((".safetensors", save), (".onnx", to_onnx)):
            write(net, path := folder / (cls.__name__ + suffix))
            expected[path.name] = X, open_any(path).predict_proba(X)
    return expected


def open_any(path):
    """Open a saved or exported estimator."""
    return open_onnx(path) if path.suffix == ".onnx" else load(path, device="cpu")


def fuzz_files(folder, expected, n, seed, *, is_forged):
    """Load n changed files and return how many were loaded and how many refused with a ValueError.

    A damaged file that can be loaded must give the same outputs, and a forged exported net must refuse
    samples with a ValueError or TypeError or give finite outputs.
    """
    rng, counts = random.Random(seed), [0, 0]
    seeds = {name: ((folder / name).read_bytes(), *read_seed(folder / name)) for name in expected}
    for _ in range(n):
        name = rng.choice([*seeds])
        data, write, state = seeds[name]
        changed = (folder / "changed").with_suffix((folder / name).suffix)
        try:
            if is_forged:
                write(changed, forge(state, rng))  # a state with two digests cannot be sealed
            else:
                changed.write_bytes(damage(data, rng))
            loaded = open_any(changed)
        except ValueError:
            counts[1] += 1
            continue
        X, proba = expected[name]
        if not is_forged:
            np.testing.assert_array_equal(loaded.predict_proba(X), proba)
        elif changed.suffix == ".onnx":
            check_outputs(loaded, X)
        counts[0] += 1
    return counts


def check_outputs(model, X):
    """Check that a forged exported net refuses samples or gives finite outputs."""
    try:
        outputs = model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)
    except (TypeError, ValueError):
        return
    assert np.isfinite(outputs).all()
