"""
Why? Explaining a tree, a text and an image
===========================================

A prediction is worth more with its reasons. :class:`~sklearn_tree.CaptumExplainer` gives them in the terms of what went in.
"""

# %%
# Phrases of a tree
# -----------------
# Sentences of a small grammar, in which *not* turns a phrase round and *very* strengthens it. What each phrase contributes
# is known, so we can see whether the explanations are right.

from sklearn_tree import CaptumExplainer, CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.datasets import make_negation

grammar = make_negation(1500, random_state=0)
net = RecursiveNetClassifier("nary_lstm", word_dropout=0.1, random_state=0)
net.fit(grammar.data[:1200], grammar.target[:1200])
print(f"accuracy {net.score(grammar.data[1200:], grammar.target[1200:]):.3f}")

# %%
# By default every subtree is taken away in turn: orange phrases speak for the predicted class, blue and dashed ones against it.

explainer = CaptumExplainer(net).fit(grammar.data[:1200])
explanations = explainer.explain(grammar.data[1200:1203])
explanations

# %%
# The same as numbers, beside what the grammar says.

import numpy as np

frame = explanations[0].to_frame()
sign = 1 if frame.target[0] == "positive" else -1
frame["grammar"] = sign * grammar.contributions[1200]
frame[["node", "parent", "token", "attribution", "grammar"]].round(2)

# %%
# Over 300 sentences: how often is the sign of a phrase that of the grammar?

test = slice(1200, 1500)
positive = CaptumExplainer(net, target="positive").fit(grammar.data[:1200])
found = np.concatenate(positive.explain(grammar.data[test]).attributions)
truth = np.concatenate(list(grammar.contributions[test]))
matters = np.abs(truth) > 0.2
print(f"{(np.sign(found) == np.sign(truth))[matters].mean():.1%} of {matters.sum()} phrases")

# %%
# Which words matter most? The explainer is a transformer with importances.

from sklearn_tree.plot import plot_importances

plot_importances(positive, max_bars=10, caption="mean size of the attributions")

# %%
# Words of a text
# ---------------
# For up to ten words Shapley values are exact: they share the whole difference from a text of unknown words.

texts = ["a good film", "a bad film", "not a good film", "not a bad film", "a film", "a very good film"] * 30
moods = ["glad", "sad", "sad", "glad", "sad", "glad"] * 30
recurrent = RNNClassifier(word_dropout=0.1, random_state=0).fit(texts, moods)
CaptumExplainer(recurrent, "shapley").fit(texts).explain(
    ["not a bad film", "a good plot", "not a very good film"]
)

# %%
# Pixels of an image
# ------------------
# A convolutional net learns whether a drawing has a bar that stands or one that lies; a window that slides over the image
# finds it.

rng = np.random.default_rng(0)
images = rng.random((300, 16, 16)).astype(np.float32) * 0.5
stands = rng.random(300) < 0.5
for image, is_standing in zip(images, stands, strict=True):
    row, column = rng.integers(1, 9, 2)
    bar = (
        image[row : row + 6, column : column + 2]
        if is_standing
        else image[row : row + 2, column : column + 6]
    )
    bar += 0.5
convolutional = CNNClassifier(input_kind="image", random_state=0).fit(images, stands)
explainer = CaptumExplainer(convolutional, method_params={"window": 3, "stride": 1}).fit(images[:20])
explainer.explain(images[:4])
