"""
Saving and scoring without torch
================================

A model leaves the notebook in one of two files: a safetensors file, from which training can continue, and an ONNX
file, which scores where torch is not installed.
"""

# %%
# A Tree-LSTM learns the types of sentences from their parse trees.

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

from sklearn_tree import RecursiveNetClassifier, load, save
from sklearn_tree.datasets import load_gum
from sklearn_tree.export import to_onnx

trees, types = load_gum(return_X_y=True)
clf = RecursiveNetClassifier(max_epochs=5, random_state=0).fit(trees[:3000], types[:3000])

# %%
# :func:`~sklearn_tree.save` writes weights and JSON. :func:`~sklearn_tree.load` executes nothing from the file, and the
# predictions are the same.

folder = TemporaryDirectory()
saved, exported = Path(folder.name) / "gum.safetensors", Path(folder.name) / "gum.onnx"
save(clf, saved)
loaded = load(saved)
print((loaded.predict_proba(trees[3000:]) == clf.predict_proba(trees[3000:])).all())

# %%
# :func:`~sklearn_tree.export.to_onnx` writes the whole computation, the walk over the trees included, and the vocabulary. A second
# interpreter, in which ``import torch`` fails, scores raw trees with it.

to_onnx(clf, exported)

SENTENCES = ["(S (NP (PRP it)) (VP (VBZ works)))", "(SQ (VBZ does) (NP (PRP it)) (VP (VB work)))"]
WITHOUT_TORCH = f"""
import sys

class NoTorch:
    def find_spec(self, name, *args):
        if name.partition(".")[0] == "torch":
            raise ImportError(name)

sys.meta_path.insert(0, NoTorch())  # as if torch was not installed
from sklearn_tree.serve import OnnxClassifier
print(OnnxClassifier(sys.argv[1]).predict({SENTENCES}))
"""
WITH_TORCH = f"""
import sys
from sklearn_tree import load
print(load(sys.argv[1]).predict({SENTENCES}))
"""


def run(code: str, path: Path) -> float:
    """Run code in a new interpreter, print its output and return the seconds that it took."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    print(done.stdout)
    return time.perf_counter() - start


seconds = {"load": run(WITH_TORCH, saved), "OnnxClassifier": run(WITHOUT_TORCH, exported)}

# %%
# The second interpreter starts, loads the model and scores in a fraction of the time, most of which torch takes to be imported.

fig, ax = plt.subplots(figsize=(6, 1.6), layout="constrained")
bars = ax.barh(list(seconds), list(seconds.values()), color=["tab:gray", "tab:green"])
ax.bar_label(bars, fmt="%.1f s", padding=3)
ax.set(xlabel="seconds until the first prediction of a new process", xlim=(0, 1.15 * max(seconds.values())))
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# **For your data:** ``save`` keeps a net or a pipeline of its vectorizers and a net; other pipelines are saved by ``skops.io.dump``. Compare the
# predictions of the exported model with your own on a few hundred samples before you ship it.
