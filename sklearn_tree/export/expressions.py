"""Elementwise functions of cells as nodes of ONNX."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import numpy as np

from sklearn_tree.export.graph import Graph
from sklearn_tree.nn.compiled.trace import Expressions

_BINARY = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div"}
_COMPARISONS = {
    ast.Eq: "Equal",
    ast.Gt: "Greater",
    ast.GtE: "GreaterOrEqual",
    ast.Lt: "Less",
    ast.LtE: "LessOrEqual",
}
_FUNCTIONS = {
    "abs": "Abs",
    "cos": "Cos",
    "exp": "Exp",
    "log": "Log",
    "maximum": "Max",
    "minimum": "Min",
    "sigmoid": "Sigmoid",
    "sin": "Sin",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
}
_LITERALS = {"inf": np.inf, "nan": np.nan}


class ExpressionWriter:
    """Writer of the expressions that :func:`~sklearn_tree.nn.compiled.trace.trace_cell` returns.

    Parameters
    ----------
    graph : Graph
        Graph to add the nodes to.
    expressions : Expressions
        Function.
    arguments : dict of str to str
        Value of each argument.
    """

    def __init__(self, graph: Graph, expressions: Expressions, arguments: dict[str, str]) -> None:
        self.graph = graph
        self.sources = {name: ast.parse(text, mode="eval").body for name, text in expressions.assignments}
        self.values = dict(arguments)
        self.arguments = arguments.keys()

    def write(self, result: str | None, like: str) -> str:
        """Return the value of a result; a constant result gets the shape of ``like``."""
        node = ast.parse(result or "0.0", mode="eval").body
        value = self._write(node)
        return value if self._varies(node) else self.graph.add("Expand", value, self.graph.add("Shape", like))

    def _varies(self, node: ast.expr) -> bool:
        """Return whether an expression depends on the arguments."""
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        inner = (self.sources[name] for name in names & self.sources.keys())
        return bool(names & self.arguments) or any(map(self._varies, inner))

    def _name(self, name: str) -> str:
        if name not in self.values:
            if name in _LITERALS:
                self.values[name] = self.graph.constant(_LITERALS[name])
            else:
                self.values[name] = self._write(self.sources[name])
        return self.values[name]

    def _write(self, node: ast.expr) -> str:
        add, write = self.graph.add, self._write
        tanh = self._find_tanh(node)
        if tanh is not None:
            return add("Tanh", write(tanh))
        match node:
            case ast.Name(name):
                return self._name(name)
            case ast.Constant(float(number)):
                return self.graph.constant(number)
            case ast.BinOp(left, operator, right):
                return add(_BINARY[type(operator)], write(left), write(right))
            case ast.UnaryOp(ast.USub(), operand):
                return add("Neg", write(operand))
            case ast.UnaryOp(ast.Not(), operand):
                return add("Not", write(operand))
            case ast.BoolOp(operator, [left, right]):
                return add("And" if isinstance(operator, ast.And) else "Or", write(left), write(right))
            case ast.Compare(left, [ast.NotEq()], [right]):
                return add("Not", add("Equal", write(left), write(right)))
            case ast.Compare(left, [operator], [right]):
                return add(_COMPARISONS[type(operator)], write(left), write(right))
            case ast.IfExp(condition, left, right):
                return add("Where", write(condition), write(left), write(right))
            case ast.Call(ast.Name(function), arguments):
                return add(_FUNCTIONS[function], *map(write, arguments))
        raise AssertionError(f"unexpected expression {ast.unparse(node)}")

    def _find_tanh(self, node: ast.expr) -> ast.expr | None:
        """Return x if a node computes tanh x as 2 sigmoid(x + x) - 1, see ``sklearn_tree.nn.gated.tanh``."""
        match self._resolve(node):
            case ast.BinOp(
                ast.UnaryOp(ast.USub(), ast.Constant(1.0)),
                ast.Add(),
                ast.BinOp(ast.Constant(2.0), ast.Mult(), x),
            ):
                match self._resolve(x):
                    case ast.Call(ast.Name("sigmoid"), [y]):
                        match self._resolve(y):
                            case ast.BinOp(ast.Name(a), ast.Add(), ast.Name(b)) if a == b:
                                return ast.Name(a)
        return None

    def _resolve(self, node: ast.expr) -> ast.expr:
        """Return the expression of an intermediate value that has not been written yet."""
        if isinstance(node, ast.Name) and node.id not in self.values:
            return self.sources.get(node.id, node)
        return node


def write_function(
    graph: Graph, expressions: Expressions, arguments: Mapping[str, Sequence[str]], n_results: int, like: str
) -> list[str]:
    """Add an elementwise function to a graph.

    Parameters
    ----------
    graph : Graph
        Graph to add the nodes to.
    expressions : Expressions
        Function.
    arguments : dict of str to sequence of str
        Values of the arguments by their first letter.
    n_results : int
        Number of results.
    like : str
        Value with the shape of the results.

    Returns
    -------
    list of str
        Values of the results.
    """
    named = {f"{letter}{i}": x for letter, values in arguments.items() for i, x in enumerate(values)}
    writer = ExpressionWriter(graph, expressions, named)
    return [writer.write(result, like) for result in expressions.results[:n_results]]
