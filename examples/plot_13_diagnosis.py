"""
Learning curves and the diagnosis of a fit
==========================================

The losses of each epoch show whether a net learned too little, too much, or at the wrong rate. ``diagnose`` looks at the losses and at the
data, and suggests what to change.
"""

# %%
# Three nets learn from 200 sentences: one with the default learning rate, one with a rate that is far too high, and one that is trained for
# three epochs only.

import warnings

import matplotlib.pyplot as plt

from sklearn_tree import RecursiveNetClassifier, diagnose
from sklearn_tree.datasets import make_negation

grammar = make_negation(1000, random_state=0)
X, y = grammar.data[:300], grammar.target[:300]
settings = {
    "default": {"max_epochs": 40},
    "lr=1": {"max_epochs": 40, "lr": 1.0},
    "max_epochs=3": {"max_epochs": 3},
}
nets = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the second net may warn of its losses
    for name, params in settings.items():
        net = RecursiveNetClassifier(early_stopping=True, patience=40, random_state=0, **params)
        nets[name] = net.fit(X, y)

# %%
# ``history_`` is a DataFrame with one row per epoch. ``early_stopping`` holds out a tenth of the samples for ``valid_loss`` and keeps the best
# epoch.

figure, axes = plt.subplots(1, 3, figsize=(9, 2.8))
for ax, (name, net) in zip(axes, nets.items(), strict=True):
    net.history_.plot(x="epoch", y=["train_loss", "valid_loss"], ax=ax, legend=ax is axes[0])
    accuracy = net.score(grammar.data[300:], grammar.target[300:])
    ax.set(title=f"{name}: accuracy {accuracy:.2f}", xlabel="epoch")
figure.tight_layout()

# %%
# ``diagnose`` names the illness of a fit with a figure, and suggests a remedy.

diagnose(nets["lr=1"], X, y)

# %%

diagnose(nets["max_epochs=3"], X, y)

# %%
# **For your data:** run ``diagnose(estimator, X, y)`` with the training samples after a fit. An empty report does not mean that the net is
# good: compare its score with that of a linear model, too.
