"""Construction of nets."""

import numpy as np
import pytest
import skorch
import torch
from samples import (
    CLASSIFIERS,
    ESTIMATORS,
    REGRESSORS,
    TABLE,
    TEXTS,
    TUPLES,
    Y,
    outputs,
    quick,
    tree_classifier,
)

from sklearn_tree import RNNClassifier
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_net_is_an_unfitted_skorch_net_of_the_estimator(cls):
    estimator = cls(lr=0.25, batch_size=7, max_epochs=3, precision="bfloat16", verbose=1, device="cpu")
    net = estimator.make_net(TABLE, Y)
    expected = skorch.NeuralNetRegressor if cls in REGRESSORS else skorch.NeuralNetClassifier
    assert isinstance(net, expected)
    assert not net.initialized_
    params = net.get_params()
    for name in ("lr", "batch_size", "max_epochs", "precision", "verbose", "device"):
        assert params[name] == getattr(estimator, name)
    assert (params["dataset"], params["iterator_train"]) == (EncodedDataset, BatchIterator)


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize(
    ("y", "criterion", "n_outputs"),
    [
        (Y, "SmoothedCrossEntropy", 2),
        (np.stack([Y, 1 - Y, Y], axis=1), "SmoothedBinaryCrossEntropy", 3),
        (np.stack([Y, 2 * Y], axis=1), "MultiOutputCrossEntropy", 4),
    ],
)
def test_outputs_and_loss_follow_from_the_targets(cls, y, criterion, n_outputs):
    net = cls().make_net(TABLE, y)
    assert net.criterion.__name__ == criterion
    assert net.module__n_outputs == n_outputs


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_dtype_follows_from_the_samples(cls):
    assert cls().make_net(TABLE, Y).module__dtype == torch.float64
    assert cls().make_net(TABLE.astype(np.float32), Y).module__dtype == torch.float32


def test_net_params_can_select_the_optimizer_implementation(encoded):
    X, y = encoded
    assert tree_classifier(max_epochs=1, net_params={"optimizer__foreach": True}).fit(X, y).n_iter_ == 1


@pytest.mark.parametrize(
    "reserved", ["lr", "optimizer__lr", "max_epochs", "callbacks", "module", "train_split", "batch_size"]
)
def test_net_params_must_not_contain_parameters_that_the_estimator_sets(encoded, reserved):
    with pytest.raises(ValueError, match=rf"net_params must not contain \['{reserved}'\]"):
        tree_classifier(net_params={reserved: 1}).fit(*encoded)


def test_net_params_have_precedence(encoded):
    X, y = encoded
    params = {"optimizer__weight_decay": 0.5, "iterator_train__max_nodes": 77}
    clf = tree_classifier(max_epochs=1, net_params=params).fit(X, y)
    assert clf.net_.optimizer_.param_groups[0]["weight_decay"] == 0.5
    assert clf.net_.iterator_train__max_nodes == 77
    clf.predict(X)
    assert clf.net_.iterator_train__max_nodes == 77


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_numbers_of_numpy_give_the_net_of_numbers_of_python(cls):
    X = TUPLES if "Recursive" in cls.__name__ else TEXTS
    defaults = cls().get_params()
    numbers = {"hidden_size": 6, "embedding_dim": 5, "n_layers": 2, "n_filters": 4, "n_blocks": 2, "max_arity": 3,
               "batch_size": 4, "max_epochs": 1, "dropout": 0.25, "lr": 0.0078125}  # fmt: skip
    params = {name: value for name, value in numbers.items() if name in defaults}
    scalars = {name: np.asarray(value).astype(type(value))[()] for name, value in params.items()}
    assert all(isinstance(value, np.generic) for value in scalars.values())  # the control
    fitted = [quick(cls, **values).fit(X, Y) for values in (params, scalars)]
    np.testing.assert_array_equal(*(outputs(model, X) for model in fitted))


@pytest.mark.parametrize("part", ["optimizer", "module", "criterion", "iterator_train"])
def test_unknown_parameters_of_parts_are_refused_by_their_key(part):
    with pytest.raises(
        TypeError, match=f"net_params must not contain '{part}__foo', which is unknown: .*foo"
    ):
        quick(RNNClassifier, net_params={f"{part}__foo": 1}).fit(TABLE, Y)

    class Broken(skorch.callbacks.Callback):
        def on_train_begin(self, net, **kwargs):
            dict.fromkeys([], foo=1)

    with pytest.raises(TypeError, match=r"^dict\.fromkeys"):  # the control: an error in the code of users
        quick(RNNClassifier, callbacks=[Broken()], net_params={"optimizer__eps": 1e-5}).fit(TABLE, Y)
