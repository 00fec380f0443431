"""Fit of the linear path of a net, and the corrections under which the net is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.sparse import csr_array, diags_array
from threadpoolctl import threadpool_limits
from torch import Tensor

_N_FOLDS = 5
_STRENGTHS = (10.0, 3.0, 1.0, 0.3, 0.1)  # of the L2 penalty per sample, from strong to weak
_BIAS_PENALTY = 0.01  # relative to that of the weights; keeps the logits of absent classes finite
_MAX_ITERATIONS = 100
_TOLERANCE = 1e-4  # of the gradient of the mean loss

Loss = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


def fit_linear_path(net: Any, data: Any, seed: int, *, is_new: bool) -> Tensor:
    r"""Fit the linear path of a net and return the corrections of the training samples.

    The path is a linear model with an L2 penalty over the weights :math:`\sqrt{1/n}\,\mathrm{idf}_i` of the
    labels of a sample, fitted with the loss of the net. The penalty is chosen by cross-validation.

    Weights that are fitted to a sample fit it better than new samples. A net that is trained beside them
    would find little left to learn. Therefore the correction replaces the logits of a training sample by
    those of weights that were fitted without its fold, as in stacking [1]_.

    Parameters
    ----------
    net : OwnedNetMixin
        Initialized net; its module has a :class:`~sklearn_tree.nn.linear_path.LinearPath`.
    data : EncodedDataset
        Training samples.
    seed : int
        Seed of the folds.
    is_new : bool
        Whether the net is untrained. Its last layer then becomes zero, so that the training starts from the
        linear model.

    Returns
    -------
    Tensor of float32, shape (n_samples, n_outputs)
        Logits without the sample's fold minus those of the fitted path.

    References
    ----------
    .. [1] D. Wolpert (1992). Stacked Generalization. Neural Networks 5(2).
    """
    path, device = net.module_.linear, torch.device(net.device)
    counts = data.kind.count_labels(data.X, len(path.weight))
    idf = np.log((1 + len(data)) / (1 + np.bincount(counts.indices, minlength=counts.shape[1]))) + 1
    lengths = np.maximum(data.n_positions, 1)
    features = (diags_array(1 / np.sqrt(lengths)) @ counts @ diags_array(idf)).tocsr()
    y, weight = (None if column is None else column.to(device) for column in (data.y, data.sample_weight))
    samples = _Samples(features, y, weight, net.weighted_loss, len(path.bias))
    folds = _make_folds(len(data), net.target.strata(data.y.numpy()), seed)
    with threadpool_limits(1, user_api="blas"):  # threads slow down products of this size
        strength, held_out = _choose_strength(samples, folds)
        coef = samples.fit(strength)
    if is_new:
        torch.nn.init.zeros_(net.module_.head.weight)
        torch.nn.init.zeros_(net.module_.head.bias)
    path.set_weights(*(torch.from_numpy(part) for part in (coef[1:] * idf[:, None], coef[0])))
    return torch.from_numpy(held_out - samples.predict(coef)).float()


class _Samples:
    """Features and targets of a linear model with an L2 penalty."""

    def __init__(self, features: Any, y: Tensor, weight: Tensor | None, loss: Loss, n_outputs: int) -> None:
        self.features, self.y, self.weight, self.loss = features, y, weight, loss
        self.n_outputs = n_outputs

    def take(self, rows: np.ndarray) -> _Samples:
        weight = None if self.weight is None else self.weight[rows]
        return _Samples(self.features[rows], self.y[rows], weight, self.loss, self.n_outputs)

    def predict(self, coef: np.ndarray) -> np.ndarray:
        return self.features @ coef[1:] + coef[0]

    def evaluate(self, logits: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the sum of the losses, and its gradient."""
        outputs = torch.from_numpy(logits).float().to(self.y.device).requires_grad_()
        with torch.enable_grad():
            loss = self.loss(outputs, self.y, self.weight) * len(logits)
        (gradient,) = torch.autograd.grad(loss, outputs)
        return float(loss.detach()), gradient.cpu().double().numpy()

    def fit(self, strength: float, start: np.ndarray | None = None) -> np.ndarray:
        """Return the bias and the weights, shape (1 + n_features, n_outputs)."""
        shape = (1 + self.features.shape[1], self.n_outputs)
        penalty = np.full((shape[0], 1), strength)
        penalty[0] *= _BIAS_PENALTY

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            coef = flat.reshape(shape)
            loss, gradient = self.evaluate(self.predict(coef))
            slopes = np.vstack([gradient.sum(0), self.features.T @ gradient]) + penalty * coef
            return loss + 0.5 * float((penalty * coef**2).sum()), slopes.ravel()

        result = minimize(
            objective,
            np.zeros(shape).ravel() if start is None else start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _MAX_ITERATIONS, "gtol": _TOLERANCE * len(self.y)},
        )
        return result.x.reshape(shape)


def _choose_strength(samples: _Samples, folds: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the penalty with the smallest loss on held-out folds, and the held-out logits.

    Penalties are tried from strong to weak until the loss increases.
    """
    parts = [(samples.take(folds != k), folds == k) for k in np.unique(folds)]
    coefs: list[Any] = [None] * len(parts)
    best: tuple[float, float, Any] = (np.inf, _STRENGTHS[0], None)
    for strength in _STRENGTHS:
        coefs = [part.fit(strength, start) for (part, _), start in zip(parts, coefs, strict=True)]
        logits = np.empty((len(folds), coefs[0].shape[1]))
        for (_, is_held_out), coef in zip(parts, coefs, strict=True):
            logits[is_held_out] = samples.features[is_held_out] @ coef[1:] + coef[0]
        loss, _ = samples.evaluate(logits)
        if loss >= best[0]:
            break
        best = (loss, strength, logits)
    return best[1:]


def _make_folds(n: int, strata: np.ndarray | None, seed: int) -> np.ndarray:
    """Return the fold of each sample; classes are spread evenly, int, shape (n,)."""
    order = np.random.RandomState(seed).permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[order] = np.arange(n) % _N_FOLDS
    return folds
