"""Fit of the linear path of a net, and the corrections under which the net is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import hstack
from torch import Tensor

from sklearn_tree.estimators.threads import limit_threads
from sklearn_tree.estimators.user_code import training_draws
from sklearn_tree.nn.tensors import move_tensors
from sklearn_tree.randomness import own_generators

_N_FOLDS = 5
_STRENGTHS = (10.0, 3.0, 1.0, 0.3, 0.1)  # of the L2 penalty, beside the sum of the losses
_BIAS_PENALTY = 0.01  # relative to that of the weights; keeps the logits of absent classes finite
_MAX_ITERATIONS = 100
_MAX_BIGRAMS, _MAX_BIGRAM_WEIGHTS = 300_000, 3_000_000  # L-BFGS needs some 160 bytes for each weight
_TOLERANCE = 1e-4  # of the gradient of the mean loss

Loss = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


def fit_linear_path(net: Any, data: Any, seed: int, *, is_new: bool) -> Tensor | None:
    r"""Fit the linear path of a net and return the corrections of the training samples.

    The path is a linear model with an L2 penalty. Its features are the counts of the labels, and of the
    bigrams of sequences, in a sample of :math:`n` positions, times :math:`\mathrm{idf} / \sqrt{n}`. It is
    fitted with the loss of the net, and the penalty is chosen by cross-validation.

    Weights that are fitted to a sample fit it better than new samples. A net that is trained beside them
    would find little left to learn. Therefore the correction replaces the logits of a training sample by
    those of weights that were fitted without its fold, as in stacking [1]_.

    Parameters
    ----------
    net : OwnedNetMixin
        Initialized net.
    data : EncodedDataset
        Training samples.
    seed : int
        Seed of the folds, and of the random numbers that a loss of the user may draw.
    is_new : bool
        Whether the net is untrained. Its last layer then becomes zero, so that the training starts from the
        linear model.

    Returns
    -------
    Tensor of float, shape (n_samples, n_outputs), or None
        Logits without the sample's fold minus those of the fitted path. None if the path remains unchanged:
        the net has none or was trained without it, there is only one sample, or the loss is not finite.

    References
    ----------
    .. [1] D. Wolpert (1992). Stacked Generalization. Neural Networks 5(2).
    """
    path = getattr(net.module_, "linear", None)  # a new kind may have a module of its own
    if path is None or len(data) < 2 or not (is_new or path.is_fitted):
        return None
    features, names = _compute_features(data, *path.weight.shape)
    folds = _make_folds(len(data), net.target.strata(data.y.numpy()), seed)
    net.criterion_.train()  # some losses smooth labels in training mode only
    with own_generators(seed), training_draws(net), limit_threads(1):
        samples = _Samples(features, data.y, data.sample_weight, net.weighted_loss, path.bias)
        best = _choose_strength(samples, folds)
        if best is None:
            return None
        coef = samples.fit(best.strength, best.coef)
    if is_new:
        torch.nn.init.zeros_(net.module_.head.weight)
        torch.nn.init.zeros_(net.module_.head.bias)
    path.set_weights(*names.split(coef, len(path.weight)))
    return torch.from_numpy(best.logits - samples.predict(coef)).to(path.bias.dtype)


@dataclass(frozen=True)
class _Names:
    """Labels and bigrams of the columns of a feature matrix.

    Attributes
    ----------
    labels : ndarray of int64, shape (n_known,)
        Ids of the first columns.
    bigrams : ndarray of int64, shape (n_bigrams,), or None
        Bigrams of the other columns, see :class:`LinearPath`.
    idf : ndarray of float, shape (n_features,)
        Inverse document frequency of each column.
    """

    labels: np.ndarray
    bigrams: np.ndarray | None
    idf: np.ndarray

    def split(self, coef: np.ndarray, n_labels: int) -> tuple[Tensor | None, ...]:
        """Return weights, bias, bigrams and their weights of a linear path, given those of the features."""
        scaled, n = coef[1:] * self.idf[:, None], len(self.labels)
        weight = np.zeros((n_labels, coef.shape[1]))
        weight[self.labels] = scaled[:n]
        arrays = weight, coef[0], self.bigrams, None if self.bigrams is None else scaled[n:]
        return tuple(None if x is None else torch.from_numpy(x) for x in arrays)


def _compute_features(data: Any, n_labels: int, n_outputs: int) -> tuple[Any, _Names]:
    """Return the features, csr_array of float, shape (n_samples, n_features), and their names."""
    counts = data.kind.count_labels(data.X, n_labels)
    labels = np.flatnonzero(np.bincount(counts.indices, minlength=n_labels))
    features, bigrams = counts[:, labels], None
    pairs = data.kind.count_bigrams(data.X, n_labels, min(_MAX_BIGRAMS, _MAX_BIGRAM_WEIGHTS // n_outputs))
    if pairs is not None:
        bigrams, counts = pairs
        features = hstack([features, counts], format="csr")
    n_samples = np.bincount(features.indices, minlength=features.shape[1])
    idf = np.log((1 + len(data)) / (1 + n_samples)) + 1
    lengths = np.repeat(data.n_positions, np.diff(features.indptr))
    features.data *= idf[features.indices] / np.sqrt(lengths)
    return features, _Names(labels, bigrams, idf)


class _Samples:
    """Features and targets of a linear model with an L2 penalty.

    Parameters
    ----------
    features : scipy.sparse.csr_array of float, shape (n_samples, n_features)
        Features.
    y : Tensor, shape (n_samples, ...)
        Encoded targets.
    weight : Tensor of float, shape (n_samples,), or None
        Weights of the samples.
    loss : callable
        Computes the mean loss from logits, targets and weights.
    like : Tensor of float, shape (n_outputs,)
        Logits of a sample, for their device and dtype.
    """

    def __init__(self, features: Any, y: Tensor, weight: Tensor | None, loss: Loss, like: Tensor) -> None:
        self.features, self.loss, self.like = features, loss, like
        (self.y,) = move_tensors([y], like.device)
        self.weight = None if weight is None else move_tensors([weight], like.device)[0]

    def take(self, rows: np.ndarray) -> _Samples:
        """Return the samples with the given indices."""
        index = torch.from_numpy(rows).to(self.y.device)
        weight = None if self.weight is None else self.weight[index]
        return _Samples(self.features[rows], self.y[index], weight, self.loss, self.like)

    def predict(self, coef: np.ndarray) -> np.ndarray:
        """Compute the logits, float64, shape (n_samples, n_outputs)."""
        return self.features @ coef[1:] + coef[0]

    def evaluate(self, logits: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the sum of the losses and its gradient with respect to the logits."""
        outputs = torch.from_numpy(logits).to(self.like.dtype).to(self.like.device).requires_grad_()
        with torch.enable_grad():
            loss = self.loss(outputs, self.y, self.weight) * len(logits)
        (gradient,) = torch.autograd.grad(loss, outputs)
        return float(loss.detach()), gradient.cpu().double().numpy()

    def fit(self, strength: float, start: np.ndarray | None = None) -> np.ndarray:
        """Minimize the penalized loss; the bias and the weights, shape (1 + n_features, n_outputs)."""
        n, shape = len(self.y), (1 + self.features.shape[1], len(self.like))
        coef = np.zeros(shape) if start is None else start.copy()
        penalty = np.full((shape[0], 1), strength)
        penalty[0] *= _BIAS_PENALTY
        parameter = torch.from_numpy(coef)  # shares its memory

        def compute_mean_loss() -> float:
            loss, gradient = self.evaluate(self.predict(coef))
            slopes = np.vstack([gradient.sum(0), self.features.T @ gradient]) + penalty * coef
            parameter.grad = torch.from_numpy(slopes / n)
            return (loss + 0.5 * float((penalty * coef**2).sum())) / n

        torch.optim.LBFGS(
            [parameter],
            max_iter=_MAX_ITERATIONS,
            max_eval=2 * _MAX_ITERATIONS,
            tolerance_grad=_TOLERANCE,
            history_size=10,
            line_search_fn="strong_wolfe",
        ).step(compute_mean_loss)
        return coef


@dataclass(frozen=True)
class _HeldOut:
    """Models that are fitted without one fold each.

    Attributes
    ----------
    strength : float
        Strength of the penalty.
    logits : ndarray of float64, shape (n_samples, n_outputs)
        Logits of each sample by the model that was fitted without its fold.
    coef : ndarray of float64, shape (1 + n_features, n_outputs)
        Mean of the biases and weights of all models.
    """

    strength: float
    logits: np.ndarray
    coef: np.ndarray


def _choose_strength(samples: _Samples, folds: np.ndarray) -> _HeldOut | None:
    """Return the models with the smallest loss on held-out folds; None if the loss is not finite.

    Penalties are tried from strong to weak until the loss increases.
    """
    rows = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in np.unique(folds)]
    parts = [(samples.take(train), samples.take(held_out)) for train, held_out in rows]
    coefs: list[Any] = [None] * len(parts)
    least, best = np.inf, None
    for strength in _STRENGTHS:
        coefs = [train.fit(strength, start) for (train, _), start in zip(parts, coefs, strict=True)]
        logits = np.empty((len(folds), len(samples.like)))
        for (_, held_out), (_, part), coef in zip(rows, parts, coefs, strict=True):
            logits[held_out] = part.predict(coef)
        loss, _ = samples.evaluate(logits)
        if not loss < least:  # also if it is NaN
            break
        least, best = loss, _HeldOut(strength, logits, np.mean(coefs, axis=0))
    return best


def _make_folds(n: int, strata: np.ndarray | None, seed: int) -> np.ndarray:
    """Return the fold of each sample; classes are spread evenly, int, shape (n,)."""
    order = np.random.RandomState(seed).permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[order] = np.arange(n) % _N_FOLDS
    return folds
