"""Functions of Python's standard library as syntax trees, classified by the verb in their names."""

from __future__ import annotations

import ast
import hashlib
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sklearn_tree.trees import Tree, TreeArray
from sklearn_tree.trees.formats import Part, flatten
from sklearn_tree.trees.formats.python_ast import parse_code

_DESCR = """\
Functions of Python's standard library, and the verb in their names
===================================================================

Syntax trees of the functions of the running interpreter's standard library whose names begin with one of
ten verbs: add, check, get, init, is, make, parse, read, set, write. The task is to predict the verb from the
function without its name, docstring, decorators and return type.

- The labels of inner nodes are the types of their syntax ("If", "Call"). Identifiers are leaves. A constant
  has a leaf with the name of its type ("str").
- Trees have 12 to 400 nodes. Duplicates are removed. At most `max_per_verb` functions per verb are kept.
- `split` is "test" for about one file in five; all functions of a file are in the same split.

The trees differ between versions of Python, and installations without the tests of the standard library
have fewer. The sources are under the PSF licence.
"""
_VERBS = ("add", "check", "get", "init", "is", "make", "parse", "read", "set", "write")
_MENTIONS_A_VERB = re.compile(rf"\bdef\s+_*(?:{'|'.join(_VERBS)})(?:_|\s*\()".encode(), re.IGNORECASE)
_FEWEST, _MOST = 12, 400
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Fields that are omitted: the name, which is the target, what would reveal it, and redundant ones.
_HIDDEN: dict[str, Any] = {
    "name": _FUNCTIONS,
    "decorator_list": _FUNCTIONS,
    "returns": _FUNCTIONS,
    "ctx": ast.expr,
    "type_comment": ast.AST,
}


@dataclass(frozen=True)
class _Function:
    """A function with the verb in its name.

    Attributes
    ----------
    verb : str
        The class.
    tree : Tree
        Syntax tree without the name.
    file : str
        Path in the standard library.
    name : str
        Name of the function.
    """

    verb: str
    tree: Tree
    file: str
    name: str


def load_python_functions(*, max_per_verb: int | None = 400, return_X_y: bool = False) -> Any:
    """Load the functions of the standard library as syntax trees, with the verbs in their names as targets.

    Every call reads the sources of the running interpreter, which takes about ten seconds. Nothing is
    downloaded. The result is the same for the same interpreter.

    Parameters
    ----------
    max_per_verb : int, default=400
        Maximum number of functions per verb, drawn with a fixed seed. None keeps all functions, of which a
        third are ``__init__``.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or (TreeArray, ndarray of str)
        ``data``: TreeArray, shape (n_functions,); ``target``: ndarray of str, shape (n_functions,), the
        verbs; ``target_names``: ndarray of str, the ten verbs in sorted order; ``split``: ndarray of str,
        "train" or "test" by file; ``file``, ``function``: ndarrays of str, path and name of each function;
        ``DESCR``: str, a description of the data set.

    Raises
    ------
    ValueError
        If ``max_per_verb`` is not a positive int.
    OSError
        If the sources of the standard library are not installed.

    Examples
    --------
    >>> from sklearn_tree.datasets import load_python_functions
    >>> functions = load_python_functions()  # doctest: +SKIP
    >>> functions.data  # doctest: +SKIP
    TreeArray(2785 trees, 196126 nodes)
    >>> print(functions.file[9], functions.function[9], functions.target[9])  # doctest: +SKIP
    _compression.py read read
    """
    if max_per_verb is not None and (not isinstance(max_per_verb, Integral) or max_per_verb < 1):
        raise ValueError(f"max_per_verb must be an int >= 1 or None, got {max_per_verb!r}")
    folder = Path(sysconfig.get_path("stdlib"))
    functions = list(_remove_duplicates(_read_functions(folder)))
    if not functions:
        raise OSError(f"the sources of the standard library must be in {str(folder)!r}, found no functions")
    target = np.array([function.verb for function in functions])
    kept = _sample_per_class(target, max_per_verb)
    data, target = TreeArray.from_trees(functions[i].tree for i in kept), target[kept]
    if return_X_y:
        return data, target
    file = np.array([functions[i].file for i in kept])
    return Bunch(
        data=data,
        target=target,
        target_names=np.unique(target),
        split=np.array([_choose_split(name) for name in file]),
        file=file,
        function=np.array([functions[i].name for i in kept]),
        DESCR=_DESCR,
    )


def _read_functions(folder: Path) -> Iterator[_Function]:
    for path in sorted(folder.rglob("*.py")):
        file = path.relative_to(folder).as_posix()
        source = path.read_bytes()
        if "-packages/" in file or not _MENTIONS_A_VERB.search(source):
            continue
        try:
            module = parse_code(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # raised on purpose by some tests
            continue
        for definition in _find_definitions(module):
            verb = definition.name.strip("_").lower().partition("_")[0]
            tree = build_function_tree(definition) if verb in _VERBS else None
            if tree is not None:
                yield _Function(verb=verb, tree=tree, file=file, name=definition.name)


def _find_definitions(module: ast.Module) -> Iterator[Any]:
    """Yield the functions of a module in the order of its lines. Only statements can contain functions."""
    stack: list[Any] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, _FUNCTIONS):
            yield node
        for field in ("cases", "finalbody", "orelse", "handlers", "body"):
            below = getattr(node, field, ())
            stack.extend(reversed(below) if isinstance(below, list) else ())  # a lambda's body is not a list


def build_function_tree(definition: ast.AST) -> Tree | None:
    """Return the tree of a function without its name, docstring, decorators and return type.

    Parameters
    ----------
    definition : ast.FunctionDef or ast.AsyncFunctionDef
        Definition of the function.

    Returns
    -------
    Tree or None
        None if the tree has fewer than 12 or more than 400 nodes.
    """
    flat = flatten(Part(definition, partial(_read, is_root=True)))
    return Tree.from_flat(flat) if _FEWEST <= len(flat.labels) <= _MOST else None


def _read(node: ast.AST, is_root: bool = False) -> tuple[str, list]:
    below = _list_children(node, is_root)
    return type(node).__name__, [child if isinstance(child, str) else Part(child, _read) for child in below]


def _list_children(node: ast.AST, is_root: bool) -> list[Any]:
    """Return the children of a node, syntax nodes and identifiers, in the order of its fields."""
    if isinstance(node, ast.Constant):
        return [type(node.value).__name__]
    children: list[Any] = []
    for name, field in ast.iter_fields(node):
        if isinstance(node, _HIDDEN.get(name, ())):
            continue
        below = field if isinstance(field, list) else [field]
        if is_root and name == "body" and _has_docstring(node):
            below = below[1:] or [ast.Pass()]
        children.extend(child for child in below if isinstance(child, (ast.AST, str)))
    return children


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(node, _FUNCTIONS) and ast.get_docstring(node, clean=False) is not None


def _remove_duplicates(functions: Iterator[_Function]) -> Iterator[_Function]:
    seen: set[Tree] = set()
    for function in functions:
        if function.tree not in seen:
            seen.add(function.tree)
            yield function


def _sample_per_class(target: np.ndarray, n_rows: int | None) -> np.ndarray:
    """Draw at most ``n_rows`` rows of each class and return them in ascending order."""
    rows = np.random.RandomState(0).permutation(len(target))
    kept = [rows[target[rows] == name][:n_rows] for name in np.unique(target)]
    return np.sort(np.concatenate(kept))


def _choose_split(file: str) -> str:
    digest = hashlib.md5(file.encode(), usedforsecurity=False).hexdigest()
    return "test" if int(digest, 16) % 5 == 0 else "train"
