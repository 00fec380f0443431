"""
Series: nets beside random convolutions
=======================================

Random convolutions with a linear classifier, as in ROCKET (Dempster et al., 2020) and its fast variant MiniRocket, are fitted quickly and
hard to beat. This example compares them with a convolutional net, a recurrent net and the nearest neighbour, on few and on many series.
"""

# %%
# The series
# ----------
# "Two patterns" (Geurts, 2002): noise with two steps in it, each of which goes up or down. Places and lengths are random, and the four
# classes are the order of the steps, so no single time decides.

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
NAMES = np.array(["down, down", "down, up", "up, down", "up, up"])


def make_series(n, n_steps=48):
    """Draw n noisy series with two steps up or down, and their classes."""
    series, labels = rng.standard_normal((n, n_steps)), rng.integers(4, size=n)
    for row, label in zip(series, labels, strict=True):
        lengths = rng.integers(n_steps // 12, n_steps // 4, 2)
        first = rng.integers(n_steps - lengths.sum())
        second = rng.integers(first + lengths[0], n_steps - lengths[1] + 1)
        for start, length, goes_up in zip((first, second), lengths, (label // 2, label % 2), strict=True):
            step = np.where(np.arange(length) < length // 2, -5, 5)
            row[start : start + length] = step if goes_up else -step
    return series.astype(np.float32), NAMES[labels]


X, y = make_series(400)
X_test, y_test = make_series(600)
figure, axes = plt.subplots(1, 4, figsize=(9, 1.8), sharey=True)
for name, ax in zip(NAMES, axes, strict=True):
    ax.plot(X[y == name][:2].T, linewidth=1)
    ax.set(title=name, xlabel="time step")
figure.tight_layout()

# %%
# Random convolutions
# -------------------
# 500 random kernels of random dilation are slid over each series. Two numbers of each remain: the maximum, and the proportion of positive
# values. A ridge classifier reads them. For MiniRocket itself, use ``aeon``.


def convolve_randomly(X, n_kernels=500, seed=0):
    """Return the maximum and the proportion of positive values of random convolutions, as in ROCKET."""
    rng, n_steps = np.random.default_rng(seed), X.shape[1]
    X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    features = np.empty((len(X), n_kernels, 2))
    for features_of_kernel in features.swapaxes(0, 1):
        weights = rng.standard_normal(rng.choice([7, 9, 11]))
        weights -= weights.mean()
        gaps = len(weights) - 1
        dilation = int(2 ** rng.uniform(0, np.log2((n_steps - 1) / gaps)))
        padding = gaps * dilation // 2 * rng.integers(2)
        padded = np.pad(X, ((0, 0), (padding, padding)))
        n_outputs = padded.shape[1] - gaps * dilation
        shifted = (padded[:, i * dilation : i * dilation + n_outputs] for i in range(len(weights)))
        outputs = rng.uniform(-1, 1) + sum(w * x for w, x in zip(weights, shifted, strict=True))
        features_of_kernel[:] = np.stack([outputs.max(axis=1), (outputs > 0).mean(axis=1)], axis=1)
    return features.reshape(len(X), -1)


# %%
# Few and many series
# -------------------
# All nets have their default parameters, except that the convolutional net has fewer filters, so that this page is made quickly.

from sklearn.linear_model import RidgeClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_tree import CaptumExplainer, CNNClassifier, RNNClassifier

add_channel = FunctionTransformer(lambda X: X[..., None])  # nets read series of shape (n, steps, channels)
ridge = RidgeClassifierCV(np.logspace(-3, 3, 10))
models = {
    "random convolutions, ridge": make_pipeline(
        FunctionTransformer(convolve_randomly), StandardScaler(), ridge
    ),
    "CNN": make_pipeline(add_channel, CNNClassifier(n_filters=16, random_state=0)),
    "RNN": make_pipeline(add_channel, RNNClassifier(random_state=0)),
    "nearest neighbour": KNeighborsClassifier(1),
}
accuracy = pd.DataFrame(index=[50, 400], columns=list(models), dtype=float)
seconds = accuracy.copy()
for name, model in models.items():
    for n in accuracy.index:
        start = time.perf_counter()
        model.fit(X[:n], y[:n])
        seconds.loc[n, name] = time.perf_counter() - start
        accuracy.loc[n, name] = model.score(X_test, y_test)
print("seconds of a fit\n", seconds.T.round(1))
accuracy.T.round(3)

# %%
# With 50 series, random convolutions win clearly: only the ridge classifier is trained, while the convolutional net must learn its kernels.
# With 400, the two are equally accurate within the noise of 600 test series, and the net has taken many times as long. The recurrent net is
# ahead of the convolutional one with few series and falls back with many. The nearest neighbour compares equal times, so it fails where
# patterns move.

ax = accuracy.plot(marker="o", figsize=(7, 3.5))
ax.set(xlabel="training series", ylabel="accuracy on new series", xticks=accuracy.index, ylim=(0, 1.05))
ax.legend(frameon=False)
plt.tight_layout()

# %%
# What a net adds
# ---------------
# A net has probabilities, and its predictions are explained step by step. Orange bars support the predicted class; blue ones oppose it.

net = models["CNN"]
CaptumExplainer(net).fit(X).explain(X_test[:2], y_test[:2])

# %%
# **For your data:** fit MiniRocket first (``MiniRocketClassifier`` of ``aeon``). Take a net if it is more accurate on your folds, or if you
# need explanations, several targets, pairs or series as one column of a table. Remove ``n_filters``; with few series, search ``n_blocks``
# too, because a smaller net may do better. Our convolutions need series of equal length; the nets also read a list of arrays of unequal
# length.
