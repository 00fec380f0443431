"""
From training to scoring without torch
======================================

A model is trained where torch is installed, and often scores where it is not. This example exports a net, checks that the exported file
gives the same predictions, and measures where the time goes until a new process has its first prediction.
"""

# %%
# A convolutional net learns to tell sentences of interviews from other sentences. It is written as a file of :func:`~sklearn_tree.save`
# and as a file of ONNX.

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_tree import CNNClassifier, save
from sklearn_tree.datasets import load_gum
from sklearn_tree.export import to_onnx
from sklearn_tree.serve import open_onnx

gum = load_gum("genre")
texts = np.array([" ".join(tree.labels[i] for i in tree.leaves) for tree in gum.data], dtype=object)
y = np.where(gum.target == "interview", "interview", "other")
train, test = gum.split == "train", gum.split == "test"
net = CNNClassifier(max_epochs=2, random_state=0).fit(texts[train], y[train])
print(
    f"accuracy {net.score(texts[test], y[test]):.3f}, most frequent class {np.mean(y[test] == 'other'):.3f}"
)

folder = TemporaryDirectory()
paths = {"load": Path(folder.name) / "net.safetensors", "open_onnx": Path(folder.name) / "net.onnx"}
save(net, paths["load"])
to_onnx(net, paths["open_onnx"])

# %%
# Before you ship a file, compare it with the estimator on held-out samples. ONNX Runtime adds in another order than torch, so
# probabilities are equal up to rounding. ``open_onnx`` opens classifiers and regressors.

exported = open_onnx(paths["open_onnx"])
difference = np.abs(exported.predict_proba(texts[test]) - net.predict_proba(texts[test])).max()
same = (exported.predict(texts[test]) == net.predict(texts[test])).all()
print(f"all predictions equal: {same}, largest difference of a probability: {difference:.0e}")

# %%
# Two new processes read the files and score a sentence. They report whether torch was imported, and the seconds of each part.

SCRIPT = """
import json, sys, time

clock = [time.perf_counter()]
from {module} import {function}
clock.append(time.perf_counter())
model = {function}(sys.argv[1])
clock.append(time.perf_counter())
prediction = model.predict(["What did you think when you saw it ?"])[0]
clock.append(time.perf_counter())
seconds = [stop - start for start, stop in zip(clock, clock[1:])]
print(json.dumps([str(prediction), "torch" in sys.modules, seconds]))
"""
MODULES = {"load": "sklearn_tree", "open_onnx": "sklearn_tree.serve"}
PARTS = ["import", "open the file", "predict"]
rows = {}
for function, path in paths.items():
    script = SCRIPT.format(module=MODULES[function], function=function)
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    prediction, has_torch, seconds = json.loads(done.stdout)
    rows[function] = [prediction, has_torch, path.stat().st_size / 1e6, *seconds]
report = pd.DataFrame.from_dict(
    rows, orient="index", columns=["prediction", "torch imported", "megabytes", *PARTS]
)
report.round(2)

# %%
# Imports take most of the time, so leaving out torch matters more than the speed of the prediction. A server imports once; functions that
# start on request and command-line tools do so with every call. Both files hold the same weights, so their sizes differ little.

figure, axes = plt.subplots(1, 2, figsize=(8, 2), sharey=True, layout="constrained", width_ratios=[2, 1])
report[PARTS].plot.barh(stacked=True, ax=axes[0], color=["tab:gray", "tab:orange", "tab:green"])
axes[0].set_xlabel("seconds to the first prediction")
axes[0].legend(frameon=False)
axes[1].barh(report.index, report["megabytes"], color="tab:gray")
axes[1].set_xlabel("size of the file in megabytes")
axes[0].invert_yaxis()
folder.cleanup()

# %%
# **For your data:** keep the file of ``save`` to train further, and ship the ONNX file: ``pip install --no-deps sklearn-tree`` and ``pip
# install scikit-learn onnxruntime`` suffice to score with it. Steps before the net must be vectorizers or parsers of this package; for
# other pipelines, ship a file of skops. Compare predictions on samples with new words, too: a word that is known only from pretrained
# vectors is unknown to the ONNX file.
