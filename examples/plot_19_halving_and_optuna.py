"""
Searches that end bad candidates early
======================================

The first epochs of a fit often show that its parameters are bad. Successive halving and optuna spend most of their epochs on the promising
candidates. This example runs both on the same task and shows how to read their curves.
"""

# %%
# The task
# --------
# Images of digits, read by a small convolutional net. The searches see 400 images; all others are the test part.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import log_loss
from sklearn.model_selection import HalvingGridSearchCV, StratifiedKFold, train_test_split

from sklearn_tree import CNNClassifier

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.images.astype(np.float32), digits.target, train_size=400, stratify=digits.target, random_state=0
)

# %%
# Successive halving
# ------------------
# All 12 candidates are trained for 2 epochs, the better half of them for 4, and so on. Two settings matter. With a learning-rate schedule, the first
# epochs would depend on ``max_epochs``; ``lr_schedule=None`` prevents this. And the log loss ranks candidates earlier than the accuracy, which
# is coarse.

fixed = {"input_kind": "images", "n_blocks": 1, "lr_schedule": None, "random_state": 0}
grid = {"lr": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1], "dropout": [0.0, 0.3]}
halving = HalvingGridSearchCV(
    CNNClassifier(**fixed),
    grid,
    resource="max_epochs",
    min_resources=2,
    max_resources=16,
    factor=2,
    cv=StratifiedKFold(2, shuffle=True, random_state=0),
    scoring="neg_log_loss",
    random_state=0,
).fit(X, y)
print(f"candidates {halving.n_candidates_} for {halving.n_resources_} epochs")
print(halving.best_params_)

# %%
# ``cv_results_`` has a row for each candidate and round (``iter``). Compare scores within one round only: later rounds have more epochs.

results = pd.DataFrame(halving.cv_results_)
results["log loss"] = -results["mean_test_score"]
columns = ["iter", "n_resources", "param_lr", "param_dropout", "log loss", "std_test_score"]
results.sort_values(["iter", "log loss"]).groupby("iter").head(2)[columns].round(3)

# %%
# Optuna with pruning
# -------------------
# Optuna draws values from ranges, and learns from earlier trials which are good. ``SkorchPruningCallback`` reports the loss of held-out samples
# after each epoch, and the pruner ends a trial that is worse than the median of the earlier trials at the same epoch.

import optuna
from optuna_integration import SkorchPruningCallback

optuna.logging.set_verbosity(optuna.logging.WARNING)


def objective(trial):
    net = CNNClassifier(
        lr=trial.suggest_float("lr", 0.0003, 0.1, log=True),
        dropout=trial.suggest_float("dropout", 0.0, 0.5),
        max_epochs=16,
        callbacks=[SkorchPruningCallback(trial, "valid_loss")],
        **fixed,
    )
    net.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    return net.history_["valid_loss"].iloc[-1]


study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
)
study.optimize(objective, n_trials=14)
print(study.best_params)
print(study.trials_dataframe()["state"].value_counts().to_dict())

# %%
# How to read the curves
# ----------------------
# Each line is a candidate, and a lower line is better. Left: a line ends where its candidate was dropped; dashed lines have dropout. Right: pruned trials
# are gray. Look for lines that cross. A low learning rate and dropout start slowly and may win later, so the first round and ``n_warmup_steps``
# must not be too short. A line that rises at the end shows overfitting: fewer epochs, or more dropout, would be better.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True)
colors = plt.get_cmap("viridis")(np.linspace(0, 0.95, len(grid["lr"])))
for (lr, dropout), rows in results.groupby(["param_lr", "param_dropout"]):
    style = {"color": colors[grid["lr"].index(lr)], "linestyle": "--" if dropout else "-"}
    axes[0].plot(rows["n_resources"], rows["log loss"], marker="o", label=f"{lr}", **style)
for trial in study.trials:
    is_best, is_pruned = trial.number == study.best_trial.number, trial.state.name == "PRUNED"
    color = "tab:orange" if is_best else "0.8" if is_pruned else "tab:blue"
    losses = list(trial.intermediate_values.values())
    axes[1].plot(range(1, len(losses) + 1), losses, color=color, marker=".", zorder=2 + is_best)
axes[0].set(title="halving", ylabel="log loss, held out", ylim=(0, 2.6))
axes[1].set(title="optuna (orange: best trial)")
handles, labels = axes[0].get_legend_handles_labels()
axes[0].legend(handles[::2], labels[::2], title="lr", ncol=2, fontsize="small")
for ax in axes:
    ax.set(xlabel="epochs", xticks=[2, 4, 8, 12, 16])
figure.tight_layout()

# %%
# Epochs and scores
# -----------------
# Both winners are fitted to all 400 images and scored on the test part, beside the default learning rate.

n_halving = 2 * int(np.dot(halving.n_candidates_, halving.n_resources_))
n_optuna = sum(len(trial.intermediate_values) for trial in study.trials)
winners = {
    "default": CNNClassifier(max_epochs=16, **fixed),
    "halving": halving.best_estimator_,
    "optuna": CNNClassifier(**study.best_params, max_epochs=16, **fixed),
}
rows = {}
for name, net in winners.items():
    net = net if name == "halving" else net.fit(X, y)
    rows[name] = {
        "accuracy": net.score(X_test, y_test),
        "log loss": log_loss(y_test, net.predict_proba(X_test)),
    }
table = pd.DataFrame(rows).T
table["epochs of the search"] = [0, n_halving, n_optuna]
table["without early ends"] = [0, 2 * 12 * 16, 14 * 16]
table.round(3)

# %%
# The searches trained about half of the epochs that full fits of all candidates would have taken. On this task, they do not beat the default learning
# rate. Always include a row for the defaults: the best score of a search is the maximum of many noisy ones.
#
# **For your data:** take halving if you have a list of candidates and want cross-validation, and optuna for ranges of several parameters. Give the
# longest fits the number of epochs that you can afford in the end. ``checkpoint_dir`` lets the candidates of halving continue instead of starting
# again (see "Long runs" in the documentation). In a pipeline, the resource is ``resource="cnnclassifier__max_epochs"``.
