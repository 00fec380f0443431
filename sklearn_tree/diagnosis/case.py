"""Case of a diagnosis: a fitted net, its samples, and figures that several checks read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sklearn_tree.diagnosis.samples import Samples, read_samples, to_tensor
from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.targets import MultiLabel, Numbers
from sklearn_tree.estimators.training import split_validation

HELD_OUT = 0.25  # share of X that is held out if there are no validation samples
MIN_HELD_OUT = 10  # samples; below, a score of held-out samples is noise
MIN_STEPS = 100  # of a training, as in the defaults of max_epochs; fewer learn little with any lr
SMALL_LOSS = 0.2  # of the loss of a constant; below, there is little left to learn
_SMALLEST = 1e-6  # probability of a class, so that its logit is finite


@dataclass(frozen=True)
class Trial:
    """Net with the samples that it was trained on, and held-out samples.

    Attributes
    ----------
    net : BaseNet
        Fitted net.
    train, held_out : Samples
        Samples, encoded by the net.
    """

    net: BaseNet
    train: Samples
    held_out: Samples

    @cached_property
    def train_score(self) -> float:
        """Score of the training samples."""
        return compute_score(self.net, self.train)

    @cached_property
    def held_out_score(self) -> float:
        """Score of the held-out samples."""
        return compute_score(self.net, self.held_out)

    @cached_property
    def chance(self) -> float:
        """Score of a constant on the held-out samples."""
        return find_chance(self.net, self.held_out)

    @property
    def train_skill(self) -> float:
        """Training score as a share of the way from a constant to the best score."""
        return to_skill(self.train_score, find_chance(self.net, self.train))

    @property
    def held_out_skill(self) -> float:
        """Held-out score as a share of the way from a constant to the best score, at least 0."""
        return max(to_skill(self.held_out_score, self.chance), 0.0)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fitted net and its samples.

    Attributes
    ----------
    net : BaseNet
        Fitted net. Checks do not change it.
    steps : list of transformers
        Steps before the net.
    raw : samples
        Samples that the first step reads.
    samples : Samples
        All training samples.
    validation : Samples or None
        All held-out samples of the user.
    max_samples : int
        Number of samples that nets and linear models are trained and scored on.
    seed : int
        Seed of subsets, splits and trainings.
    """

    net: BaseNet
    steps: list[Any]
    raw: Any
    samples: Samples
    validation: Samples | None
    max_samples: int
    seed: int

    @cached_property
    def train(self) -> Samples:
        """Subset of the training samples."""
        return self.samples.take(self.samples.draw(self.max_samples, self.seed))

    @cached_property
    def validation_rows(self) -> np.ndarray:
        """Indices of a subset of the held-out samples of the user."""
        return np.empty(0) if self.validation is None else self.validation.draw(self.max_samples, self.seed)

    @cached_property
    def train_skill(self) -> float:
        """Training score of the net as a share of the way from a constant to the best score."""
        score = compute_score(self.net, self.train)
        return to_skill(score, find_chance(self.net, self.train))

    @cached_property
    def losses(self) -> np.ndarray:
        """Training loss of each epoch, float."""
        return self.net.history_["train_loss"].to_numpy()

    @property
    def n_steps(self) -> int:
        """Number of steps of the training."""
        return len(self.losses) * -(-len(self.samples) // self.net.batch_size)

    @cached_property
    def constant_loss(self) -> float:
        """Training loss of the best constant output."""
        return find_constant_loss(self.net, self.train)

    @cached_property
    def trial(self) -> Trial | None:
        """The net with the samples of the user, or a refitted copy with a held-out part of the samples.

        None if there are too few samples, or the copy diverges.
        """
        if self.validation is not None:
            held_out = self.validation.take(self.validation_rows)
            return Trial(self.net, self.train, held_out) if len(held_out) >= MIN_HELD_OUT else None
        if HELD_OUT * len(self.train) < MIN_HELD_OUT:
            return None
        strata = self.net.target_.strata(self.train.target)
        train, held_out = map(
            self.train.take, split_validation(len(self.train), strata, HELD_OUT, self.seed, reason="diagnose")
        )
        try:
            net = copy_unfitted(self.net, self.seed).fit(train.X, train.y)
            parts = [read_samples(net, [], part.X, part.y) for part in (train, held_out)]
        except ValueError:  # the copy diverges, or a rare class or column is only in one part
            return None
        return Trial(net, *parts)


def copy_unfitted(net: BaseNet, seed: int, **params: Any) -> BaseNet:
    """Return an unfitted copy without callbacks, checkpoints and output, and with some other parameters."""
    quiet = {"callbacks": None, "checkpoint_dir": None, "verbose": 0, "warm_start": False}
    return type(net)(**{**net.get_params(deep=False), **quiet, "random_state": seed, **params})


def compute_outputs(net: BaseNet, samples: Samples, method: str = "forward") -> np.ndarray:
    """Return the outputs of a method of the module, float, shape (n_samples, n_outputs)."""
    return net._run_encoded(samples.encoded, getattr(net.net_.module_, method))


def compute_score(net: BaseNet, samples: Samples) -> float:
    """Return the accuracy averaged over outputs, or R squared."""
    outputs = compute_outputs(net, samples)
    return net.target_.score(to_tensor(outputs), to_tensor(samples.target))


def compute_loss(net: BaseNet, samples: Samples) -> float:
    """Return the loss with the class weights of the net."""
    return _weigh_loss(net, compute_outputs(net, samples), samples)


def to_skill(score: float, chance: float) -> float:
    """Return a score as a share of the way from a constant to the best score."""
    return (score - chance) / (1 - chance) if chance < 1 else 1.0


def find_chance(net: BaseNet, samples: Samples) -> float:
    """Return the score of the best constant output."""
    constant = _find_constant(net, samples, np.ones(len(samples)))
    return net.target_.score(to_tensor(constant), to_tensor(samples.target))


def find_constant_loss(net: BaseNet, samples: Samples) -> float:
    """Return the loss of the best constant output, with the class weights of the net."""
    constant = _find_constant(net, samples, find_weights(net, samples))
    return _weigh_loss(net, constant, samples)


def find_weights(net: BaseNet, samples: Samples) -> np.ndarray:
    """Return the class weights of samples, 1 on average."""
    weight = net._weigh(samples.target, None)
    return np.ones(len(samples)) if weight is None else weight / weight.mean()


def _weigh_loss(net: BaseNet, outputs: np.ndarray, samples: Samples) -> float:
    arrays = (outputs.astype(np.float32), samples.target, find_weights(net, samples))
    tensors = [to_tensor(array).to(net.net_.compute_device) for array in arrays]
    return float(net.net_.weighted_loss(*tensors))


def _find_constant(net: BaseNet, samples: Samples, weight: np.ndarray) -> np.ndarray:
    """Return the constant output with the smallest loss, once per sample, shape (n_samples, n_outputs)."""
    target = net.target_
    if isinstance(target, (Numbers, MultiLabel)):
        constant = np.average(samples.columns, axis=0, weights=weight)
        if isinstance(target, MultiLabel):
            shares = constant.clip(_SMALLEST, 1 - _SMALLEST)
            constant = np.log(shares / (1 - shares))
    else:
        counts = count_classes(net, samples, weight)
        constant = np.concatenate([np.log((n / n.sum()).clip(_SMALLEST)) for n in counts])
    return np.tile(constant, (len(samples), 1))


def count_classes(net: BaseNet, samples: Samples, weight: np.ndarray | None = None) -> list[np.ndarray]:
    """Return the number of samples of each class, for each column of classes; an empty list for numbers."""
    target: Any = net.target_
    if isinstance(target, Numbers):
        return []
    is_labels = isinstance(target, MultiLabel)
    sizes = [2] * target.n_classes if is_labels else np.atleast_1d(target.n_classes).tolist()
    columns = samples.columns.astype(np.int64).T
    pairs = zip(columns, sizes, strict=True)
    return [np.bincount(column, weights=weight, minlength=size) for column, size in pairs]
