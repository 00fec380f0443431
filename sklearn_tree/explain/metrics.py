"""Quality of attributions: completeness, faithfulness, sensitivity, and dependence on the learned weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy.integrate import trapezoid
from scipy.stats import spearmanr
from sklearn.utils import check_random_state
from torch import Tensor

from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.explain.explained_sample import explain_each
from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.runtime import isolate

__all__ = [
    "Curve",
    "completeness",
    "deletion_curve",
    "infidelity",
    "insertion_curve",
    "randomization_test",
    "sensitivity",
]
_MIN_FEATURES = 3  # fewest inputs of a sample with a meaningful rank correlation


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Predictions for samples whose inputs are removed or restored one after the other.

    Attributes
    ----------
    fractions : ndarray of float, shape (n_points,)
        Fraction of the inputs that are removed or restored, from 0 to 1.
    values : ndarray of float, shape (n_samples, n_points)
        Probability of the explained class; for regressors, prediction minus the mean of the targets.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import deletion_curve
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> explainer = CaptumExplainer(RNNClassifier(random_state=0)).fit(texts, y)
    >>> curve = deletion_curve(explainer, texts[:8], n_points=4)
    >>> curve.fractions.round(2).tolist(), curve.values.shape, curve.auc.shape
    ([0.0, 0.33, 0.67, 1.0], (8, 4), (8,))
    >>> bool((curve.values[:, 0] > curve.values[:, -1]).all())
    True
    """

    fractions: np.ndarray
    values: np.ndarray

    @property
    def auc(self) -> np.ndarray:
        """Area under the curve of each sample, ndarray of float, shape (n_samples,)."""
        return trapezoid(self.values, self.fractions, axis=1)


def completeness(explanations: Explanations) -> np.ndarray:
    """Return the relative completeness error of each sample.

    Parameters
    ----------
    explanations : Explanations
        Return value of :meth:`CaptumExplainer.explain`.

    Returns
    -------
    ndarray of float, shape (n_samples,)
        Absolute ``completeness_error``, divided by the largest absolute difference from the baseline.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import completeness
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> explainer = CaptumExplainer(clf, method="integrated_gradients", tol=0.01).fit(texts)
    >>> bool(completeness(explainer.explain(texts[:8])).max() <= 0.01)
    True
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
    """Remove the inputs of each sample in decreasing order of attribution [1]_.

    The faster the curve falls, the better the attributions. Inputs are removed as the method of the explainer
    removes them. The occlusion and the interaction of subtrees set the states of removed leaves and of
    subtrees without inputs to zero, unless ``baseline`` is "mean" or "unknown". All other methods replace
    words, labels, numbers, windows and patches by the baseline of the explainer, also methods that remove
    nothing, such as "saliency". Words and subtrees of models with nets inside are deleted.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        Samples in any form that the explained estimator accepts.
    order : {"attribution", "random"}, default="attribution"
        Order of removal. "random" gives a reference curve.
    n_points : int, default=11
        Number of points of the curve, at least 2.
    random_state : int, RandomState or None, default=0
        Seed of the random order.

    Returns
    -------
    Curve
        One curve per sample, from the prediction for the sample to the prediction without any input. With
        one point more than the sample has inputs, its first step is the occlusion of the first input.

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
    return _compute_curve(explainer, X, order, n_points, random_state, is_deletion=True)


def insertion_curve(
    explainer: CaptumExplainer,
    X: Any,
    *,
    order: str = "attribution",
    n_points: int = 11,
    random_state: Any = 0,
) -> Curve:
    """Restore the inputs of each sample in decreasing order of attribution, starting without any.

    The faster the curve rises, the better the attributions. Inputs are removed as in :func:`deletion_curve`.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        Samples in any form that the explained estimator accepts.
    order : {"attribution", "random"}, default="attribution"
        Order of restoration. "random" gives a reference curve.
    n_points : int, default=11
        Number of points of the curve, at least 2.
    random_state : int, RandomState or None, default=0
        Seed of the random order.

    Returns
    -------
    Curve
        One curve per sample, from the prediction without any input to the prediction for the sample.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import insertion_curve
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> explainer = CaptumExplainer(RNNClassifier(random_state=0)).fit(texts, y)
    >>> curve, random = (insertion_curve(explainer, texts[:8], order=o) for o in ("attribution", "random"))
    >>> bool(curve.auc.mean() > random.auc.mean())
    True
    """
    return _compute_curve(explainer, X, order, n_points, random_state, is_deletion=False)


def infidelity(
    explainer: CaptumExplainer, X: Any, *, n_samples: int = 100, random_state: Any = 0
) -> np.ndarray:
    """Measure how badly attributions predict the effect of removing random sets of inputs [1]_.

    Inputs are removed as in :func:`deletion_curve`.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        Samples in any form that the explained estimator accepts.
    n_samples : int, default=100
        Number of random sets for each sample. Each input is in a set with probability 1/2.
    random_state : int, RandomState or None, default=0
        Seed of the sets.

    Returns
    -------
    ndarray of float, shape (n_samples,)
        Mean squared difference between the sum of the removed attributions and the decrease of the explained
        number, divided by the mean squared decrease. 0 is best; all-zero attributions get 1.

    References
    ----------
    .. [1] C.-K. Yeh et al. (2019). On the (In)fidelity and Sensitivity of Explanations. NeurIPS.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import infidelity
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> for method in ("integrated_gradients", "saliency"):
    ...     explainer = CaptumExplainer(clf, method=method).fit(texts)
    ...     print(method, infidelity(explainer, texts[:8]).mean() < 0.1)
    integrated_gradients True
    saliency False
    """
    _check_int("n_samples", n_samples, 1)
    rng, errors = check_random_state(random_state), []
    for sample in explain_each(explainer, X):
        n = len(sample.attributions)
        is_removed = rng.random_sample((n_samples, n)) < 0.5
        values = sample.evaluate(np.vstack([~is_removed, np.ones((1, n), dtype=bool)]))
        decreases = values[-1] - values[:-1]
        scale = np.square(decreases).mean() or 1.0
        errors.append(np.square(is_removed @ sample.attributions - decreases).mean() / scale)
    return np.array(errors)


def sensitivity(
    explainer: CaptumExplainer, X: Any, *, radius: float = 0.02, n_samples: int = 10, random_state: Any = 0
) -> np.ndarray:
    """Measure the largest change of the attributions under small perturbations of the net's inputs [1]_.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        Samples in any form that the explained estimator accepts.
    radius : float, default=0.02
        Largest perturbation of a number that enters the net: an element of an embedding, or a standardised
        value of a series or image.
    n_samples : int, default=10
        Number of random perturbations of each sample.
    random_state : int, RandomState or None, default=0
        Seed of the perturbations.

    Returns
    -------
    ndarray of float, shape (n_samples,)
        Maximum norm of the change, divided by the norm of the attributions.

    Raises
    ------
    ValueError
        If a model with nets inside is explained.

    References
    ----------
    .. [1] C.-K. Yeh et al. (2019). On the (In)fidelity and Sensitivity of Explanations. NeurIPS.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import sensitivity
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> explainer = CaptumExplainer(clf, method="integrated_gradients").fit(texts)
    >>> bool(sensitivity(explainer, texts[:8]).max() < 0.1)
    True
    """
    _check_int("n_samples", n_samples, 1)
    seeds = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=n_samples)
    changes = []
    for sample in explain_each(explainer, X):
        _refuse_models(sample.request.net, "sensitivity perturbs the inputs")
        norm = np.linalg.norm(sample.own) or 1.0
        perturbed = (sample.explain_perturbed(radius, int(seed)) for seed in seeds)
        changes.append(max(np.linalg.norm(own - sample.own) / norm for own in perturbed))
    return np.array(changes)


@default_modes()
def randomization_test(
    explainer: CaptumExplainer, X: Any, *, n_repeats: int = 5, random_state: Any = 0
) -> np.ndarray:
    """Compare the attributions with those for the same net with permuted weights [1]_.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer; it is not changed.
    X : samples
        Samples in any form that the explained estimator accepts.
    n_repeats : int, default=5
        Number of nets with permuted weights.
    random_state : int, RandomState or None, default=0
        Seed of the permutations.

    Returns
    -------
    ndarray of float, shape (n_repeats,)
        Rank correlation of the attributions, averaged over the samples with at least three inputs. Near 0 if
        the attributions depend on what the net has learned.

    Raises
    ------
    ValueError
        If no sample has three inputs with attributions that differ, or a model with nets inside is explained.

    References
    ----------
    .. [1] J. Adebayo et al. (2018). Sanity Checks for Saliency Maps. NeurIPS.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.metrics import randomization_test
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> explainer = CaptumExplainer(clf, method="integrated_gradients").fit(texts)
    >>> bool(abs(randomization_test(explainer, texts[:8]).mean()) < 0.2)
    True
    """
    _check_int("n_repeats", n_repeats, 1)
    rng = check_random_state(random_state)
    samples = [s for s in explain_each(explainer, X) if _is_ranked(s.attributions)]
    if not samples:
        raise ValueError(
            f"X must hold a sample that has at least {_MIN_FEATURES} inputs and whose attributions differ, "
            "got none"
        )
    net, means = samples[0].request.net, []
    _refuse_models(net, "randomization_test permutes the weights")
    original = {name: weight.clone() for name, weight in net.module.state_dict().items()}
    for _ in range(n_repeats):
        generator = torch.Generator().manual_seed(int(rng.randint(np.iinfo(np.int32).max)))
        for name, weight in _fitted_weights(net.module):
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.data = original[name].flatten()[order].view(weight.shape)
        with isolate(net, samples[0].request.encoded, explainer._seed):
            pairs = [(sample.attributions, sample.sum_groups(sample.explain())) for sample in samples]
        means.append(np.mean([spearmanr(a, b).statistic for a, b in pairs if np.ptp(b)]))
    return np.array(means)


def _refuse_models(net: Any, what: str) -> None:
    """Refuse models that contain nets, which are explained by their predictions only."""
    if not list(net.module.parameters()):
        name = type(net.estimator).__name__
        raise ValueError(f"explainer must explain a net, since {what} of nets, got a {name} with nets inside")


def _compute_curve(
    explainer: CaptumExplainer, X: Any, order: str, n_points: int, random_state: Any, *, is_deletion: bool
) -> Curve:
    if order not in ("attribution", "random"):
        raise ValueError(f"order must be 'attribution' or 'random', got {order!r}")
    _check_int("n_points", n_points, 2)
    rng = check_random_state(random_state)
    fractions, curves = np.linspace(0, 1, n_points), []
    for sample in explain_each(explainer, X, output="probability"):
        n = len(sample.attributions)
        ranks = np.argsort(np.argsort(-sample.attributions, kind="stable"))
        ranks = rng.permutation(n) if order == "random" else ranks
        is_early = ranks < np.round(fractions * n)[:, None]
        curves.append(sample.evaluate(~is_early if is_deletion else is_early))
    return Curve(fractions=fractions, values=np.array(curves))


def _fitted_weights(module: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the names and tensors of what a net has learned, the weights of its linear path included."""
    yield from module.named_parameters()
    path = getattr(module, "active_linear", None)
    if path is not None:
        yield from (pair for pair in path.named_buffers(prefix="linear") if pair[1].is_floating_point())


def _is_ranked(attributions: np.ndarray) -> bool:
    return len(attributions) >= _MIN_FEATURES and bool(np.ptp(attributions))


def _check_int(name: str, value: Any, minimum: int) -> None:
    if not isinstance(value, Integral) or value < minimum:
        raise ValueError(f"{name} must be an int >= {minimum}, got {value!r}")
