"""ONNX graphs under construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

OPSET, IR_VERSION = 18, 9
Shape = Sequence[int | str | None]


class Graph:
    """Graph to which nodes are added one after the other; values are identified by their names.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Dtype of weights and states.
    parent : Graph, default=None
        Graph of the node whose body this is; None for the graph of a model. A body can use all values that
        its parent has computed so far.
    """

    def __init__(self, dtype: str = "float32", parent: Graph | None = None) -> None:
        import onnx

        self._onnx = onnx
        self.dtype = dtype
        self.parent = parent
        self.nodes: list[Any] = []
        self.inputs: dict[str, Any] = {}
        self.outputs: list[Any] = []
        self.initializers: list[Any] = []
        self._numbers: count[int] = count() if parent is None else parent._numbers

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return the name of the output.

        Parameters
        ----------
        op : str
            Operator of ONNX.
        *inputs : str
            Names of the inputs; "" for an optional input that is absent.
        **attributes : any
            Attributes of the node.
        """
        return self.add_many(op, inputs, 1, **attributes)[0]

    def add_many(self, op: str, inputs: Sequence[str], n_outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        outputs = [self.new_name() for _ in range(n_outputs)]
        self.nodes.append(self._onnx.helper.make_node(op, list(inputs), outputs, **attributes))
        return outputs

    def new_name(self) -> str:
        """Return a name that no other value has."""
        return f"v{next(self._numbers)}"

    def constant(self, array: Any, dtype: str | None = None) -> str:
        """Add an array to the model and return its name.

        Parameters
        ----------
        array : array-like
            Numbers.
        dtype : str, default=None
            Dtype of the constant; by default, that of the graph for floats and int64 for integers.
        """
        if self.parent is not None:
            return self.parent.constant(array, dtype)
        array = np.asarray(array)
        if dtype is None:
            dtype = self.dtype if array.dtype.kind == "f" else array.dtype.name
        name = self.new_name()
        self.initializers.append(self._onnx.numpy_helper.from_array(array.astype(dtype), name))
        return name

    def ints(self, *values: int) -> str:
        """Add a constant of integers, int64, shape (n_values,)."""
        return self.constant(np.array(values, dtype=np.int64))

    def weight(self, tensor: Any) -> str:
        """Add a tensor of torch as a constant."""
        return self.constant(tensor.detach().cpu().numpy())

    def cast(self, value: str, dtype: str | None = None) -> str:
        """Convert a value to a dtype, by default that of the graph."""
        return self.add("Cast", value, to=self._element_type(dtype or self.dtype))

    def linear(self, x: str, layer: Any) -> str:
        """Apply a linear layer of torch to the last axis."""
        weights = (layer.weight, layer.bias)
        return self.affine(x, *(None if w is None else w.detach().cpu().numpy() for w in weights))

    def affine(self, x: str, weight: Any, bias: Any = None) -> str:
        """Apply a linear map to the last axis, given the arrays of a linear layer of torch."""
        product = self.add("MatMul", x, self.constant(np.ascontiguousarray(weight.T)))
        return product if bias is None else self.add("Add", product, self.constant(bias))

    def slice(self, value: str, start: str, end: str, axis: int = 0) -> str:
        """Return a slice along an axis; the bounds are values of shape (1,)."""
        return self.add("Slice", value, start, end, self.ints(axis))

    def split(self, value: str, sizes: Sequence[int], axis: int = -1) -> list[str]:
        """Split a value along an axis; parts of size 0 have the name ""."""
        kept = [size for size in sizes if size]
        if len(kept) == 1:
            parts = [value]
        else:
            parts = self.add_many("Split", [value, self.ints(*kept)], len(kept), axis=axis)
        names = iter(parts)
        return [next(names) if size else "" for size in sizes]

    def concat(self, values: Sequence[str], axis: int = -1) -> str:
        """Concatenate values along an axis."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=axis)

    def input(self, name: str, dtype: str, shape: Shape) -> str:
        """Declare an input of the graph, if this has not been done yet, and return its name."""
        if name not in self.inputs:
            self.inputs[name] = self._tensor_info(name, dtype, shape)
        return name

    def output(self, value: str, shape: Shape, name: str) -> None:
        """Declare an output of the graph."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self.outputs.append(self._tensor_info(name, self.dtype, shape))

    def loop(
        self,
        n: str,
        carried: Sequence[str],
        shapes: Sequence[Shape],
        body: Callable[..., Sequence[str]],
        *,
        n_sequences: int = 0,
    ) -> list[str]:
        """Add a loop and return the values after its last iteration.

        Parameters
        ----------
        n : str
            Number of iterations, int64, shape ().
        carried : sequence of str
            Initial values.
        shapes : sequence of shapes
            Shape of each value, None for axes that may change. For sequences, the shape of their elements.
        body : callable
            ``body(graph, index, *values)`` adds the nodes of an iteration and returns the new values.
        n_sequences : int, default=0
            Number of the last values that are sequences of tensors.
        """
        graph = Graph(self.dtype, self)
        index, condition = (
            graph.input(graph.new_name(), "int64", ()),
            graph.input(graph.new_name(), "bool", ()),
        )
        names = [graph.new_name() for _ in carried]
        n_tensors = len(carried) - n_sequences
        infos = [self._tensor_info] * n_tensors + [self._sequence_info] * n_sequences
        for name, shape, info in zip(names, shapes, infos, strict=True):
            graph.inputs[name] = info(name, self.dtype, shape)
        results = body(graph, index, *names)
        results = [graph.add("Identity", value) for value in (condition, *results)]
        graph.outputs.append(self._tensor_info(results[0], "bool", ()))
        for name, shape, info in zip(results[1:], shapes, infos, strict=True):
            graph.outputs.append(info(name, self.dtype, shape))
        inputs = [n, self.constant(np.array(True)), *carried]
        return self.add_many("Loop", inputs, len(carried), body=graph.to_proto("body"))

    def to_proto(self, name: str) -> Any:
        """Return the graph as a message of ONNX."""
        return self._onnx.helper.make_graph(
            self.nodes, name, list(self.inputs.values()), self.outputs, initializer=self.initializers
        )

    def to_model(self) -> Any:
        """Return the graph as a checked model of ONNX."""
        helper = self._onnx.helper
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            self.to_proto("net"), opset_imports=opset, ir_version=IR_VERSION, producer_name="sklearn_tree"
        )
        self._onnx.checker.check_model(model, full_check=True)
        return model

    def _element_type(self, dtype: str) -> int:
        return self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def _tensor_info(self, name: str, dtype: str, shape: Shape) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self._element_type(dtype), shape)

    def _sequence_info(self, name: str, dtype: str, shape: Shape) -> Any:
        return self._onnx.helper.make_tensor_sequence_value_info(name, self._element_type(dtype), shape)
