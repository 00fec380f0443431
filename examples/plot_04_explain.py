"""
Explanations of a tree, a text and an image
===========================================

:class:`~sklearn_tree.CaptumExplainer` attributes predictions to the phrases of a tree, the words of a text and the pixels of an image.
"""

# %%
# Phrases of a tree
# -----------------
# The sentences come from a small grammar, in which *not* reverses the sentiment of a phrase and *very* strengthens it. The
# contribution of each phrase is known, so we can check whether the explanations are right.

from sklearn_tree import CaptumExplainer, CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.datasets import make_negation

grammar = make_negation(1500, random_state=0)
net = RecursiveNetClassifier("nary_lstm", word_dropout=0.1, random_state=0)
net.fit(grammar.data[:1200], grammar.target[:1200])
print(f"accuracy {net.score(grammar.data[1200:], grammar.target[1200:]):.3f}")

# %%
# By default, each subtree is removed in turn. Orange phrases support the predicted class; blue, dashed ones oppose it.

explainer = CaptumExplainer(net).fit(grammar.data[:1200])
explanations = explainer.explain(grammar.data[1200:1203])
explanations

# %%
# The same attributions as numbers, next to the contributions in the grammar:

import numpy as np

frame = explanations[0].to_frame()
sign = 1 if frame.target[0] == "positive" else -1
frame["grammar"] = sign * grammar.contributions[1200]
frame[["node", "parent", "token", "attribution", "grammar"]].round(2)

# %%
# How often does the sign of an attribution agree with the grammar, over 300 sentences?

test = slice(1200, 1500)
positive = CaptumExplainer(net, target="positive").fit(grammar.data[:1200])
attributions = np.concatenate(positive.explain(grammar.data[test]).attributions)
truth = np.concatenate(list(grammar.contributions[test]))
matters = np.abs(truth) > 0.2
print(f"{(np.sign(attributions) == np.sign(truth))[matters].mean():.1%} of {matters.sum()} phrases")

# %%
# Which words matter most? The explainer is a transformer with feature importances.

from sklearn_tree.plot import plot_importances

plot_importances(positive, max_bars=10, caption="mean absolute attribution")

# %%
# Words of a text
# ---------------
# Shapley values are exact for texts of up to ten words. They sum to the difference from a text of unknown words. With
# ``target="all"``, all classes are explained, and buttons select one of them.

texts = ["a good film", "a bad film", "not a good film", "not a bad film", "a film", "a very good film"] * 30
moods = ["glad", "sad", "sad", "glad", "calm", "glad"] * 30
recurrent = RNNClassifier(word_dropout=0.1, random_state=0).fit(texts, moods)
CaptumExplainer(recurrent, "shapley").fit(texts).explain(
    ["not a bad film", "a good plot", "not a very good film"], target="all"
)

# %%
# Pixels of an image
# ------------------
# A convolutional net learns whether the bar in an image is vertical or horizontal. Occlusion with a sliding window locates the bar.

rng = np.random.default_rng(0)
images = rng.random((300, 16, 16)).astype(np.float32) * 0.5
is_vertical = rng.random(300) < 0.5
for image, vertical in zip(images, is_vertical, strict=True):
    row, column = rng.integers(1, 9, 2)
    bar = image[row : row + 6, column : column + 2] if vertical else image[row : row + 2, column : column + 6]
    bar += 0.5
convolutional = CNNClassifier(input_kind="images", random_state=0).fit(images, is_vertical)
explainer = CaptumExplainer(convolutional, method_params={"window": 3, "stride": 1}).fit(images[:20])
explainer.explain(images[:4])

# %%
# **For your data:** explain your own estimator, pipeline or search, and check the explanations with ``sklearn_tree.explain.metrics`` before you rely on
# them. ``explain(X, y)`` shows the truth beside each prediction.

# sphinx_gallery_thumbnail_path = "figures/thumbnails/explained.svg"
