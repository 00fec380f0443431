"""Optimizers, schedules, seeds and validation splits."""

import pytest
import torch
from samples import tree_classifier
from sklearn.exceptions import ConvergenceWarning


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd", "rmsprop", "nadam", torch.optim.Adam])
def test_optimizers_are_given_by_name_or_class(encoded, optimizer):
    X, y = encoded
    clf = tree_classifier(optimizer=optimizer, max_epochs=2, net_params={"optimizer__weight_decay": 0.0})
    losses = clf.fit(X, y).history_.train_loss
    assert losses.iloc[1] < losses.iloc[0]


def test_net_params_can_select_the_optimizer_implementation(encoded):
    X, y = encoded
    assert tree_classifier(max_epochs=1, net_params={"optimizer__foreach": True}).fit(X, y).n_iter_ == 1


def test_divergence_is_reported(encoded):
    X, y = encoded
    with pytest.warns(ConvergenceWarning, match="training loss became .* smaller lr"):
        tree_classifier(optimizer="sgd", lr=1e30, max_epochs=4).fit(X, y)
