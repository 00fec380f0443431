"""
A search on dask and scoring by parts
=====================================

dask distributes the fits of a grid search over its workers, and scores the parts of a table that is too large for one process. The same
lines run on two workers of a laptop and on a cluster.
"""

# %%
# Sentences of a small grammar have a sentiment. One net is the estimator of the search, and a :class:`~sklearn_tree.TreeArray` holds the
# trees, which are sent to the workers once.

import tempfile
from pathlib import Path

import dask.dataframe as dd
import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV

from sklearn_tree import RecursiveNetClassifier, Scorer, save
from sklearn_tree.datasets import make_negation

grammar = make_negation(1600, random_state=0)
X, y = grammar.data[:600], grammar.target[:600]

# %%
# The workers of this cluster are threads, which start at once. For fits that take minutes, use ``processes=True`` with one thread per
# worker, or the address of a cluster. ``dashboard_address=None`` opens no port for the dashboard.

cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
client = Client(cluster)

# %%
# Inside ``parallel_config``, a search sends its fits to dask; nothing else changes.

grid = {"lr": [0.003, 0.01, 0.03], "hidden_size": [16, 32, 64]}
search = GridSearchCV(RecursiveNetClassifier(max_epochs=15, random_state=0), grid, cv=2)
with joblib.parallel_config("dask"):
    search.fit(X, y)
print(search.best_params_, f"{search.best_score_:.3f}")

# %%
# The best net is saved. A :class:`~sklearn_tree.Scorer` holds only the path of the file and loads it once per process, so dask sends a
# few bytes to its workers. ``meta`` is the result for an empty frame, from which dask learns the columns. A wrong path or a wrong column
# is found there, before any part is read.

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "net.safetensors"
save(search.best_estimator_, path)
frame = pd.DataFrame(
    {
        "id": np.arange(1000),
        "tree": [tree.to_brackets() for tree in grammar.data[600:]],
        "truth": grammar.target[600:],
    }
)
table = dd.from_pandas(frame, npartitions=5)
scorer = Scorer(path, column="tree", keep=["id", "truth"])
scored = table.map_partitions(scorer, meta=scorer(frame[:0]))
scored.head()

# %%
# What is reduced in the parts does not pass through the calling process: here, the accuracy of each part.


def count(part):
    """Return one row for a part."""
    right = (part["prediction"] == part["truth"]).mean()
    return pd.DataFrame({"first id": [part["id"].min()], "rows": [len(part)], "accuracy": [right]})


parts = scored.map_partitions(count, meta={"first id": "i8", "rows": "i8", "accuracy": "f8"}).compute()
client.close()
cluster.close()
folder.cleanup()
parts

# %%
# The rows of the search become a table of the two parameters.

results = pd.DataFrame(search.cv_results_)
scores = results.pivot(index="param_hidden_size", columns="param_lr", values="mean_test_score")
figure, ax = plt.subplots(figsize=(4.5, 3), layout="constrained")
image = ax.imshow(scores, cmap="viridis", aspect="auto")
for i, row in enumerate(scores.to_numpy()):
    for j, score in enumerate(row):
        color = "black" if score > scores.to_numpy().mean() else "white"
        ax.text(j, i, f"{score:.2f}", ha="center", va="center", color=color)
ax.set_xticks(range(len(scores.columns)), scores.columns)
ax.set_yticks(range(len(scores)), scores.index)
ax.set(xlabel="lr", ylabel="hidden_size", title="accuracy in cross-validation")
figure.colorbar(image)

# %%
# **For your data:** replace ``LocalCluster`` by ``Client("tcp://scheduler:8786")``, install this package on the workers, and save the
# model in a folder that all of them read; ``dd.read_parquet`` reads larger tables. On Ray, the search runs in
# ``joblib.parallel_config("ray", n_jobs=-1)`` after ``ray.util.joblib.register_ray()``, and the table is scored by
# ``ray_dataset.map_batches(Scorer, fn_constructor_args=(path, "tree"), compute=ray.data.ActorPoolStrategy(size=2))``. :doc:`/scaling` has
# these lines, Spark's, and the limits.
