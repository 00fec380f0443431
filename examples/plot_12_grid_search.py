"""
A grid search and its results
=============================

Nets are tuned by scikit-learn's searches. This example reads ``cv_results_``: which parameters matter, how large the noise between folds is,
and what the best candidate costs.
"""

# %%
# The learning rate, the size of the states and the cell are searched on formulas of nested lists, whose values are the classes.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer
from sklearn_tree.datasets import make_listops

X, y = make_listops(400, max_depth=2, random_state=0)
print(X[2], "=", y[2])

pipe = Pipeline([("trees", TreeVectorizer()), ("net", RecursiveNetClassifier(max_epochs=15, random_state=0))])
grid = {
    "net__lr": [0.003, 0.01, 0.03],
    "net__hidden_size": [16, 48],
    "net__cell": ["child_sum_lstm", "child_sum_gru"],
}
search = GridSearchCV(pipe, grid, cv=3).fit(X, y)
print(search.best_params_, f"{search.best_score_:.3f}")

# %%
# ``cv_results_`` becomes a table. A difference between candidates that is smaller than the standard deviation between folds means little.

results = pd.DataFrame(search.cv_results_)
columns = ["param_net__cell", "param_net__hidden_size", "param_net__lr"]
shown = [*columns, "mean_test_score", "std_test_score", "mean_fit_time"]
results.sort_values("rank_test_score")[shown].head(6).round(3)

# %%
# The mean over all other parameters shows the effect of each one. The learning rate usually matters most.

figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), sharey=True)
for ax, column in zip(axes, columns, strict=True):
    groups = results.groupby(column).mean_test_score
    ax.errorbar(groups.mean().index.astype(str), groups.mean(), groups.std(), marker="o", capsize=3)
    ax.set(xlabel=column.removeprefix("param_net__"))
axes[0].set_ylabel("accuracy in cross-validation")
figure.tight_layout()

# %%
# **For your data:** search the learning rate first, in factors of about three, then ``hidden_size`` and ``dropout``. If the best value is at
# the end of its range, extend the range. ``n_jobs=2`` trains two candidates at a time.
