"""Accuracy of recursive nets on SST with a label on every node, for several kinds of word vectors.

Run ``python benchmarks/sst_nodes.py --vectors random wordllama --part dev``. The columns are the accuracies
of five classes at the root, of two classes at the root (neutral sentences left out, the probabilities of the
negative and of the positive classes added) and of five classes at all nodes. ``--ensemble`` adds the mean of
the probabilities over all seeds. Parameters were chosen on the development part.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from datasets import FOLDER

from sklearn_tree import RecursiveNetClassifier, TreeArray, predict_nodes
from sklearn_tree.datasets import fetch_sst

NEUTRAL = 2
VECTORS = {"random": None, "glove": "glove.6B.50d", "wordllama": "wordllama"}
PUBLISHED = """published (Tai et al. 2015): random vectors .439 / .820, 300-d GloVe .510 / .880
published (Socher et al. 2013): all nodes .807"""
PARAMS: dict[str, Any] = {
    "cell": "nary_lstm",
    "hidden_size": 150,
    "dropout": 0.5,
    "lr": 0.003,
    "embedding_lr": 0.002,
    "weight_decay": 1e-4,
    "lr_schedule": "one_cycle",
    "gradient_clip": 5.0,
    "batch_size": 25,
    "max_epochs": 8,
    "linear_path": False,
}


def lowercase(trees: TreeArray) -> TreeArray:
    """Return trees with their labels in lower case."""
    words, labels = np.unique([word.lower() for word in trees.vocabulary], return_inverse=True)
    return trees.replace(vocabulary=words.astype(object), labels=labels[trees.labels])


def scores(roots: np.ndarray, nodes: np.ndarray, target: np.ndarray, node_target: np.ndarray) -> list[float]:
    """Return the three accuracies for the probabilities of the roots and of all nodes."""
    polar = target != NEUTRAL
    positive = roots[:, NEUTRAL + 1 :].sum(axis=1) > roots[:, :NEUTRAL].sum(axis=1)
    return [
        float(np.mean(roots.argmax(axis=1) == target)),
        float(np.mean(positive[polar] == (target[polar] > NEUTRAL))),
        float(np.mean(nodes.argmax(axis=1) == node_target)),
    ]


def main() -> None:
    """Fit and score all nets and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", nargs="+", default=list(VECTORS), choices=list(VECTORS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--part", default="test", choices=["dev", "test"])
    parser.add_argument("--ensemble", action="store_true")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other parameters")
    options = parser.parse_args()
    torch.set_num_threads(1)
    params = dict(PARAMS)
    for pair in options.set:
        name, value = pair.split("=")
        params[name] = {"None": None, "True": True, "False": False}.get(value, value)
        if isinstance(params[name], str) and value.replace(".", "").replace("e-", "").isdigit():
            params[name] = float(value) if "." in value or "e-" in value else int(value)
    sst = fetch_sst(root_only=False, data_home=FOLDER / "sst", download_if_missing=False)
    train, test = sst.split == "train", sst.split == options.part
    targets = sst.target[test], sst.node_target[test].values
    trees = lowercase(sst.data)
    print(PUBLISHED)
    for name in options.vectors:
        members = []
        for seed in options.seeds:
            size = {"embedding_dim": 300} if VECTORS[name] is None else {"embeddings": VECTORS[name]}
            net = RecursiveNetClassifier(**{**size, **params}, random_state=seed)
            start = time.perf_counter()
            net.fit(trees[train], sst.target[train], node_y=sst.node_target[train])
            seconds = time.perf_counter() - start
            roots = net.predict_proba(trees[test])
            nodes = predict_nodes(net, trees[test])[net.classes_].to_numpy()
            members.append((roots, nodes))
            figures = " / ".join(f"{score:.3f}" for score in scores(roots, nodes, *targets))
            print(f"{options.part:5}{name:12}seed {seed}  {figures}  {seconds:6.0f} s", flush=True)
        if options.ensemble:
            mean = [np.mean(parts, axis=0) for parts in zip(*members)]
            figures = " / ".join(f"{score:.3f}" for score in scores(*mean, *targets))
            print(f"{options.part:5}{name:12}{len(members)} members {figures}", flush=True)


if __name__ == "__main__":
    main()
