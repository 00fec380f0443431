"""The exported step, called level by level by the host, computes the outputs of the net."""

import numpy as np
import pytest
from onnx_helpers import assert_close, logits, open_model, shaken
from samples import BRACKETS, TEXTS, Y, quick

from sklearn_tree import RecursiveNetClassifier, RNNClassifier
from sklearn_tree.export import NotExportableError, to_onnx
from sklearn_tree.export.step import write_step
from sklearn_tree.nn import CELLS
from sklearn_tree.serve import OnnxClassifier

UNSEEN = [*BRACKETS, "(S)", "(S (S (S a b c d e) (S (it) works)) it)"]


def run_host(session, trees):
    """Compute the logits of trees with one call per level."""
    shapes = {value.name: value.shape for value in session.get_inputs()}
    parents, n = trees.absolute_parents, trees.n_nodes
    states, results = np.zeros((n, shapes["states"][1]), dtype=np.float32), None
    for depth in range(trees.depths.max(), -1, -1):
        nodes = np.flatnonzero(trees.depths == depth)
        children = [np.flatnonzero(parents == node) for node in nodes]
        known, width = states, shapes["children"][1]
        if isinstance(width, int):
            for i, rows in enumerate(children):
                if len(rows) > width:  # further children share the last place
                    known = np.vstack([known, known[rows[width - 1 :]].sum(axis=0)])
                    children[i] = np.r_[rows[: width - 1], len(known) - 1]
        else:
            width = max(map(len, children))
        table = np.full((len(nodes), width), len(known))
        for row, rows in zip(table, children, strict=True):
            row[: len(rows)] = rows
        inputs = {"labels": trees.labels[nodes].astype(np.int64), "states": known, "children": table}
        states[nodes], results = session.run(None, inputs)
    return results


@pytest.mark.filterwarnings("ignore:at least half of the tokens")
@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("linear_path", [False, True])
def test_levels_of_the_host_equal_the_net(cell, linear_path):
    net = shaken(RecursiveNetClassifier, BRACKETS, Y, cell=cell, linear_path=linear_path, max_arity=2)
    session = open_model(write_step(net.net_.module_).to_model())
    assert_close(run_host(session, net.kind_.read(UNSEEN)), logits(net, UNSEEN))


@pytest.mark.parametrize("params", [{"pooling": "max"}, {"bidirectional": True}])
def test_nets_that_need_all_nodes_are_refused(params, tmp_path):
    net = quick(RecursiveNetClassifier, **params).fit(BRACKETS, Y)
    with pytest.raises(NotExportableError, match="step_only=True requires"):
        to_onnx(net, tmp_path / "net.onnx", step_only=True)
    with pytest.raises(NotExportableError, match="got a RecurrentNet"):
        to_onnx(quick(RNNClassifier).fit(TEXTS, Y), tmp_path / "net.onnx", step_only=True)


def test_a_step_is_not_a_model(tmp_path):
    net = quick(RecursiveNetClassifier).fit(BRACKETS, Y)
    to_onnx(net, tmp_path / "step.onnx", step_only=True)
    with pytest.raises(ValueError, match="single step"):
        OnnxClassifier(tmp_path / "step.onnx")
