"""Keras on TensorFlow: ``model.fit`` and ``model.predict`` on padded arrays; run by ``client.Peer``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

Weights = dict[str, np.ndarray]


def main() -> None:
    """Execute the commands on stdin: ``python keras_peer.py FILE.npz BATCH_SIZE N_THREADS``."""
    replies, sys.stdout = sys.stdout, sys.stderr
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(int(sys.argv[3]))
    tensorflow.config.threading.set_inter_op_parallelism_threads(int(sys.argv[3]))
    with np.load(sys.argv[1]) as file:
        weights = {name: file[name] for name in file.files}
    session = Session(weights.pop("X"), weights.pop("y"), weights, int(sys.argv[2]))
    for line in sys.stdin:
        command, *arguments = line.split(maxsplit=2)
        if command == "quit":
            break
        print(json.dumps(getattr(session, command)(*arguments)), file=replies, flush=True)


class Session:
    """Commands of the peer; each fit starts from the weights in the file."""

    def __init__(self, X: np.ndarray, y: np.ndarray, weights: Weights, batch_size: int) -> None:
        import keras

        self.X, self.y, self.batch_size = X, y, batch_size
        self.model = build_recurrent(X, weights) if "rnn" in weights else build_convolutional(X, weights)
        self.model.compile(
            optimizer=keras.optimizers.Adam(float(weights["lr"])),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self.initial = self.model.get_weights()
        self.fit()  # traces the graph
        self.predict()

    def logits(self, n: str, path: str) -> dict:
        self.model.set_weights(self.initial)
        np.save(path.strip(), self.model.predict(self.X[: int(n)], verbose=0))
        return {}

    def fit(self) -> dict:
        self.model.set_weights(self.initial)
        start = time.perf_counter()
        self.model.fit(self.X, self.y, batch_size=self.batch_size, epochs=1, verbose=0)
        return {"seconds": time.perf_counter() - start}

    def predict(self) -> dict:
        start = time.perf_counter()
        self.model.predict(self.X, batch_size=self.batch_size, verbose=0)
        return {"seconds": time.perf_counter() - start}


def build_recurrent(X: np.ndarray, weights: Weights) -> Any:
    """Build the recurrent net with its initial weights."""
    from keras import Input, Model, layers

    is_lstm = str(weights["rnn"]) == "lstm"
    size = weights["encoder.forwards.0.weight_hh_l0"].shape[1]
    x = inputs = Input(X.shape[1:], dtype="int32")
    x = layers.Embedding(*weights["embedding.labels.weight"].shape)(x)
    x = layers.Bidirectional((layers.LSTM if is_lstm else layers.GRU)(size))(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    model = Model(inputs, layers.Dense(len(weights["head.bias"]))(x))
    values = [weights["embedding.labels.weight"]]
    for direction in ("forwards", "backwards"):
        values += recurrent_weights(weights, f"encoder.{direction}.0.", is_lstm)
    model.set_weights([*values, *norm_weights(weights, "norm"), *dense_weights(weights, "head")])
    return model


def recurrent_weights(weights: Weights, prefix: str, is_lstm: bool) -> Iterator[np.ndarray]:
    """Yield kernel, recurrent kernel and bias of a direction in Keras' order of gates."""
    w, u = weights[prefix + "weight_ih_l0"], weights[prefix + "weight_hh_l0"]
    b, c = weights[prefix + "bias_ih_l0"], weights[prefix + "bias_hh_l0"]
    if is_lstm:
        yield from (w.T, u.T, b + c)
        return
    r, z, n = np.split(np.arange(len(w)), 3)
    order = np.r_[z, r, n]
    yield from (w[order].T, u[order].T, np.stack([b[order], c[order]]))


def build_convolutional(X: np.ndarray, weights: Weights) -> Any:
    """Make the convolutional net with its initial weights."""
    from keras import Input, Model, layers

    has_tokens, is_image = "embedding.labels.weight" in weights, X.ndim == 4
    convolution = layers.Conv2D if is_image else layers.Conv1D
    pool = layers.MaxPooling2D if is_image else None
    values = []
    h = inputs = Input(X.shape[1:], dtype="int32" if has_tokens else "float32")
    if has_tokens:
        values += [weights["embedding.labels.weight"]]
        h = layers.Embedding(*weights["embedding.labels.weight"].shape)(h)
    block = 0
    while f"encoder.convolutions.{block}.convolutions.0.weight" in weights:
        x = h
        if block:
            h = pool(2, padding="same")(h) if pool else h
            x = layers.ReLU()(layers.LayerNormalization(epsilon=1e-5)(h))
            x = layers.Dense(len(weights[f"encoder.narrow.{block - 1}.bias"]))(x)
            values += norm_weights(weights, f"encoder.norms.{block - 1}")
            values += dense_weights(weights, f"encoder.narrow.{block - 1}")
        branches, i = [], 0
        while (name := f"encoder.convolutions.{block}.convolutions.{i}") + ".weight" in weights:
            kernel = weights[name + ".weight"]
            width = kernel.shape[3]
            branches += [convolution(len(kernel), width, padding="same")(x)]
            kernel = kernel.transpose(2, 3, 1, 0)
            values += [kernel if is_image else kernel[0], weights[name + ".bias"]]
            i += 1
        joined = layers.Concatenate()(branches) if len(branches) > 1 else branches[0]
        h = joined if not block else layers.Add()([h, joined])
        block += 1
    h = layers.ReLU()(h)
    h = (layers.GlobalMaxPooling2D if is_image else layers.GlobalMaxPooling1D)()(h)
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    h = layers.Dense(len(weights["hidden.bias"]), activation="relu")(h)
    model = Model(inputs, layers.Dense(len(weights["head.bias"]))(h))
    for name, take in (("norm", norm_weights), ("hidden", dense_weights), ("head", dense_weights)):
        values += take(weights, name)
    model.set_weights(values)
    return model


def dense_weights(weights: Weights, name: str) -> list[np.ndarray]:
    """Return the kernel and bias of a dense layer."""
    return [weights[f"{name}.weight"].T, weights[f"{name}.bias"]]


def norm_weights(weights: Weights, name: str) -> list[np.ndarray]:
    """Return the scale and shift of a layer normalisation."""
    return [weights[f"{name}.weight"], weights[f"{name}.bias"]]


if __name__ == "__main__":
    main()
