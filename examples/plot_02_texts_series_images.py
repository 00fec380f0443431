"""
Texts, series and images
========================

Recurrent and convolutional nets share one interface and accept raw strings, ragged series and pixels.
"""

# %%
# Texts
# -----
# The task is to predict the type of the 4,636 sentences of GUM (question, command, fragment, ...) from their words, without the
# trees. The classifiers read raw strings. A linear model on TF-IDF features is the baseline.

import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from sklearn_tree import CNNClassifier, RNNClassifier
from sklearn_tree.datasets import load_gum

gum = load_gum()
texts = [" ".join(tree.labels[i] for i in tree.leaves) for tree in gum.data]
is_train = gum.split == "train"
X_train = [text for text, use in zip(texts, is_train, strict=True) if use]
X_test = [text for text, use in zip(texts, is_train, strict=True) if not use]
y_train, y_test = gum.target[is_train], gum.target[~is_train]

models = {
    "TF-IDF, linear": make_pipeline(
        TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2)),  # keep question marks
        LogisticRegression(C=10, max_iter=1000),
    ),
    "CNN": CNNClassifier(dropout=0.3, max_epochs=5, random_state=0),
    "RNN": RNNClassifier(dropout=0.3, max_epochs=5, random_state=0),
}
for name, model in models.items():
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    y_pred = model.predict(X_test)
    f1 = f1_score(y_test, y_pred, average="macro", zero_division=0)
    print(f"{name}: accuracy {(y_pred == y_test).mean():.3f}, macro-F1 {f1:.3f}, fitted in {seconds:.1f} s")

# %%
# Series of unequal length
# ------------------------
# Series are a list of arrays, which may differ in length. The classes are two kinds of waves. Their scale does not matter, because
# the nets standardise their inputs.

import numpy as np

rng = np.random.RandomState(0)


def wave(rises):
    """Draw a noisy sawtooth wave that rises slowly, or one that falls slowly."""
    steps = np.arange(rng.randint(30, 80)) + rng.randint(20)
    saw = steps % 20 / 20
    return 1000 + 50 * (saw if rises else 1 - saw) + rng.randn(len(steps)) * 8


rises = rng.randint(2, size=300).astype(bool)
waves = [wave(up) for up in rises]
cnn = CNNClassifier(early_stopping=True, random_state=0).fit(waves[:200], rises[:200])
print(f"CNN on waves: {cnn.score(waves[200:], rises[200:]):.3f} after {cnn.n_iter_} epochs")

# %%
# The losses of all epochs are available as a DataFrame and as a plot:

from sklearn_tree.plot import plot_history

print(cnn.history_.tail(3).round(3))
plot_history(cnn)

# %%
# Images
# ------
# Images are arrays of pixels, with or without a last axis for channels.

from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score

digits = load_digits()
images = digits.images.astype(np.uint8)
scores = cross_val_score(CNNClassifier(input_kind="images", random_state=0), images, digits.target, cv=3)
print(f"CNN on digits: {scores.mean():.3f} in cross-validation")

# %%
# ``transform`` returns the inputs of the last layer, which are features for other models.

vectors = CNNClassifier(input_kind="images", random_state=0).fit(images[:1000], digits.target[:1000])
print(vectors.transform(images[1000:]).shape, vectors.get_feature_names_out()[:2])

# %%
# **For your data:** texts are a list of str, series an array of shape (n, steps, channels) and images one of shape (n, height, width, channels), in
# float32. Compare with a simpler model first, see "Which net for which data?".
