"""``load_python_functions``: the standard library's functions as syntax trees, told apart by their verbs."""

from __future__ import annotations

import ast
import hashlib
import re
import sysconfig
import warnings
from collections.abc import Iterator
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch

from sklearn_tree.trees import Tree, TreeArray
from sklearn_tree.trees.formats import Part, flatten

_DESCR = """\
Functions of Python's standard library, and the verb in their names
===================================================================

The syntax trees of functions of the running interpreter's standard library whose name begins with
one of ten verbs: add, check, get, init, is, make, parse, read, set, write. The verb is to be told
from the function, without its name, docstring, decorators and the type it returns.

- Inner nodes are labelled with the type of their syntax ("If", "Call"), identifiers are leaves,
  constants have the name of their type as a leaf ("str").
- 12 to 400 nodes; of equal trees the first is kept; at most `max_per_verb` functions a verb.
- `split` is "test" for about one file in five, so no file is on both sides.

The trees are made from the sources of the interpreter that runs, so they differ between versions of
Python, and where its tests are not installed there are fewer. The sources are under the PSF licence.
"""
_VERBS = ("add", "check", "get", "init", "is", "make", "parse", "read", "set", "write")
_MENTIONS_A_VERB = re.compile(rf"\bdef\s+_*(?:{'|'.join(_VERBS)})(?:_|\s*\()".encode(), re.IGNORECASE)
_FEWEST, _MOST = 12, 400
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What is no child: the name, which is to be told, what would tell it, and what says the same twice.
_HIDDEN: dict[str, Any] = {
    "name": _FUNCTIONS,
    "decorator_list": _FUNCTIONS,
    "returns": _FUNCTIONS,
    "ctx": ast.expr,
    "type_comment": ast.AST,
}


class _Function(NamedTuple):
    """One function: its verb, its tree, where it is."""

    verb: str
    tree: Tree
    file: str
    name: str


def load_python_functions(*, max_per_verb: int | None = 400, return_X_y: bool = False) -> Any:
    """Load functions of the standard library as syntax trees, with the verb in their names.

    The sources of the running interpreter are read at each call, which takes some ten seconds;
    nothing is downloaded. One interpreter always gives the same functions.

    Parameters
    ----------
    max_per_verb : int, default=400
        The most functions of one verb, drawn with a fixed seed; None keeps all, a third of them
        ``__init__``.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` only.

    Returns
    -------
    Bunch or (TreeArray, ndarray of str)
        ``data``: TreeArray, shape (n_functions,); ``target``: ndarray of str, shape
        (n_functions,), the verbs; ``target_names``: the ten verbs, sorted; ``split``: ndarray of
        "train" and "test", by file; ``file``, ``function``: ndarrays of str, where each function
        is and its name; ``DESCR``: a description.

    Raises
    ------
    ValueError
        If ``max_per_verb`` is no positive int.
    OSError
        If the interpreter comes without the sources of its standard library.

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
        raise ValueError(f"max_per_verb must be a positive int or None, got {max_per_verb!r}")
    folder = Path(sysconfig.get_path("stdlib"))
    functions = list(_distinct(_read_functions(folder)))
    if not functions:
        raise OSError(f"the standard library's sources must be in {str(folder)!r}, found no function there")
    target = np.array([function.verb for function in functions])
    kept = _first_of_each(target, max_per_verb)
    data, target = TreeArray.from_trees(functions[i].tree for i in kept), target[kept]
    if return_X_y:
        return data, target
    file = np.array([functions[i].file for i in kept])
    return Bunch(
        data=data,
        target=target,
        target_names=np.unique(target),
        split=np.array([_split_of(name) for name in file]),
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
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the standard library's odd escapes, in its tests
                module = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # so are some files there, on purpose
            continue
        for definition in _definitions(module):
            verb = definition.name.strip("_").lower().partition("_")[0]
            tree = function_tree(definition) if verb in _VERBS else None
            if tree is not None:
                yield _Function(verb, tree, file, definition.name)


def _definitions(module: ast.Module) -> Iterator[Any]:
    """Yield the functions of a module in the order of its lines; they stand among statements only."""
    stack: list[Any] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, _FUNCTIONS):
            yield node
        for field in ("cases", "finalbody", "orelse", "handlers", "body"):
            below = getattr(node, field, ())
            stack.extend(reversed(below) if isinstance(below, list) else ())  # the body of a lambda is none


def function_tree(definition: ast.AST) -> Tree | None:
    """Return the tree of a function's definition, without its name, docstring, decorators and return type.

    Parameters
    ----------
    definition : ast.FunctionDef or ast.AsyncFunctionDef
        The definition.

    Returns
    -------
    Tree or None
        None if it has less than 12 nodes or more than 400.
    """
    flat = flatten(Part(definition, partial(_read, is_root=True)))
    return Tree.from_flat(flat) if _FEWEST <= len(flat.labels) <= _MOST else None


def _read(node: ast.AST, is_root: bool = False) -> tuple[str, list]:
    below = _children(node, is_root)
    return type(node).__name__, [child if isinstance(child, str) else Part(child, _read) for child in below]


def _children(node: ast.AST, is_root: bool) -> list[Any]:
    """List the syntax and the identifiers right below a node, in the order of its fields."""
    if isinstance(node, ast.Constant):
        return [type(node.value).__name__]
    children: list[Any] = []
    for name, field in ast.iter_fields(node):
        if isinstance(node, _HIDDEN.get(name, ())):
            continue
        below = field if isinstance(field, list) else [field]
        if is_root and name == "body" and ast.get_docstring(node, clean=False) is not None:  # type: ignore[arg-type]
            below = below[1:] or [ast.Pass()]
        children.extend(child for child in below if isinstance(child, (ast.AST, str)))
    return children


def _distinct(functions: Iterator[_Function]) -> Iterator[_Function]:
    seen: set[Tree] = set()
    for function in functions:
        if function.tree not in seen:
            seen.add(function.tree)
            yield function


def _first_of_each(target: np.ndarray, most: int | None) -> np.ndarray:
    """Draw at most so many rows of each class; rows stay in order."""
    rows = np.random.RandomState(0).permutation(len(target))
    kept = [rows[target[rows] == name][:most] for name in np.unique(target)]
    return np.sort(np.concatenate(kept))


def _split_of(file: str) -> str:
    digest = hashlib.md5(file.encode(), usedforsecurity=False).hexdigest()
    return "test" if int(digest, 16) % 5 == 0 else "train"
