"""How good explanations are: do they add up, do they find what matters, do they depend on the model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.integrate import trapezoid
from scipy.stats import spearmanr
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.explain.coalitions import values_of
from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.inputs import TreeInputs
from sklearn_tree.explain.methods import Task, attribute
from sklearn_tree.explain.objective import Objective
from sklearn_tree.explain.perturbations import players_of

__all__ = [
    "Curve",
    "completeness",
    "deletion_curve",
    "infidelity",
    "insertion_curve",
    "randomization_test",
    "sensitivity",
]
_FEWEST = 3  # inputs of a sample whose ranks are compared


class Curve(NamedTuple):
    """What a net says as inputs are taken away, or put back, one after the other.

    Attributes
    ----------
    fractions : ndarray of float, shape (n_points,)
        The share of the inputs taken away or put back, 0 to 1.
    values : ndarray of float, shape (n_samples, n_points)
        The probability of the explained class; of regressors, the prediction less the targets' mean.
    """

    fractions: np.ndarray
    values: np.ndarray

    @property
    def auc(self) -> np.ndarray:
        """The area under each sample's curve, ndarray of float, shape (n_samples,)."""
        return trapezoid(self.values, self.fractions, axis=1)


def completeness(explanations: Explanations) -> np.ndarray:
    """Return the relative completeness error of each sample.

    Parameters
    ----------
    explanations : Explanations
        What :meth:`CaptumExplainer.explain` returned.

    Returns
    -------
    ndarray of float, shape (n,)
        The sizes of ``completeness_error``, in units of the largest difference from the baseline.
    """
    differences = np.abs(explanations.values - explanations.baseline_values)
    largest = differences.max(initial=0.0) or 1.0
    return np.abs(explanations.completeness_error) / largest


def deletion_curve(
    explainer: CaptumExplainer,
    X: Any,
    *,
    order: str = "attribution",
    n_points: int = 11,
    random_state: Any = 0,
) -> Curve:
    """Take inputs away, those with the highest attribution first: the curve should fall fast [1]_.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        What its estimator takes.
    order : {"attribution", "random"}, default="attribution"
        "random" is what to compare with.
    n_points : int, default=11
        Number of points of the curve.
    random_state : int, RandomState or None, default=0
        Seed of the random order.

    Returns
    -------
    Curve

    References
    ----------
    .. [1] V. Petsiuk, A. Das, K. Saenko (2018). RISE: Randomized Input Sampling for Explanation of Black-box
       Models. BMVC.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import deletion_curve
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> explainer = CaptumExplainer(RNNClassifier(random_state=0)).fit(texts, y)
    >>> curve, random = (deletion_curve(explainer, texts[:8], order=o) for o in ("attribution", "random"))
    >>> bool(curve.auc.mean() < random.auc.mean())
    True
    """
    return _curve(explainer, X, order, n_points, random_state, is_deletion=True)


def insertion_curve(
    explainer: CaptumExplainer,
    X: Any,
    *,
    order: str = "attribution",
    n_points: int = 11,
    random_state: Any = 0,
) -> Curve:
    """Put inputs back, those with the highest attribution first: the curve should rise fast.

    Parameters
    ----------
    explainer, X, order, n_points, random_state
        See :func:`deletion_curve`.

    Returns
    -------
    Curve
    """
    return _curve(explainer, X, order, n_points, random_state, is_deletion=False)


def _curve(
    explainer: CaptumExplainer, X: Any, order: str, n_points: int, random_state: Any, *, is_deletion: bool
) -> Curve:
    if order not in ("attribution", "random"):
        raise ValueError(f"order must be 'attribution' or 'random', got {order!r}")
    _check_count("n_points", n_points, 2)
    rng = check_random_state(random_state)
    fractions, curves = np.linspace(0, 1, n_points), []
    for sample in _samples(explainer, X, output="probability"):
        n = len(sample.numbers)
        ranks = np.argsort(np.argsort(-sample.numbers, kind="stable"))
        ranks = rng.permutation(n) if order == "random" else ranks
        is_early = ranks < np.round(fractions * n)[:, None]
        curves.append(sample.worth(~is_early if is_deletion else is_early))
    return Curve(fractions, np.array(curves))


def infidelity(
    explainer: CaptumExplainer, X: Any, *, n_samples: int = 100, random_state: Any = 0
) -> np.ndarray:
    """Return how far attributions are from predicting what happens when random inputs are taken away [1]_.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        What its estimator takes.
    n_samples : int, default=100
        Random sets of inputs for each sample, each input with probability 1/2.
    random_state : int, RandomState or None, default=0
        Seed.

    Returns
    -------
    ndarray of float, shape (n,)
        The mean squared difference between the attributions of what is taken away and the fall of the
        explained number, divided by the mean square of the falls: 0 is best, and 1 is what
        attributions of zero get.

    References
    ----------
    .. [1] C.-K. Yeh et al. (2019). On the (In)fidelity and Sensitivity of Explanations. NeurIPS.
    """
    _check_count("n_samples", n_samples, 1)
    rng, found = check_random_state(random_state), []
    for sample in _samples(explainer, X):
        is_gone = rng.random_sample((n_samples, len(sample.numbers))) < 0.5
        worth = sample.worth(np.vstack([~is_gone, np.ones((1, len(sample.numbers)), dtype=bool)]))
        falls = worth[-1] - worth[:-1]
        scale = np.square(falls).mean() or 1.0
        found.append(np.square(is_gone @ sample.numbers - falls).mean() / scale)
    return np.array(found)


def sensitivity(
    explainer: CaptumExplainer, X: Any, *, radius: float = 0.02, n_samples: int = 10, random_state: Any = 0
) -> np.ndarray:
    """Return by how much attributions change when the net's inputs change a little, at most [1]_.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        What its estimator takes.
    radius : float, default=0.02
        Largest change of a number that enters the net (of a word's vector, or a standardised channel).
    n_samples : int, default=10
        Random changes of each sample.
    random_state : int, RandomState or None, default=0
        Seed.

    Returns
    -------
    ndarray of float, shape (n,)
        The largest change of the attributions of a sample, as a share of their size.

    References
    ----------
    .. [1] C.-K. Yeh et al. (2019). On the (In)fidelity and Sensitivity of Explanations. NeurIPS.
    """
    _check_count("n_samples", n_samples, 1)
    seeds = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=n_samples)
    found = []
    for sample in _samples(explainer, X):
        before = sample.own
        changed = (_own(sample.task._replace(jitter=radius, jitter_seed=int(seed))) for seed in seeds)
        size = np.linalg.norm(before) or 1.0
        found.append(max(np.linalg.norm(after - before) / size for after in changed))
    return np.array(found)


def randomization_test(
    explainer: CaptumExplainer, X: Any, *, n_repeats: int = 5, random_state: Any = 0
) -> np.ndarray:
    """Return how similar attributions are when all weights of the net are shuffled: they should not be [1]_.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer; it stays as it is.
    X : samples
        What its estimator takes.
    n_repeats : int, default=5
        Number of shuffled nets.
    random_state : int, RandomState or None, default=0
        Seed.

    Returns
    -------
    ndarray of float, shape (n_repeats,)
        The rank correlation with the attributions of the fitted net, the mean over samples of at least
        three inputs; near 0 for attributions that depend on what was learned.

    References
    ----------
    .. [1] J. Adebayo et al. (2018). Sanity Checks for Saliency Maps. NeurIPS.
    """
    _check_count("n_repeats", n_repeats, 1)
    rng = check_random_state(random_state)
    samples = [
        sample
        for sample in _samples(explainer, X)
        if len(sample.numbers) >= _FEWEST and np.ptp(sample.numbers)
    ]
    if not samples:
        raise ValueError(f"X must hold samples with at least {_FEWEST} inputs and attributions that differ")
    subject, means = samples[0].task.subject, []
    module = subject.module
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    for _ in range(n_repeats):
        generator = torch.Generator().manual_seed(int(rng.randint(np.iinfo(np.int32).max)))
        for name, weight in module.named_parameters():
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.data = before[name].flatten()[order].view(weight.shape)
        with explainer._undisturbed(subject, samples[0].task.encoded):
            pairs = [(sample.numbers, sample.summed(_own(sample.task))) for sample in samples]
        means.append(np.mean([spearmanr(a, b).statistic for a, b in pairs if np.ptp(b)]))
    return np.array(means)


def _check_count(name: str, value: Any, least: int) -> None:
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an int from {least}, got {value!r}")


class _Sample(NamedTuple):
    """One sample, its inputs numbered, and their attributions."""

    task: Task
    inputs: Any
    players: torch.Tensor
    objective: Objective
    own: np.ndarray

    @property
    def numbers(self) -> np.ndarray:
        """What each player got, ndarray of float, shape (n_players,)."""
        return self.summed(self.own)

    def summed(self, own: np.ndarray) -> np.ndarray:
        """Sum the attributions of each player."""
        players = self.players.cpu().numpy()
        n = int(players.max(initial=-1)) + 1  # the padding of a series without steps is one too
        if isinstance(self.inputs, TreeInputs):
            own = np.r_[0.0, own] if self.task.subject.kind == "table" else own  # the root of a star
            own = own[self.inputs.nodes.cpu().numpy()]
        players = np.broadcast_to(players, own.shape) if players.ndim == own.ndim else players
        is_player = players >= 0
        return np.bincount(players[is_player], weights=own[is_player], minlength=n)

    def worth(self, coalitions: np.ndarray) -> np.ndarray:
        """Return the objective when only some players are there, ndarray of float, shape (n_coalitions,)."""
        return values_of(self.inputs, self.objective, self.players, coalitions, self.task.budget)


def _samples(explainer: CaptumExplainer, X: Any, output: str | None = None) -> Iterator[_Sample]:
    """Explain samples one by one; ``output`` is what coalitions are worth, None for what is explained."""
    check_is_fitted(explainer, "estimator_")
    subject = explainer._subject()
    encoded, _ = subject.encode(X)
    with explainer._undisturbed(subject, encoded):
        task = explainer._task(subject, encoded, explainer.output)
        worth = explainer._task(subject, encoded, output or explainer.output)
        for i in range(len(encoded)):
            one = task._replace(encoded=encoded[np.array([i])])
            inputs = one.inputs(np.array([0]))
            with torch.no_grad():
                outputs = inputs.outputs(inputs.x)
            one = one._replace(choose=partial(_the_same, task.choose(outputs)))
            players = players_of(inputs, task.params)
            yield _Sample(one, inputs, players, worth.choose(outputs), _own(one))


def _the_same(objective: Objective, outputs: torch.Tensor) -> Objective:
    """Return an objective that was chosen before, also when the net says something else now."""
    return objective


def _own(task: Task) -> np.ndarray:
    """Compute the attributions of a single sample's inputs."""
    return next(attribute(task)).own[0]
