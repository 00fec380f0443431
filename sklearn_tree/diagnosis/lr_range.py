"""Learning-rate range test (Smith 2017): the loss of an untrained copy while its learning rate grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_tree.device import resolve_device
from sklearn_tree.diagnosis.case import copy_unfitted
from sklearn_tree.diagnosis.samples import Samples
from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.threads import limit_for
from sklearn_tree.estimators.user_code import training_draws
from sklearn_tree.randomness import InjectedGenerators, own_generators

N_STEPS = 240  # 40 for each decade: with fewer, deep trees learn nothing before the test becomes unstable
LOWEST, HIGHEST = 1e-5, 10.0  # Adam learns nothing below, and no optimizer of torch learns above
_DECAY = 0.9  # of the running mean of the losses; batches differ
_MIN_FALL = 0.1  # of the loss at the start; smaller falls are noise of batches
_BEGIN, _END = 0.2, 0.9  # shares of the fall at which it has begun, and has ended
_EXPLOSION = 4.0  # times the first loss, from which on the test ends


@dataclass(frozen=True)
class Range:
    """Learning rates with which a training succeeds.

    Attributes
    ----------
    low : float
        Learning rate with which a training moves the weights as far as the test does before its loss falls.
    high : float
        Learning rate at which the loss has fallen; above, a training may be unstable.
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.1g} to {self.high:.1g}"


def find_range(net: BaseNet, samples: Samples, constant_loss: float, n_steps: int, seed: int) -> Range | None:
    """Return the learning rates with which a training succeeds; None if no loss of the test is smaller.

    The sum of the learning rates bounds how far the weights move. A training of many steps therefore
    succeeds with a smaller learning rate than the one at which the loss of the short test begins to fall.

    Parameters
    ----------
    net : BaseNet
        Net whose parameters the copy has.
    samples : Samples
        Training samples.
    constant_loss : float
        Loss of the best constant output.
    n_steps : int
        Number of steps of the training.
    seed : int
        Seed of the weights and the batches.

    References
    ----------
    .. [1] L. Smith (2017). Cyclical Learning Rates for Training Neural Networks. WACV.
    """
    lrs = np.geomspace(LOWEST, HIGHEST, N_STEPS)
    losses = _smooth(_train(copy_unfitted(net, seed), samples, lrs, seed))
    if len(losses) < 2:
        return None
    start = min(losses[0], constant_loss)  # a fall to the loss of a constant is not learning
    fall = start - losses.min()
    if fall <= _MIN_FALL * start:
        return None
    begin, end = (int(np.argmax(losses <= start - share * fall)) for share in (_BEGIN, _END))
    return Range(min(lrs[: begin + 1].sum() / n_steps, lrs[end]), lrs[end])


def _train(blueprint: Any, samples: Samples, lrs: np.ndarray, seed: int) -> np.ndarray:
    """Train a new net for one step per learning rate and return the losses up to an explosion."""
    blueprint.device_ = resolve_device(blueprint.device)
    data = blueprint._encode_all(samples.X, samples.y, None, reset=True).normalize()
    net = blueprint._make_net(data, 1, [])
    losses: list[float] = []
    with own_generators(seed), InjectedGenerators():
        net.initialize()
    limit = limit_for(net.module_, data.n_positions, blueprint.batch_size, blueprint.device_)
    with own_generators(seed), training_draws(net), limit:
        for lr, batch in zip(lrs, _cycle(net.get_iterator(data, training=True)), strict=False):
            for group in net.optimizer_.param_groups:
                group["lr"] = lr
            losses.append(float(net.train_step(batch)["loss"]))
            if not losses[-1] <= _EXPLOSION * losses[0]:  # also if it is NaN
                return np.array(losses[:-1])
    return np.array(losses)


def _cycle(batches: Any) -> Iterator[Any]:
    """Yield batches without end; smaller ones, whose losses are noisier, are left out."""
    largest = 0
    while True:
        for batch in batches:
            largest = max(largest, len(batch[0]))
            if len(batch[0]) == largest:
                yield batch


def _smooth(losses: np.ndarray) -> np.ndarray:
    """Return the running means of the losses, corrected for their start at 0 as in Adam."""
    mean, means = 0.0, []
    for i, loss in enumerate(losses, start=1):
        mean = _DECAY * mean + (1 - _DECAY) * loss
        means.append(mean / (1 - _DECAY**i))
    return np.array(means)
