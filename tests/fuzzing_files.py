"""Random damage to saved files, and forged files with valid digests."""

import copy
import random

import numpy as np
from samples import BRACKETS, TEXTS, Y, quick

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, load, save
from sklearn_tree.io import files

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


def save_seeds(folder):
    """Save two estimators, and return their samples and outputs by the names of the files."""
    expected = {}
    for cls, X in ((RNNClassifier, TEXTS), (RecursiveNetClassifier, BRACKETS)):
        net = quick(cls, embedding_dim=4, hidden_size=3).fit(X, Y)
        save(net, folder / cls.__name__)
        expected[cls.__name__] = X, net.predict_proba(X)
    return expected


def fuzz_files(folder, expected, n, seed, *, is_forged):
    """Load n changed files and return how many were loaded and how many refused with a ValueError.

    A damaged file that can be loaded must give the same outputs.
    """
    rng, counts = random.Random(seed), [0, 0]
    seeds = {name: ((folder / name).read_bytes(), *files.read(folder / name)) for name in expected}
    for _ in range(n):
        name = rng.choice([*seeds])
        data, state, arrays = seeds[name]
        if is_forged:
            files.write(folder / "changed", forge(state, rng), arrays)
        else:
            (folder / "changed").write_bytes(damage(data, rng))
        try:
            loaded = load(folder / "changed", device="cpu")
        except ValueError:
            counts[1] += 1
            continue
        if not is_forged:
            X, proba = expected[name]
            np.testing.assert_array_equal(loaded.predict_proba(X), proba)
        counts[0] += 1
    return counts
