"""Recurrent nets as graphs of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.graph import Graph
from sklearn_tree.export.sequences import SequenceInputs, mask_empty, write_norm, write_pooling

# Operator of each layer, and the position among torch's gates of each gate of the operator.
_OPERATORS = {"LSTM": ("LSTM", (0, 3, 1, 2)), "GRU": ("GRU", (1, 0, 2)), "RNN": ("RNN", (0,))}


def write_recurrent(graph: Graph, net: Any, inputs: SequenceInputs) -> str:
    """Add the encoder and the pooling of a recurrent net; return one vector per sequence.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    net : RecurrentNet
        Net.
    inputs : SequenceInputs
        Inputs.
    """
    encoder = net.encoder
    lengths = graph.cast(inputs.lengths, "int32")
    x = graph.add("Transpose", inputs.x, perm=[1, 0, 2])  # steps first
    final = ""
    for i, forwards in enumerate(encoder.forwards):
        layers = [forwards] if encoder.backwards is None else [forwards, encoder.backwards[i]]
        states, final = _write_layer(graph, layers, x, lengths)
        x = graph.add("Transpose", states, perm=[0, 2, 1, 3])
        x = graph.add("Reshape", x, graph.ints(0, 0, encoder.output_size))
    if net.pool is None:
        final = graph.add("Transpose", final, perm=[1, 0, 2])
        final = graph.add("Reshape", final, graph.ints(0, encoder.output_size))
        return write_norm(graph, net.norm, mask_empty(graph, final, inputs.lengths))
    h = graph.add("Transpose", x, perm=[1, 0, 2])
    return write_norm(graph, net.norm, write_pooling(graph, net.pool, h, inputs.lengths, inputs.is_step))


def _write_layer(graph: Graph, layers: list[Any], x: str, lengths: str) -> tuple[str, str]:
    """Add a layer; return the states of all steps and the final states, with one axis of directions."""
    operator, gates = _OPERATORS[type(layers[0]).__name__]
    size = layers[0].hidden_size

    def arrange(names: tuple[str, ...]) -> str:
        """Return the weights of all directions with the gates in the order of ONNX."""
        directions = [
            np.concatenate([_reorder(getattr(layer, name), gates) for name in names]) for layer in layers
        ]
        return graph.constant(np.stack(directions))

    options: dict[str, Any] = {"hidden_size": size}
    if len(layers) == 2:
        options["direction"] = "bidirectional"
    if operator == "GRU":
        options["linear_before_reset"] = 1
    weights = [
        arrange(names) for names in (("weight_ih_l0",), ("weight_hh_l0",), ("bias_ih_l0", "bias_hh_l0"))
    ]
    states, final = graph.add_many(operator, [x, *weights, lengths], 2, **options)
    return states, final


def _reorder(weight: Any, gates: tuple[int, ...]) -> np.ndarray:
    blocks = np.split(weight.detach().cpu().numpy(), len(gates))
    return np.concatenate([blocks[i] for i in gates])
