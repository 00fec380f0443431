"""Temperature scaling of logits (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

BOUNDS = (0.1, 100.0)


def fit_temperature(logits: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the temperature that minimises the log loss of held-out samples [1]_.

    Parameters
    ----------
    logits : ndarray of float, shape (n_samples, n_classes)
        Logits; the probabilities are the softmax of the logits divided by the temperature.
    y : ndarray of int, shape (n_samples,)
        Positions of the true classes.
    weight : ndarray of float, shape (n_samples,), default=None
        Weights of the samples in the log loss; None for equal weights.

    Returns
    -------
    float
        A number in [0.1, 100]. 1.0 if the largest logit of every sample of weight > 0 is that of its class:
        the log loss then has no minimum, since it decreases to 0 with the temperature.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger (2017). On Calibration of Modern Neural Networks. ICML.
    """
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    logits, y, weight = (part[weight > 0] for part in (logits.astype(np.float64), y, weight))
    gaps = logits - logits[np.arange(len(y)), y][:, None]  # how far other classes exceed the true one
    if not (gaps > 0).any():
        return 1.0

    def log_loss(log_temperature: float) -> float:
        return weight @ logsumexp(gaps / np.exp(log_temperature), axis=1) / weight.sum()

    found = minimize_scalar(log_loss, bounds=np.log(BOUNDS), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))
