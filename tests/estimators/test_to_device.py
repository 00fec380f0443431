"""``ToDevice`` as a step before every estimator."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree import (
    CNNClassifier,
    RaggedArray,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    ToDevice,
    TreeArray,
    TreeVectorizer,
)
from sklearn_tree.kinds import Images, Series, Table, Tokens, Trees
from sklearn_tree.nn import POOLINGS, TreeBatch
from sklearn_tree.nn.batch import unique_pairs

Y = np.arange(24) % 3 % 2
TREES = [("S", "it", ("VP", "works" if y else "fails", "well")) for y in Y]
TEXTS = ["it really works" if y else "it fails" for y in Y]
rng = np.random.RandomState(0)
CASES = {
    "trees": (RecursiveNetClassifier, TreeVectorizer().fit_transform(TREES)),
    "texts": (RNNClassifier, SequenceVectorizer().fit_transform(TEXTS)),
    "ragged series": (RNNClassifier, RaggedArray.from_sequences([rng.rand(3 + i % 4, 2) for i in range(24)])),
    "series": (CNNClassifier, rng.rand(24, 7, 2)),
    "table": (RNNClassifier, rng.rand(24, 3)),
    "images": (CNNClassifier, rng.randint(0, 255, (24, 5, 5, 1), dtype=np.uint8)),
}

KINDS = {
    "trees": Trees, "texts": Tokens, "ragged series": Series, "series": Series, "table": Table, "images": Images,
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
def test_a_net_gives_the_same_result_for_tensors(case):
    cls, X = CASES[case]
    net = cls(max_epochs=2, random_state=0)
    reference = net.fit(X, Y).predict_proba(X)
    placed = KINDS[case].to(X, torch.device("cpu"))  # as on an accelerator
    np.testing.assert_allclose(net.fit(placed, Y).predict_proba(placed), reference, rtol=0, atol=1e-6)
    content = {"trees": "labels", "texts": "values", "ragged series": "values"}.get(case)
    assert isinstance(getattr(placed, content) if content else placed, torch.Tensor)


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_bidirectional_net_gives_the_same_result_for_tensors(pooling, linear_path):
    X = CASES["trees"][1]
    net = RecursiveNetClassifier(
        bidirectional=True, pooling=pooling, linear_path=linear_path, max_epochs=2, random_state=0
    )
    reference = net.fit(X, Y).predict_proba(X)
    placed = Trees.to(X, torch.device("cpu"))
    np.testing.assert_allclose(net.fit(placed, Y).predict_proba(placed), reference, rtol=0, atol=1e-6)
    pipe = make_pipeline(ToDevice(), net).fit(X, Y)
    np.testing.assert_allclose(pipe.predict_proba(X), reference, rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", list(CASES))
def test_a_pipeline_with_to_device_gives_the_same_result(case):
    cls, X = CASES[case]
    net = cls(max_epochs=2, random_state=0)
    reference = net.fit(X, Y).predict_proba(X)
    pipe = make_pipeline(ToDevice(), net).fit(X, Y)
    np.testing.assert_allclose(pipe.predict_proba(X), reference, rtol=0, atol=1e-6)
    if pipe[0].device_.type == "cpu":
        assert isinstance(pipe[0].transform(X), type(X))


def test_kinds_move_the_content_and_keep_the_structure():
    placed = Trees.to(CASES["trees"][1], torch.device("meta"))
    assert placed.labels.device.type == "meta"
    assert isinstance(placed.parents, np.ndarray)
    assert Series.to(CASES["series"][1], torch.device("meta"), torch.float32).dtype == torch.float32


def test_equal_nodes_of_tensors_are_found():
    labels, edges = torch.tensor([5, 3, 5, 3, 3]), torch.tensor([0, 1, 0, 1, 0])
    distinct, inverse = unique_pairs(labels, edges)
    assert (labels[distinct][inverse] == labels).all()
    assert (edges[distinct][inverse] == edges).all()
    assert len(distinct) == 3
    assert isinstance(TreeBatch.from_array(CASES["trees"][1]).distinct, torch.Tensor)


def test_dtype_converts_floats():
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert ToDevice("cpu").fit_transform(X).dtype == np.float64
    to = ToDevice("cpu", dtype="float32").fit(X)
    assert to.transform(X).dtype == np.float32
    assert to.get_feature_names_out().tolist() == ["a", "b"]
    assert ToDevice("cpu", dtype="float32").fit_transform(CASES["images"][1]).dtype == np.uint8


def test_integers_keep_their_dtype():
    for X in (np.arange(6).reshape(2, 3), torch.arange(6).reshape(2, 3)):
        assert ToDevice("cpu", dtype="float32").fit_transform(X).dtype == np.int64


def test_the_input_array_is_not_shared_or_changed():
    X = rng.rand(4, 2)
    before = X.copy()
    ToDevice("cpu").fit_transform(X)[:] = 0
    np.testing.assert_array_equal(X, before)


def test_a_pipeline_can_return_pandas_output():
    pipe = make_pipeline(StandardScaler(), ToDevice(), CNNClassifier(max_epochs=1))
    X = CASES["table"][1]
    assert isinstance(pipe.set_output(transform="pandas").fit(X, Y).transform(X), pd.DataFrame)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ToDevice("gpu").fit(np.ones((2, 2))), ValueError, "got 'gpu'"),
        (lambda: ToDevice(dtype="int8").fit(np.ones((2, 2))), ValueError, "dtype must be 'float32', 'float64' or None, got 'int8'"),
        (lambda: ToDevice().fit(TreeArray.from_trees(TREES)), TypeError, "a TreeArray of text: vectorize it"),
        (lambda: ToDevice().fit(np.full((2, 2), np.nan)), ValueError, "contains NaN"),
        (lambda: ToDevice().fit(torch.full((2, 2), np.inf)), ValueError, r"X\[0\] must hold finite numbers, got inf"),
        (lambda: ToDevice().fit(np.ones((2, 2))).transform(np.ones((2, 3))), ValueError, "3 features"),
        (lambda: ToDevice().fit(torch.ones(2, 2)).transform(torch.ones(2, 3)), ValueError, "3 features"),
    ],
)  # fmt: skip
def test_error_messages_name_the_rule_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_masked_entries_are_refused():
    X = np.ma.masked_array(CASES["table"][1])
    assert ToDevice("cpu").fit_transform(X).shape == X.shape
    X[3, 0] = np.ma.masked
    for masked, name in ((X, "X"), (list(X), r"X\[3\]")):
        with pytest.raises(ValueError, match=f"{name} must not have masked entries"):
            ToDevice("cpu").fit(masked)


def test_a_failed_fit_leaves_the_previous_one_intact():
    frame = pd.DataFrame(CASES["table"][1], columns=list("abc"))
    to = ToDevice("cpu").fit(frame)
    for wrong in (frame.iloc[:, :2] * np.nan, np.full((2, 5), np.inf), torch.full((2, 5), np.inf)):
        with pytest.raises(ValueError, match=r"NaN|infinity|finite"):
            to.fit(wrong)
        assert to.n_features_in_ == 3
        assert to.get_feature_names_out().tolist() == ["a", "b", "c"]
    to.fit(CASES["images"][1])  # the control: a fit that works forgets the columns
    assert not hasattr(to, "n_features_in_")
    assert not hasattr(to, "feature_names_in_")
