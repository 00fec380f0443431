"""Parameters shared by all estimators."""

import pytest
import skorch
import torch
from samples import tree_classifier


@pytest.mark.parametrize("schedule", ["cosine", "exponential", "linear"])
def test_a_schedule_lowers_the_learning_rate(encoded, schedule):
    X, y = encoded
    clf = tree_classifier(lr_schedule=schedule, lr=0.01, max_epochs=4).fit(X, y)
    rates = [row["event_lr"] for row in clf.net_.history]
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.005


def test_gradient_clip_bounds_the_norm(encoded):
    X, y = encoded
    norms = []

    class Watch(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            if kwargs["training"]:
                grads = [p.grad for p in net.module_.parameters() if p.grad is not None]
                norms.append(torch.nn.utils.get_total_norm(grads).item())

    tree_classifier(gradient_clip=1e-3, max_epochs=2, callbacks=[Watch()]).fit(X, y)
    assert max(norms) <= 1e-3 * (1 + 1e-3)
    tree_classifier(max_epochs=2, callbacks=[Watch()]).fit(X, y)  # the control
    assert max(norms) > 1e-3
