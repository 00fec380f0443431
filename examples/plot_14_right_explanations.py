"""
Are the explanations right?
===========================

Explanations of real texts cannot be compared with a truth. On a grammar whose rules are known, they can: each phrase has a known contribution
to the sentiment of its sentence. This example compares four methods with the grammar, and with each other.
"""

# %%
# A net that makes few mistakes is needed: a net that has learned other rules than those of the grammar is explained by other rules.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier
from sklearn_tree.datasets import make_negation
from sklearn_tree.explain.metrics import deletion_curve

grammar = make_negation(1600, random_state=0)
train, test = slice(0, 1500), slice(1500, 1600)
net = RecursiveNetClassifier("nary_lstm", word_dropout=0.1, random_state=0)
net.fit(grammar.data[train], grammar.target[train])
print(f"accuracy {net.score(grammar.data[test], grammar.target[test]):.3f}")

# %%
# The sign of each phrase and the order of the phrases of a sentence are compared with the grammar. The deletion curve needs no truth: it removes
# the words with the largest attributions first, and its area is small if these are the words that the net reads.

trees, truth = grammar.data[test], list(grammar.contributions[test])
rows = {}
for method in ("occlusion", "integrated_gradients", "shapley", "input_x_gradient"):
    explainer = CaptumExplainer(net, method, target="positive", random_state=0).fit(grammar.data[train])
    found = explainer.explain(trees)
    pairs = [(a[np.abs(t) > 0.2], t[np.abs(t) > 0.2]) for a, t in zip(found.attributions, truth, strict=True)]
    signs = np.concatenate([np.sign(a) == np.sign(t) for a, t in pairs])
    orders = [spearmanr(a, t).statistic for a, t in zip(found.attributions, truth, strict=True) if len(t) > 4]
    area = deletion_curve(CaptumExplainer(net, method, random_state=0).fit(trees), trees[:30]).auc.mean()
    rows[method] = {"right signs": signs.mean(), "rank correlation": np.nanmean(orders), "deletion": area}
scores = pd.DataFrame(rows).T
scores.round(2)

# %%

ax = scores[["right signs", "rank correlation"]].plot.barh(figsize=(7, 3))
ax.invert_yaxis()
ax.axvline(0.5, color="gray", linewidth=0.8)
ax.legend(frameon=False, loc="lower right")
plt.tight_layout()

# %%
# **For your data:** there is no grammar to compare with. Use ``sklearn_tree.explain.metrics``: ``completeness``, ``deletion_curve`` beside
# ``order="random"``, and ``randomization_test``, and compare two methods on the same samples. Where they disagree, look at the samples.
