"""Script that trains nets in the processes of torchrun, and functions that compare them with one process."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from samples import TEXTS, TUPLES, Y

from sklearn_tree import (
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    TreeVectorizer,
)

N_REPEATS = 4
PARAMS = {"hidden_size": 8, "max_epochs": 4, "batch_size": 15, "dropout": 0.0, "device": "cpu"}
CLASSES = np.tile(Y, N_REPEATS)
TREES = TreeVectorizer().fit_transform(TUPLES * N_REPEATS)
SEQUENCES = SequenceVectorizer().fit_transform(TEXTS * N_REPEATS)
CASES = {
    "trees": (RecursiveNetClassifier(**PARAMS), TREES, CLASSES),
    "trees, both directions": (
        RecursiveNetClassifier(**PARAMS, bidirectional=True, pooling="attention"),
        TREES,
        CLASSES,
    ),
    "trees in parts": (RecursiveNetClassifier(**PARAMS, max_batch_nodes=40), TREES, CLASSES),
    "texts": (RNNClassifier(**PARAMS), SEQUENCES, CLASSES),
    "texts, Adagrad": (RNNClassifier(**PARAMS, optimizer="adagrad", weight_decay=0), SEQUENCES, CLASSES),
    "numbers": (RNNRegressor(**PARAMS), SEQUENCES, CLASSES[:, None].astype(np.float32)),
}


def train(name, accelerator=None, **params):
    """Return the training losses of a case and the predictions of its net."""
    estimator, X, y = CASES[name]
    net = type(estimator)(**(estimator.get_params() | params)).make_net(X, y, accelerator)
    torch.manual_seed(0 if accelerator is None else accelerator.process_index)  # the first process counts
    net.fit(X, y)
    return {"losses": net.history[:, "train_loss"], "predictions": np.ravel(net.predict(X)).tolist()}


def validation_rows(accelerator):
    """Return the rows that a net with early stopping validates."""
    estimator, X, y = CASES["texts"]
    net = type(estimator)(**PARAMS, early_stopping=True).make_net(X, y, accelerator)
    return net.get_split_datasets(X, y)[1].indices.tolist()


def main(folder):
    """Train all cases, and write the results of this process."""
    from accelerate import Accelerator

    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True)
    results = {name: train(name, accelerator) for name in CASES}
    results["validation rows"] = validation_rows(accelerator)
    Path(folder, f"{accelerator.process_index}.json").write_text(json.dumps(results))
    accelerator.end_training()


if __name__ == "__main__":
    main(sys.argv[1])
