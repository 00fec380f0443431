"""Expressions of sympy as trees."""

import pytest

from sklearn_tree import Tree


def test_expressions_keep_symbols_and_numbers():
    sympy = pytest.importorskip("sympy")
    x, half = sympy.Symbol("x"), sympy.Rational(1, 2)
    tree = Tree.from_any(sympy.Mul(half, sympy.sin(x * sympy.pi), evaluate=False))
    assert sorted(tree.labels) == ["Mul", "Mul", "number", "pi", "sin", "x"]
    assert [v for v in tree.values if v is not None] == [0.5]
    assert Tree.from_any(sympy.oo).labels == ("oo",)
    assert Tree.from_any(sympy.Integer(10) ** 400).labels == ("1" + "0" * 400,)
