"""Syntax trees of Python as trees."""

import ast
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from sklearn_tree import Tree
from sklearn_tree.trees.formats import python_ast
from sklearn_tree.trees.formats.python_ast import parse_code


def test_types_are_labels_and_fields_are_edge_labels():
    tree = Tree.from_any(ast.parse("def f(x):\n    return -x * 2.5, 'a b', None, ..."))
    text = (
        r"(Module (FunctionDef f (arguments (arg x)) (Return (Tuple (BinOp (UnaryOp USub (Name x)) Mult "
        r"(Constant number)) (Constant a\ b) (Constant None) (Constant ...)))))"
    )
    assert tree.to_brackets() == text
    assert [v for v in tree.values if v is not None] == [2.5]
    assert tree.edges[:5] == (None, "body", "name", "args", "args")
    assert Tree.from_any(ast.parse("x", mode="eval").body) == Tree(["Name", "x"], [-1, 0], edges=[None, "id"])
    assert Tree.from_any(ast.Constant(10**400)).labels == ("Constant", "1" + "0" * 400)


CODE = r"'\d'"  # an invalid escape


def test_code_is_parsed_without_warnings():
    with pytest.warns(DeprecationWarning if sys.version_info < (3, 12) else SyntaxWarning):  # the control
        ast.parse(CODE)
    before = list(warnings.filters)
    assert ast.dump(parse_code(CODE)) == ast.dump(parse_code(r"'\\d'"))
    with pytest.raises(SyntaxError):
        parse_code("x = = 1")
    assert warnings.filters == before


def test_parses_that_overlap_leave_the_filters_of_warnings_as_they_were(monkeypatch):
    is_inside = {name: threading.Event() for name in ("first", "second")}
    may_leave = {name: threading.Event() for name in is_inside}

    def parse(name, file):
        is_inside[name].set()
        assert may_leave[name].wait(60)
        warnings.warn_explicit(
            "an invalid escape", SyntaxWarning, file, 1
        )  # ignored here, an error elsewhere
        return ast.Module([], [])

    monkeypatch.setattr(python_ast, "ast", SimpleNamespace(parse=parse))
    before = list(warnings.filters)
    with ThreadPoolExecutor(2) as pool:
        jobs = []
        for name in is_inside:
            jobs.append(pool.submit(parse_code, name))
            assert is_inside[name].wait(60)
        with pytest.raises(UserWarning, match="of other code"):
            warnings.warn("of other code", stacklevel=1)
        for name, job in zip(may_leave, jobs, strict=True):  # the first to enter leaves first
            may_leave[name].set()
            job.result()
    assert warnings.filters == before
