"""Exported nets for sequences and images compute the same outputs as the nets, for lengths never seen."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_helpers import assert_close, logits, open_model, serve, shaken
from samples import DENSE, PIXELS, TEXTS, WAVES, Y, quick

from sklearn_tree import CNNClassifier, RNNClassifier
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.nets import write_net
from sklearn_tree.export.sequences import _search_sorted

pytestmark = pytest.mark.filterwarnings("ignore:at least half of the tokens")

UNSEEN = [*TEXTS, "", "it", "it really works , it works and fails in a new way " * 9]
LONG = [*WAVES, np.ones((1, 2)), np.random.RandomState(1).randn(500, 2)]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("params", [{}, {"bidirectional": False}, {"n_layers": 3}])
def test_exported_recurrent_cells_equal_the_cells(cell, params, tmp_path):
    net = shaken(RNNClassifier, TEXTS, Y, cell=cell, linear_path=True, **params)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_exported_poolings_equal_the_poolings(cls, pooling, tmp_path):
    net = shaken(cls, TEXTS, Y, pooling=pooling, linear_path=True)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_random_texts_are_scored(cls, tmp_path):
    net = shaken(cls, TEXTS, Y, linear_path=True)
    model = serve(net, tmp_path / "net.onnx")
    words = st.sampled_from(["it", "works", "fails", "new", ","])

    @given(st.lists(st.lists(words, max_size=40).map(" ".join), min_size=1, max_size=5))
    @settings(max_examples=40)
    def scores_are_equal(texts):
        assert_close(logits(model, texts), logits(net, texts))

    scores_are_equal()


@pytest.mark.parametrize(
    "params", [{"n_blocks": 1}, {"n_blocks": 3, "kernel_sizes": (2, 4)}, {"pooling": "mean"}]
)
def test_exported_convolutions_equal_the_convolutions(params, tmp_path):
    net = shaken(CNNClassifier, TEXTS, Y, n_filters=4, **params)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


def test_unchanged_embeddings_need_no_mask_in_the_first_layer(tmp_path):
    net = quick(CNNClassifier, n_filters=4).fit(TEXTS, Y)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), UNSEEN), logits(net, UNSEEN))


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("params", [{}, {"n_blocks": 2}, {"n_blocks": None}], ids=str)
def test_series_of_other_lengths_are_scored(cls, params, tmp_path):
    if params and cls is RNNClassifier:
        params = {"n_layers": 2}
    net = shaken(cls, WAVES, Y, **params)
    assert_close(logits(serve(net, tmp_path / "net.onnx"), LONG), logits(net, LONG))


def test_downsampled_series_are_scored(tmp_path):
    X = [np.random.RandomState(n).randn(200 + 40 * n, 1) for n in range(24)]
    net = shaken(CNNClassifier, X, Y, n_blocks=None, n_filters=4)
    assert net.net_.module_.encoder.pool_size > 1
    X = [x[: 1 + 37 * i] for i, x in enumerate(X)]
    assert_close(logits(serve(net, tmp_path / "net.onnx"), X), logits(net, X))


def test_nets_in_double_precision_are_written_in_single_precision(tmp_path):
    net = shaken(CNNClassifier, DENSE, Y)
    outputs = logits(serve(net, tmp_path / "net.onnx"), DENSE)
    assert (outputs.dtype, logits(net, DENSE).dtype) == (np.float32, np.float64)
    assert_close(outputs, logits(net, DENSE))


@pytest.mark.parametrize(
    "params", [{"n_blocks": 1}, {"n_blocks": 2}, {"n_blocks": None}, {"pooling": "attention"}]
)
def test_images_of_other_sizes_are_scored(params, tmp_path):
    net = shaken(CNNClassifier, PIXELS, Y, input_kind="image", n_filters=4, **params)
    model = serve(net, tmp_path / "net.onnx")
    for X in (PIXELS, np.tile(PIXELS, (1, 2, 3))[:, 1:], PIXELS[:1]):
        assert_close(logits(model, X), logits(net, X))


@pytest.mark.parametrize("n", [1, 2, 7, 8, 100])
def test_search_equals_that_of_numpy(n):
    table = np.sort(np.random.RandomState(n).choice(1000, n, replace=False))
    codes = np.r_[np.arange(-1, 1001)].reshape(2, -1)
    graph = Graph()
    index = graph.cast(_search_sorted(graph, table, graph.input("codes", "int64", [2, None])))
    graph.output(index, [2, None], "index")
    found = open_model(graph.to_model()).run(None, {"codes": codes})[0]
    np.testing.assert_array_equal(found, np.searchsorted(table, codes))


@pytest.mark.parametrize("net", [(RNNClassifier, TEXTS), (CNNClassifier, WAVES)], ids=["rnn", "cnn"])
def test_graphs_are_valid(net):
    cls, X = net
    model = write_net(shaken(cls, X, Y).net_.module_).to_model()
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
