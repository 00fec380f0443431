"""
Several targets with one encoder
================================

A net with several targets has one encoder and an output layer for each target. Does an easy target help a hard one that depends on the same
structure? This example measures it against a net for each target, over three seeds.
"""

# %%
# Two targets
# -----------
# The sentences come from a small grammar, in which "not" reverses a phrase, "very" strengthens it, and "but" gives more weight to its
# second half. Their score decides two targets: the *sentiment* is its sign, and the *strength* its absolute value. A third target, whether
# the number of words is even, has hardly anything to do with the score and serves as a control.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier
from sklearn_tree.datasets import make_negation

grammar = make_negation(2000, max_depth=4, random_state=0)
n_words = np.array([len(tree.leaves) for tree in grammar.data])
targets = pd.DataFrame(
    {
        "sentiment": grammar.target,
        "strength": np.where(np.abs(grammar.scores) > 1.25, "strong", "weak"),
        "words": np.where(n_words % 2, "odd", "even"),
    }
)
X, X_test, y, y_test = grammar.data[:1500], grammar.data[1500:], targets[:1500], targets[1500:]
for i in range(3):
    print(" ".join(X[i].labels[leaf] for leaf in X[i].leaves), "->", *y.iloc[i])

# %%
# One fit
# -------
# A frame or an array of two columns is all that is needed. ``predict`` returns a column for each target, and ``predict_proba`` a list.

both = RecursiveNetClassifier(random_state=0).fit(X[:300], y[["sentiment", "strength"]][:300])
print(both.predict(X_test[:2]))
for name, probabilities in zip(["sentiment", "strength"], both.predict_proba(X_test[:2]), strict=True):
    print(name, probabilities.astype(float).round(2).tolist())

# %%
# The comparison
# --------------
# Each seed draws other training sentences. One more candidate reads the vectors (``transform``) of the sentiment net with a logistic
# regression. It also works if few samples have the second label.

rows = []
for n in (150, 300):
    for seed in range(3):
        chosen = np.random.default_rng(seed).permutation(1500)[:n]
        fits = {}
        for names in (["sentiment"], ["strength"], ["sentiment", "strength"], ["words", "strength"]):
            net = RecursiveNetClassifier(random_state=seed)
            net.fit(X[chosen], y[names].iloc[chosen].squeeze())
            predicted = net.predict(X_test).reshape(len(X_test), -1)
            fits[" + ".join(names)] = net
            for name, column in zip(names, predicted.T, strict=True):
                accuracy = (column == y_test[name]).mean()
                rows.append((n, seed, name, " + ".join(names), accuracy))
        encoder = fits["sentiment"]
        linear = LogisticRegression(max_iter=1000).fit(
            encoder.transform(X[chosen]), y["strength"].iloc[chosen]
        )
        accuracy = linear.score(encoder.transform(X_test), y_test["strength"])
        rows.append((n, seed, "strength", "vectors of the sentiment net", accuracy))
results = pd.DataFrame(rows, columns=["sentences", "seed", "target", "net", "accuracy"])
results = results[results["target"] != "words"]
table = results.pivot_table(
    index=["target", "net"], columns="sentences", values="accuracy", aggfunc=["mean", "std"]
)
table.round(3)

# %%
# The sentiment helps the strength: both depend on what "not", "very" and "but" do, and the sign seems to be the easier way to learn it. The
# control helps hardly or not at all, so the gain comes from the related labels and not from a second target as such. The vectors of the
# sentiment net are hardly better than a net of its own. The sentiment gains nothing that exceeds the noise of three seeds.

figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharex=True, sharey=True)
order = ["sentiment", "strength", "words + strength", "vectors of the sentiment net", "sentiment + strength"]
for n, ax in zip((150, 300), axes, strict=True):
    part = results[results["sentences"] == n]
    for target, color in (("sentiment", "tab:gray"), ("strength", "tab:green")):
        points = part[part["target"] == target]
        ax.plot(points["accuracy"], points["net"].map(order.index), "o", color=color, alpha=0.6, label=target)
    ax.set(title=f"{n} training sentences", xlabel="accuracy on new sentences")
axes[0].set(
    yticks=range(len(order)), yticklabels=order, ylabel="targets of the net", ylim=(-0.5, len(order) - 0.5)
)
axes[0].legend(title="accuracy of", frameon=False, loc="center right")
figure.tight_layout()

# %%
# An explanation for each target
# ------------------------------
# ``target=(output, class)`` selects what is explained: here, the predicted sentiment and the predicted strength of the same sentence.

explainer = CaptumExplainer(both).fit(X[:300])
explainer.explain(X_test[2:3], target=(0, "predicted"))

# %%

explainer.explain(X_test[2:3], target=(1, "predicted"))

# %%
# **For your data:** pass ``y`` with one column for each target; regressors accept several numbers in the same way. Every sample needs all
# labels: ``fit`` refuses missing ones. If one target has few labels, try the vectors of a net that was fitted to the other one. Compare
# with a net for each target over several seeds, as here: the effect depends on the targets, on the number of samples and on the training,
# and may be a loss.
