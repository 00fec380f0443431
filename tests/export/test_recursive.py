"""Exported recursive nets compute the same outputs as the nets, for trees never seen before the export."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from onnx_helpers import assert_close, logits, open_model, serve, shaken
from strategies import trees_with_values_and_edges
from user_cells import GATED_CELLS, PlainCell

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, Tree, TreeArray
from sklearn_tree.export import NotExportableError, to_onnx
from sklearn_tree.export.nets import write_net
from sklearn_tree.nn import CELLS

pytestmark = pytest.mark.filterwarnings("ignore:at least half of the tokens")

TRAINING = [
    "(S (NP it) (VP works))",
    "(S (NP the cat) (VP (V sat) (PP on (NP the mat))))",
    "(S stop)",
    "(word)",
] * 3
Y = np.arange(12) % 3
CHAIN = Tree(["S"] * 2000, range(-1, 1999))
STAR = Tree(["S"] + ["it"] * 300, [-1] + [0] * 300)
BROOM = Tree(["S"] * 60 + ["VP"] * 40, [*range(-1, 59), *[59] * 20, *[30] * 20])
UNSEEN = [*TRAINING, Tree(["unseen"], [-1]), BROOM, STAR, "(S (S (S a b c d e f g) (S (x) y)) z)"]
POOLINGS = ["root", "mean", "max", "attention"]


def fit(X=TRAINING, y=Y, **params):
    return shaken(RecursiveNetClassifier, X, y, linear_path=True, **params)


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("bidirectional", [False, True])
def test_exported_cells_equal_the_cells(cell, bidirectional, tmp_path):
    net = fit(cell=cell, bidirectional=bidirectional, max_arity=3, hidden_size=4)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_exported_poolings_equal_the_poolings(pooling, bidirectional, tmp_path):
    net = fit(pooling=pooling, bidirectional=bidirectional)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


def test_other_weights_give_other_outputs(tmp_path):
    """Control: the comparison sees a wrong weight."""
    net = fit()
    model = serve(net, tmp_path / "net.onnx")
    net.net_.module_.encoder.cell.U.weight.data[0, 0] += 0.1
    with pytest.raises(AssertionError):
        assert_close(logits(model, UNSEEN), logits(net, UNSEEN))


@pytest.mark.parametrize("cell", sorted(set(GATED_CELLS) - set(CELLS)))
def test_cells_of_users_are_exported_or_refused_with_the_reason(cell, tmp_path):
    net = fit(cell=GATED_CELLS[cell])
    reasons = {
        "placed": "must consist of elementwise operators",
        "across_units": "must consist of elementwise operators",
        "positions": "must (declare|consist)",
    }
    if cell in reasons:
        with pytest.raises(NotExportableError, match=reasons[cell]):
            to_onnx(net, tmp_path / "net.onnx")
        assert not list(tmp_path.iterdir())
    else:
        assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


def test_cells_without_gates_are_refused(tmp_path):
    with pytest.raises(NotExportableError, match="PlainCell must be a subclass of GatedCell"):
        to_onnx(fit(cell=PlainCell), tmp_path / "net.onnx")


@pytest.mark.parametrize("params", [{}, {"bidirectional": True, "pooling": "max"}])
def test_chains_of_2000_nodes_are_scored(params, tmp_path):
    net = fit(**params)
    model = serve(net, tmp_path / "net.onnx")
    assert_close(logits(model, [CHAIN, BROOM, *TRAINING]), logits(net, [CHAIN, BROOM, *TRAINING]), 1e-4)


def test_trees_of_one_node_are_scored(tmp_path):
    net = fit(pooling="mean", bidirectional=True)
    model = serve(net, tmp_path / "net.onnx")
    assert_close(logits(model, ["(word)", "(it)"]), logits(net, ["(word)", "(it)"]))


@pytest.mark.parametrize("params", [{"cell": "child_sum_lstm"}, {"cell": "nary_gru", "bidirectional": True}])
def test_random_trees_with_values_and_edges_are_scored(params, tmp_path):
    training = [
        Tree(["S", "it", "b"], [-1, 0, 0], values=[None, 2.0, i], edges=[None, "x", "y"]) for i in range(12)
    ]
    net = fit(training, Y, **params)
    model = serve(net, tmp_path / "net.onnx")

    @given(tree=trees_with_values_and_edges(max_nodes=30))
    @settings(max_examples=60)
    def scores_are_equal(tree):
        X = TreeArray.from_trees([tree, training[0]])
        assert_close(logits(model, X), logits(net, X), 2e-5)

    scores_are_equal()


def test_tables_of_doubles_are_scored_in_double_precision(tmp_path):
    X = np.random.RandomState(0).randn(12, 4) + 1e6
    net = shaken(RecursiveNetRegressor, X, X[:, 0])
    outputs = logits(serve(net, tmp_path / "net.onnx"), X)
    assert outputs.dtype == np.float64
    assert_close(outputs, logits(net, X), 1e-12)


@pytest.mark.parametrize(
    "params", [{}, {"cell": "nary_lstm"}, {"pooling": "attention", "bidirectional": True}]
)
def test_several_threads_give_the_same_outputs(params):
    """Operators with a reduction overwrite each other's results if two rows have one target."""
    net = fit(hidden_size=64, **params)
    model = write_net(net.net_.module_).to_model()
    X = net.kind_.read([STAR] * 50 + [BROOM] * 50)
    inputs = net.kind_.inputs(X, np.arange(100))
    outputs = []
    for n_threads in (1, 2, 2, 2):
        session = open_model(model, n_threads)
        outputs.append(
            session.run(None, {value.name: inputs[value.name] for value in session.get_inputs()})[0]
        )
    for other in outputs[1:]:
        assert_close(other, outputs[0], 1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_graphs_are_valid(pooling):
    model = write_net(fit(pooling=pooling, bidirectional=True).net_.module_).to_model()
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert {node.domain for node in model.graph.node} == {""}
