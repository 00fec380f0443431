"""
A tree column in a table
========================

A table with a column of trees, texts or series needs two models: a net for the column, and gradient boosting or a linear model for
the table. :class:`~sklearn_tree.NetEncoder` turns the column into numbers without leaking the targets.
"""

# %%
# Each row is a review: the parse tree of its text, and two numbers. Whether the customer returns depends on the sentiment
# of the text and on the price.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from sklearn_tree import CaptumExplainer, NetEncoder, RecursiveNetClassifier
from sklearn_tree.datasets import make_negation

rng = np.random.RandomState(0)
reviews = make_negation(1600, random_state=0)
frame = pd.DataFrame({"tree": list(reviews.data), "price": rng.randn(1600), "age": rng.randn(1600)})
mood = np.where(reviews.target == "positive", 1.0, -1.0) * (rng.rand(1600) > 0.25)
y = mood + frame["price"] + 0.5 * rng.randn(1600) > 0
train, test = frame[:800], frame[800:]
print(train.head(3))

# %%
# The net itself can be a column of a ``ColumnTransformer`` too, but it knows the targets of its training samples, so the
# gradient boosting after it learns to ignore the price. ``NetEncoder`` encodes each training sample with a net that has
# not seen its target: as the probability of the second class, or as a vector.

net = RecursiveNetClassifier(random_state=0)
numbers = ("passthrough", ["price", "age"])
columns = {
    "numbers only": [],
    "net in a ColumnTransformer": [(net, "tree")],
    "NetEncoder, probabilities": [(NetEncoder(net, random_state=0), "tree")],
    "NetEncoder, vectors": [(NetEncoder(net, method="transform", random_state=0), "tree")],
}
pipes, scores = {}, {}
for name, encoders in columns.items():
    pipe = pipes[name] = make_pipeline(
        make_column_transformer(*encoders, numbers), HistGradientBoostingClassifier(random_state=0)
    )
    pipe.fit(train, y[:800])
    scores[name] = pipe.score(train, y[:800]), pipe.score(test, y[800:])
    print(f"{name:28}{scores[name][0]:.3f} on training rows{scores[name][1]:8.3f} on new rows")

# %%
# The gap between training rows and new rows shows the leak.

figure, ax = plt.subplots(figsize=(7, 3))
for i, (seen, new) in enumerate(scores.values()):
    ax.plot([seen, new], [i, i], color="tab:gray", zorder=0)
ax.scatter([seen for seen, _ in scores.values()], range(4), color="tab:gray", label="training rows")
ax.scatter([new for _, new in scores.values()], range(4), color="tab:green", label="new rows")
ax.set(yticks=range(4), yticklabels=list(scores), xlabel="accuracy", ylim=(-0.5, 3.5))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncol=2, frameon=False)
figure.tight_layout()

# %%
# The explainer reads the whole model: it deletes subtrees and replaces numbers in turn, and predicts the changed rows. Phrases
# and numbers get attributions on one scale.

explanations = CaptumExplainer(pipes["NetEncoder, probabilities"]).fit(train).explain(test[:3], y[800:803])
explanations

# %%
# **For your data:** name your own columns of trees, texts or series and use the net for them; several columns get an
# encoder each. Vectors hold more than probabilities, in more columns: compare both on held-out rows.
