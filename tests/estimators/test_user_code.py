"""Random numbers that are drawn by code of users in a fit."""

import numpy as np
import pytest
import torch
from samples import outputs, quick
from skorch.callbacks import Callback, PassthroughScoring
from torch import nn
from user_cells import SoftSumCell

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.estimators.user_code import callback_draws, training_draws
from sklearn_tree.nn import CELLS
from sklearn_tree.randomness import InjectedGenerators

X = [("a", "b", ("c", "d")), ("b", "a"), ("c", ("a", "b", "d")), ("d", "c")] * 5
y = [0, 1, 0, 1] * 5


class NoisyCell(CELLS["child_sum_lstm"]):
    """Cell that draws random numbers in training."""

    def update(self, gates, messages):
        h, *others = super().update(gates, messages)
        return nn.functional.dropout(h, 0.5, self.training) + 0.1 * torch.randn_like(
            h
        ) * self.training, *others


class NoisyAdam(torch.optim.Adam):
    """Optimizer with noise in each step."""

    def step(self, closure=None):
        super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p += 0.01 * torch.randn(p.shape)


class NoisyLoss(nn.CrossEntropyLoss):
    """Loss with noise on the logits."""

    def forward(self, x, target):
        return super().forward(x + torch.randn(x.shape), target)


class GradientNoise(Callback):
    """Callback that adds noise to the gradients."""

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for _, p in named_parameters:
            if p.grad is not None:
                p.grad += 0.1 * torch.rand(p.grad.shape)


NOISY = {
    "cell": {"cell": NoisyCell},
    "optimizer": {"optimizer": NoisyAdam},
    "criterion": {"net_params": {"criterion": NoisyLoss}},
    "callback": {"callbacks": [GradientNoise()]},
}


@pytest.mark.parametrize("name", NOISY)
def test_noise_of_users_has_the_seed_of_the_fit_and_leaves_the_global_generator(name):
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(found))
        state = torch.get_rng_state()
        clf = quick(RecursiveNetClassifier, random_state=seed, **NOISY[name]).fit(X, y)
        assert torch.equal(torch.get_rng_state(), state)
        found.append(outputs(clf, X))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], outputs(quick(RecursiveNetClassifier).fit(X, y), X))


@pytest.mark.parametrize("params", [{}, {"optimizer": "sgd", "pooling": "attention"}, {"cell": SoftSumCell}])
def test_a_training_without_random_code_of_users_injects_nothing(params):
    net = quick(RecursiveNetClassifier, **params).fit(X, y).net_
    assert not isinstance(training_draws(net), InjectedGenerators)
    assert not isinstance(callback_draws([("score", PassthroughScoring("train_loss"))]), InjectedGenerators)


def test_a_loader_of_users_shuffles_with_the_seed_of_the_fit():
    from torch.utils.data import DataLoader

    class Loader(DataLoader):
        def __init__(self, dataset, batch_size=4, shuffle=True, **kwargs):
            super().__init__(dataset, batch_size=batch_size, shuffle=shuffle, collate_fn=self.collate)

        def collate(self, rows):
            return rows

        def __iter__(self):
            for rows in torch.randperm(len(self.dataset)).split(4):
                yield self.dataset.batch(rows.numpy())

    def fit():
        clf = quick(RecursiveNetClassifier, net_params={"iterator_train": Loader})
        return outputs(clf.fit(X, y), X)

    torch.manual_seed(1)
    first = fit()
    torch.manual_seed(2)
    np.testing.assert_array_equal(fit(), first)
