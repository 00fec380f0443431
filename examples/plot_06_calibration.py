"""
Calibrated probabilities
========================

A net that has memorized its training samples is too sure of its predictions. A temperature, one number fitted to samples that
the training has not seen, corrects its probabilities without changing a single prediction.
"""

# %%
# The data
# --------
# The task is to recognise sentences of court proceedings, an eighth of the GUM corpus, by their words.

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_tree.datasets import load_gum

gum = load_gum("genre")
sentences = [[tree.labels[leaf] for leaf in tree.leaves] for tree in gum.data]
X_train, X_test, y_train, y_test = train_test_split(
    sentences, gum.target == "court", train_size=0.4, stratify=gum.target, random_state=0
)
print(f"{np.mean(y_test):.1%} of {len(y_test)} test sentences are from a court, such as:")
print(" ".join(next(x for x, y in zip(X_test, y_test, strict=True) if y and len(x) > 8)))

# %%
# Measures of calibration
# -----------------------
# If a classifier is calibrated, 70 % of the samples with a probability of 0.7 belong to the class. The *expected calibration error*
# sorts the samples into bins by their probability, and averages the gap between the mean probability and the frequency of the class over
# the bins. The log loss also punishes probabilities that do not distinguish the samples.

from sklearn.metrics import f1_score, log_loss


def calibration_error(y, proba, n_bins=10):
    """Return the expected calibration error of the probabilities of a class."""
    bins = np.minimum((proba * n_bins).astype(int), n_bins - 1)
    return sum(abs(np.sum((proba - y)[bins == b])) for b in range(n_bins)) / len(y)


# %%
# Three classifiers
# -----------------
# ``calibrate="temperature"`` holds out a tenth of the training samples and divides the logits by the temperature that fits them best.
# ``CalibratedClassifierCV`` of scikit-learn trains a net for each fold and one more for the predictions, but learns from all samples.

from sklearn.calibration import CalibratedClassifierCV

from sklearn_tree import CNNClassifier

net = CNNClassifier(random_state=0)
models = {
    "plain": net,
    "temperature": CNNClassifier(calibrate="temperature", random_state=0),
    "CalibratedClassifierCV": CalibratedClassifierCV(net, cv=3, ensemble=False),
}
probas = {name: model.fit(X_train, y_train).predict_proba(X_test)[:, 1] for name, model in models.items()}
for name, proba in probas.items():
    print(
        f"{name:24}log loss {log_loss(y_test, proba):.3f}, calibration error {calibration_error(y_test, proba):.3f}"
    )
print(f"temperature {models['temperature'].temperature_:.2f}")

# %%
# The reliability diagram shows the frequency of the class in each bin; a calibrated classifier follows the diagonal.

import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay

fig, ax = plt.subplots(figsize=(5.5, 5))
for (name, proba), marker in zip(probas.items(), "osv", strict=True):
    CalibrationDisplay.from_predictions(y_test, proba, n_bins=6, name=name, ax=ax, marker=marker)
ax.set(
    xlabel="predicted probability", ylabel="frequency of the class", title="Sentences of court proceedings"
)
fig.tight_layout()
plt.show()

# %%
# A threshold for a rare class
# ----------------------------
# Probabilities are one thing, decisions another: for a rare class, a threshold of 0.5 may miss too many samples. scikit-learn tunes the
# threshold for a score, here the F1 score, on samples that it holds out.

from sklearn.model_selection import TunedThresholdClassifierCV

tuned = TunedThresholdClassifierCV(models["temperature"], scoring="f1", cv=0.3, random_state=0).fit(
    X_train, y_train
)
print(f"threshold 0.50: F1 {f1_score(y_test, models['temperature'].predict(X_test)):.3f}")
print(f"threshold {tuned.best_threshold_:.2f}: F1 {f1_score(y_test, tuned.predict(X_test)):.3f}")

# %%
# **For your data:** pass ``calibrate="temperature"`` if you read probabilities, and look at the log loss on held-out samples before and after. With a
# few hundred samples, the temperature is uncertain.
