"""Copies of every public class by pickle, joblib, copy and skops give the same results."""

import copy
import io
import pickle
from importlib import import_module

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from samples import BRACKETS, DENSE, ESTIMATORS, TABLE, TEXTS, Y, outputs, quick
from user_cells import SoftSumCell

import sklearn_tree
from sklearn_tree import (
    CaptumExplainer,
    NetEncoder,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    ToDevice,
    Tree,
    TreeArray,
    TreeNode,
    TreeParser,
    TreeVectorizer,
)

PAIRS = {
    RNNClassifier: pd.DataFrame({"a": TEXTS, "b": TEXTS[::-1]}),
    RecursiveNetClassifier: pd.DataFrame({"a": BRACKETS, "b": BRACKETS[::-1]}),
}
NODE_Y = [
    [int(y), *[1] * (tree.n_nodes - 1)] for tree, y in zip(TreeArray.from_trees(BRACKETS), Y, strict=True)
]
VECTORS = ["works", "fails", "new"], np.eye(3, 5)


def joblib_copy(item, **params):
    file = io.BytesIO()
    joblib.dump(item, file, **params)
    file.seek(0)
    return joblib.load(file)


def skops_copy(item):
    skops = pytest.importorskip("skops.io")
    return skops.loads(skops.dumps(item), trusted=sklearn_tree.TRUSTED_TYPES)


COPIES = {
    "pickle": lambda item: pickle.loads(pickle.dumps(item)),
    "pickle of protocol 2": lambda item: pickle.loads(pickle.dumps(item, 2)),
    "joblib": joblib_copy,
    "compressed joblib": lambda item: joblib_copy(item, compress=3),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "skops": skops_copy,
}


def explanations_of(estimator, X):
    return CaptumExplainer(estimator, random_state=0).fit(X).explain(X[:3])


def numbers_of(explanations):
    frame = explanations.to_frame()
    return [explanations.values, explanations.baseline_values, frame.attribution.to_numpy(), frame.to_csv()]


def make_cases():
    """Return the objects to copy, and functions that return their results."""
    cases = {
        cls.__name__: (quick(cls).fit(TABLE, Y), lambda net: [outputs(net, TABLE), net.transform(TABLE)])
        for cls in ESTIMATORS
    }
    for cls, X in PAIRS.items():
        pairs = quick(cls).fit(X, Y)
        cases[f"pairs of {cls.__name__}"] = pairs, lambda net, X=X: [outputs(net, X)]
        cases[f"Explanations of pairs of {cls.__name__}"] = explanations_of(pairs, X), numbers_of
    nodes = quick(RecursiveNetClassifier).fit(BRACKETS, Y, node_y=NODE_Y)
    cases["node labels"] = nodes, lambda net: [net.predict_nodes(BRACKETS).to_csv()]
    vectors = quick(RNNClassifier, embeddings=VECTORS).fit(TEXTS, Y)
    cases["embeddings"] = vectors, lambda net: [outputs(net, ["it is new"]), outputs(net, TEXTS)]
    explainer = CaptumExplainer(nodes, random_state=0).fit(BRACKETS)
    cases["CaptumExplainer"] = explainer, lambda e: [e.transform(BRACKETS), *numbers_of(e.explain(BRACKETS))]
    cases["Explanations"] = explainer.explain(BRACKETS), numbers_of
    texts, trees = SequenceVectorizer().partial_fit(TEXTS), TreeVectorizer().partial_fit(BRACKETS)
    cases["SequenceVectorizer"] = texts, lambda v: list(v.transform(TEXTS))
    cases["TreeVectorizer"] = trees, lambda v: [tree.labels for tree in v.transform(BRACKETS)]
    cases["TreeParser"] = (
        TreeParser("python").fit(["x"]),
        lambda p: [tree.labels for tree in p.transform(["x"])],
    )
    encoder = NetEncoder(quick(RNNClassifier), cv=2, random_state=0).fit(TEXTS, Y)
    cases["NetEncoder"] = encoder, lambda step: [step.transform(TEXTS), step.get_feature_names_out()]
    cases["ToDevice"] = ToDevice("cpu").fit(DENSE), lambda step: [step.transform(DENSE)]
    cases["RaggedArray"] = texts.transform(TEXTS), list
    cases["TreeArray"] = TreeArray.from_trees(BRACKETS), lambda array: [tree.labels for tree in array]
    tree = Tree(["a", "b"], [-1, 0], values=[None, 2.5], edges=[None, "x"])
    cases["Tree"] = tree, lambda t: [t.labels, t.parents, t.values, t.edges, hash(t), t.children(0)]
    cases["TreeNode"] = TreeNode("a", ["b"], 2.5, "x"), list
    return cases


@pytest.fixture(scope="module")
def cases():
    return make_cases()


def test_every_public_class_is_copied(cases):
    public = {name for name in sklearn_tree.__all__ if isinstance(getattr(sklearn_tree, name), type)}
    assert public - {"Scorer"} <= cases.keys()  # a scorer holds a path


@pytest.mark.parametrize("name", COPIES)
def test_copies_give_the_same_results(cases, name):
    for item, results_of in cases.values():
        duplicate = COPIES[name](item)
        assert type(duplicate) is type(item)
        for expected, result in zip(results_of(item), results_of(duplicate), strict=True):
            np.testing.assert_array_equal(result, expected)


def test_the_results_tell_different_samples_apart(cases):  # the control of the law above
    net, results_of = cases["RNNClassifier"]
    other = quick(RNNClassifier, random_state=1).fit(TABLE, Y)
    assert not np.array_equal(results_of(net)[0], results_of(other)[0])


class PlainUnpickler(pickle.Unpickler):
    """Unpickler that refuses all names of torch and skorch."""

    def find_class(self, module, name):
        if module.partition(".")[0] in ("torch", "skorch"):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def test_pickles_hold_no_class_of_torch_or_skorch(cases):
    for item, results_of in cases.values():
        duplicate = PlainUnpickler(io.BytesIO(pickle.dumps(item))).load()
        for expected, result in zip(results_of(item), results_of(duplicate), strict=True):
            np.testing.assert_array_equal(result, expected)
    with pytest.raises(pickle.UnpicklingError, match=r"torch|skorch"):  # the control
        PlainUnpickler(io.BytesIO(pickle.dumps(cases["RNNClassifier"][0].net_))).load()


def is_plain(value):
    """Return whether a value consists of JSON-able values, arrays and public objects."""
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    if type(value) is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    is_public = name in sklearn_tree.TRUSTED_TYPES
    return is_public or value is None or isinstance(value, (bool, int, float, str, np.ndarray))


def test_states_are_plain(cases):
    for name, (item, _) in cases.items():
        assert is_plain(item if name == "TreeNode" else item.__getstate__()), name
    assert not is_plain({"a": [torch.float32]})  # the control


def test_trusted_types_are_the_public_classes():
    public = [getattr(sklearn_tree, name) for name in sklearn_tree.__all__ if name != "Scorer"]
    names = {f"{cls.__module__}.{cls.__qualname__}" for cls in public if isinstance(cls, type)}
    assert names <= set(sklearn_tree.TRUSTED_TYPES)
    for name in sklearn_tree.TRUSTED_TYPES:
        module, _, cls = name.rpartition(".")
        assert getattr(import_module(module), cls).__module__ == module


def test_skops_asks_for_the_classes_of_the_user():
    skops = pytest.importorskip("skops.io")
    data = skops.dumps(quick(RecursiveNetClassifier, cell=SoftSumCell).fit(BRACKETS, Y))
    assert [
        name for name in skops.get_untrusted_types(data=data) if name not in sklearn_tree.TRUSTED_TYPES
    ] == ["user_cells.SoftSumCell"]


def test_a_shallow_copy_shares_the_net(cases):
    net, _ = cases["RNNClassifier"]
    assert copy.copy(net).net_ is net.net_
    assert copy.deepcopy(net).net_ is not net.net_
