"""Laws of nets on a real GPU; ``test_gpu.py`` tests the same nets on fake CUDA tensors.

Run ``WITH_GPU=1 python -m pytest tests/test_cuda.py tests/nn/test_gpu.py tests/test_device.py``.
"""

import copy
import gc
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from samples import CONTAINERS, ESTIMATORS, TUPLES, Y, object_array, outputs, quick
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    NetEncoder,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    TreeVectorizer,
    diagnose,
    load,
    nearest_change,
    predict_nodes,
    save,
)
from sklearn_tree.export import to_onnx
from sklearn_tree.nn import CELLS, POOLINGS
from sklearn_tree.serve import open_onnx

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

TREES = TreeVectorizer().fit_transform(TUPLES)
CASES = [
    (name, cls)
    for name in (
        "trees: list of tuples",
        "texts: list",
        "ids: RaggedArray",
        "series: list of arrays",
        "series: float64",
        "series: float32",
        "table: DataFrame",
        "images: uint8",
    )
    for cls in CONTAINERS[name].readers
]


def on_cpu(estimator):
    """Return a copy of an estimator whose net is on the CPU."""
    other = copy.deepcopy(estimator)
    other.net_.move_to(torch.device("cpu"))
    other.device_ = torch.device("cpu")
    return other.set_params(device="cpu")


def assert_same_on_cpu(estimator, X, tolerance=1e-4):
    assert {p.device.type for p in estimator.net_.module_.parameters()} == {"cuda"}
    np.testing.assert_allclose(outputs(estimator, X), outputs(on_cpu(estimator), X), atol=tolerance)


@pytest.fixture(autouse=True)
def _full_precision():
    """Compute convolutions in full precision; cuDNN rounds their operands otherwise."""
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = allowed


@pytest.mark.parametrize(("name", "cls"), CASES)
def test_predictions_are_those_of_the_cpu(name, cls):
    sample = CONTAINERS[name]
    y = Y if is_classifier(cls()) else Y + np.linspace(0, 1, len(Y))
    estimator = quick(cls, device="cuda", **sample.params).fit(sample.X, y)
    assert_same_on_cpu(estimator, sample.X)


@pytest.mark.parametrize(("name", "cls"), CASES)
def test_training_is_that_of_the_cpu(name, cls):
    sample = CONTAINERS[name]
    params = {"dropout": 0.0, "optimizer": "sgd", "lr": 0.1, **sample.params}
    fits = [quick(cls, device=device, **params).fit(sample.X, Y) for device in ("cuda", "cpu")]
    one, two = (outputs(fit, sample.X) for fit in fits)
    np.testing.assert_allclose(one, two, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_cells_and_poolings(cell, pooling, bidirectional):
    params = {"cell": cell, "pooling": pooling, "bidirectional": bidirectional}
    estimator = quick(RecursiveNetClassifier, device="cuda", **params).fit(TREES, Y)
    assert_same_on_cpu(estimator, TREES)


def make_pairs(cls):
    """Return pairs of trees or texts for an estimator, shape (n_pairs, 2)."""
    side = TUPLES if cls.__name__.startswith("Recursive") else [" ".join(map(str, t)) for t in TUPLES]
    return np.stack([object_array(side), object_array(side[::-1])], axis=1)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_pairs(cls):
    X = make_pairs(cls)
    assert_same_on_cpu(quick(cls, device="cuda").fit(X, Y), X)


def test_labels_of_nodes():
    node_y = [np.arange(n) % 2 for n in TREES.sizes]
    y = np.array([row[0] for row in node_y])
    y[::2], node_y = 1, [np.r_[1, row[1:]] if i % 2 == 0 else row for i, row in enumerate(node_y)]
    estimator = quick(RecursiveNetClassifier, device="cuda").fit(TREES, y, node_y=node_y)
    found, wanted = (predict_nodes(e, TREES)[[0, 1]] for e in (estimator, on_cpu(estimator)))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_pretrained_vectors_and_bfloat16():
    words = {label: np.random.RandomState(0).rand(8) for label in ("it", "works", "fails", "well")}
    for params in ({"embeddings": words}, {"precision": "bfloat16"}):
        estimator = quick(RecursiveNetClassifier, device="cuda", **params).fit(TUPLES, Y)
        assert_same_on_cpu(estimator, TUPLES, 0.05)


def test_early_stopping_weights_and_calibration():
    estimator = quick(
        RecursiveNetClassifier, device="cuda", early_stopping=True, max_epochs=4, calibrate="temperature"
    ).fit(TUPLES * 4, np.tile(Y, 4), sample_weight=np.arange(4 * len(Y)) % 3)
    assert_same_on_cpu(estimator, TUPLES)


def test_partial_fit_and_pickles_continue():
    estimator = quick(RNNClassifier, device="cuda").fit(*_texts())
    other = pickle.loads(pickle.dumps(estimator))
    for fit in (estimator, other):
        fit.partial_fit(*_texts())
    np.testing.assert_allclose(outputs(estimator, _texts()[0]), outputs(other, _texts()[0]), atol=1e-5)


def test_training_continues_on_another_device():
    estimator = quick(RNNClassifier, device="cpu").fit(*_texts())
    estimator.set_params(device="cuda").partial_fit(*_texts())
    assert_same_on_cpu(estimator, _texts()[0])
    estimator.set_params(device="cpu").partial_fit(*_texts())
    assert {p.device.type for p in estimator.net_.module_.parameters()} == {"cpu"}


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RNNClassifier, CNNClassifier])
def test_the_generators_of_the_caller_are_unchanged(cls):
    X = TUPLES if cls is RecursiveNetClassifier else _texts()[0]
    torch.cuda.manual_seed(7)
    before = torch.cuda.get_rng_state()
    a = quick(cls, device="cuda", dropout=0.5).fit(X, Y)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    torch.cuda.manual_seed(8)
    b = quick(cls, device="cuda", dropout=0.5).fit(X, Y)
    np.testing.assert_allclose(outputs(a, X), outputs(b, X), atol=1e-3)


@pytest.mark.parametrize(
    "method", ["occlusion", "integrated_gradients", "saliency", "shapley", "kernel_shap"]
)
@pytest.mark.parametrize(("name", "cls"), CASES)
def test_explanations_are_those_of_the_cpu(name, cls, method):
    X, params = CONTAINERS[name].X, CONTAINERS[name].params
    if method == "kernel_shap" and cls.__name__.startswith("Recursive"):
        pytest.skip("is refused for trees")
    estimator = quick(cls, device="cuda", **params).fit(X, Y)
    found, wanted = (
        CaptumExplainer(e, method, random_state=0).fit(X).explain(X[:3]).attributions
        for e in (estimator, on_cpu(estimator))
    )
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_a_search_frees_the_memory_of_its_fits():
    X, y = _texts()
    quick(RNNClassifier, device="cuda").fit(X, y)  # loads the libraries of the GPU
    gc.collect()
    before = torch.cuda.memory_allocated()
    search = GridSearchCV(
        quick(RNNClassifier, device="cuda", hidden_size=64), {"lr": [0.1, 0.01, 0.001]}, cv=3, refit=False
    ).fit(X, y)
    gc.collect()
    assert torch.cuda.memory_allocated() <= before + 2**20
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def _texts():
    return CONTAINERS["texts: list"].X, Y


def test_fits_continue_from_a_checkpoint(tmp_path):
    params = {"device": "cuda", "max_epochs": 4, "dropout": 0.3, "lr": 0.01}
    whole = quick(RecursiveNetClassifier, **params).fit(TUPLES, Y)
    for n in (2, 4):
        net = quick(RecursiveNetClassifier, **params | {"max_epochs": n}, checkpoint_dir=tmp_path)
        net.fit(TUPLES, Y)
    assert len(net.history_) == 4
    np.testing.assert_allclose(outputs(net, TUPLES), outputs(whole, TUPLES), atol=1e-4)


def test_files_hold_no_device(tmp_path):
    X, y = _texts()
    estimator = quick(RNNClassifier, device="cuda").fit(X, y)
    save(estimator, tmp_path / "net.zip")
    to_onnx(estimator, tmp_path / "net.onnx")
    loaded = load(tmp_path / "net.zip")
    np.testing.assert_allclose(outputs(loaded, X), outputs(estimator, X), atol=1e-4)
    scores = open_onnx(tmp_path / "net.onnx").predict_proba(X)
    np.testing.assert_allclose(scores, outputs(estimator, X), atol=1e-4)
    assert {p.device.type for p in estimator.net_.module_.parameters()} == {"cuda"}


def test_columns_of_cross_fitted_nets():
    X, y = _texts()
    for method in ("auto", "transform"):
        found, wanted = (
            NetEncoder(quick(RNNClassifier, device=device, dropout=0.0), method=method, random_state=0)
            .fit(X, y)
            .transform(X)
            for device in ("cuda", "cpu")
        )
        np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_a_net_for_accelerate_trains_on_the_gpu():
    accelerate = pytest.importorskip("accelerate")
    X, y = SequenceVectorizer().fit_transform(_texts()[0]), Y
    estimator = quick(RNNClassifier, device="cuda", dropout=0.0)
    accelerator = accelerate.Accelerator()
    net, plain = estimator.make_net(X, y, accelerator), estimator.make_net(X, y)
    losses = []
    for one in (net, plain):
        torch.manual_seed(0)
        losses.append(one.fit(X, y).history[:, "train_loss"])
    assert accelerator.device.type == "cuda"
    np.testing.assert_allclose(*losses, atol=1e-4)


def assert_same_explanations(estimator, X, method="occlusion", **request):
    found, wanted = (
        CaptumExplainer(e, method, random_state=0).fit(X).explain(X[:3], **request)
        for e in (estimator, on_cpu(estimator))
    )
    assert len(found) == len(wanted) > 0
    for a, b in zip(found.attributions, wanted.attributions, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


@pytest.mark.parametrize("request_", [{"node": 1}, {"target": "all"}], ids=["a node", "all classes"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_explanations_of_nodes_and_of_all_classes(bidirectional, request_):
    estimator = quick(RecursiveNetClassifier, device="cuda", bidirectional=bidirectional).fit(TREES, Y)
    assert_same_explanations(estimator, TREES, "integrated_gradients", **request_)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_explanations_of_pairs(cls):
    X = make_pairs(cls)
    assert_same_explanations(quick(cls, device="cuda").fit(X, Y), X)


def test_several_outputs_and_a_mixed_table():
    X, _ = _texts()
    targets = np.stack([Y, 1 - Y, np.arange(len(Y)) % 2], axis=1)
    net = quick(RNNClassifier, device="cuda").fit(X, targets)
    found, wanted = (np.asarray(e.predict_proba(X)) for e in (net, on_cpu(net)))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    table = pd.DataFrame({"text": X, "price": np.arange(len(X)) % 5.0})
    scores = []
    for device in ("cuda", "cpu"):
        columns = [("net", NetEncoder(quick(RNNClassifier, device=device, dropout=0.0)), "text")]
        pipe = make_pipeline(ColumnTransformer(columns, remainder="passthrough"), LogisticRegression())
        explained = CaptumExplainer(pipe.fit(table, Y), "occlusion").fit(table).explain(table[:2])
        scores.append(np.concatenate([np.ravel(row) for row in explained.attributions]))
    np.testing.assert_allclose(*scores, atol=5e-3)


def test_the_diagnosis_and_the_nearest_change():
    X, y = _texts()
    estimator = quick(RNNClassifier, device="cuda", max_epochs=20, lr=0.02).fit(X, y)
    assert_same_on_cpu(estimator, X)
    found, wanted = (diagnose(e, X, y) for e in (estimator, on_cpu(estimator)))
    assert found.names == wanted.names
    changes = [nearest_change(e, X[0], candidates=["works", "fails"]) for e in (estimator, on_cpu(estimator))]
    assert repr(changes[0]) == repr(changes[1])
