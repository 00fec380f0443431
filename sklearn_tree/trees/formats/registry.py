"""Registry of tree formats, which maps types of nodes to adapters."""

from __future__ import annotations

import builtins

import numpy as np

from sklearn_tree.trees.formats.fields import NUMBER_ADVICE
from sklearn_tree.trees.formats.node import Adapter

_ADAPTERS: dict[type, Adapter] = {}
_ADAPTERS_BY_NAME: dict[str, Adapter] = {}
# Adapters of all types seen since the last registration, including types read by the adapter of a base class.
RESOLVED: dict[type, Adapter] = {}
# Types whose nodes are (label, child, ...), which are read without calling the adapter.
NESTED: set[type] = set()
# Types whose adapters users cannot replace, in addition to those of the module builtins.
_FIXED: set[type] = set()


def register_tree_type(type: builtins.type, adapter: Adapter) -> None:
    """Make every estimator and transformer read trees whose nodes are of a given type.

    Parameters
    ----------
    type : type
        Class of the nodes. Its subclasses are read by the same adapter.
    adapter : callable
        ``adapter(node)`` returns ``(label, children)`` or a :class:`TreeNode`. ``label`` is a str and
        ``children`` is an iterable of nodes, empty for a leaf. It is called once per node and need not
        recurse. A tree of more than 10 million nodes or a million levels is refused, because its nodes seem
        to make new children without end.

    Raises
    ------
    TypeError
        If ``type`` is not a class, is a built-in type, which has a fixed meaning, or ``adapter`` is not
        callable.

    See Also
    --------
    TreeParser : ``TreeParser(function)`` converts strings and other samples of built-in types.

    Examples
    --------
    >>> from sklearn_tree import Tree, register_tree_type
    >>> class Person:
    ...     def __init__(self, name, reports=()):
    ...         self.name, self.reports = name, reports
    >>> register_tree_type(Person, lambda person: (person.name, person.reports))
    >>> Tree.from_any(Person("Ada", [Person("Grace"), Person("Edsger")]))
    Tree('(Ada Grace Edsger)')
    """
    if not isinstance(type, builtins.type):
        raise TypeError(f"type must be a class, got {type!r}")
    if not callable(adapter):
        raise TypeError(f"adapter must be callable, got {adapter!r}")
    if issubclass(type, str) or type.__module__ == "builtins" or type in _FIXED:
        raise TypeError(
            f"type must be a class of your own, got {type.__name__}, which has a fixed meaning: convert such "
            "samples with TreeParser(function), or register a class that holds them"
        )
    _ADAPTERS[type] = adapter
    RESOLVED.clear()


def register_fixed(type: builtins.type, adapter: Adapter) -> None:
    """Register a type, which may be a built-in one, whose meaning users cannot change."""
    _ADAPTERS[type] = adapter
    _FIXED.add(type)


def register_nested(type: builtins.type, adapter: Adapter) -> None:
    """Register a sequence type whose nodes are ``(label, child, ...)`` unless the second item is a list."""
    register_fixed(type, adapter)
    NESTED.add(type)


def register_lazily(name: str, adapter: Adapter) -> None:
    """Register a type of an optional library by its name, without importing the library.

    The name is ``"package.ClassName"``, or ``"package.module.ClassName"`` if the package has several such
    classes.
    """
    _ADAPTERS_BY_NAME[name] = adapter


def find_adapter(cls: type) -> Adapter:
    """Return the adapter of a class or, if it has none, of its nearest registered base class.

    Raises
    ------
    TypeError
        If neither the class nor a base class is registered.
    """
    if (known := RESOLVED.get(cls)) is not None:
        return known
    for base in cls.__mro__:
        module = base.__module__ or ""
        adapter = (
            _ADAPTERS.get(base)
            or _ADAPTERS_BY_NAME.get(f"{module.partition('.')[0]}.{base.__qualname__}")
            or _ADAPTERS_BY_NAME.get(f"{module}.{base.__qualname__}")
        )
        if adapter is not None:
            RESOLVED[cls] = adapter
            return adapter
    if cls is type(None):
        raise TypeError(
            "expected a node, got None: leave missing children out, and return a tree from functions"
        )
    raise TypeError(
        f"cannot read a tree from an object of type {cls.__module__}.{cls.__qualname__}; {_make_advice(cls)}"
    )


def _make_advice(cls: type) -> str:
    if issubclass(cls, (int, float, complex, np.number, np.bool_)):
        return NUMBER_ADVICE
    if issubclass(cls, np.ndarray):
        return "RNNClassifier and CNNClassifier read arrays as series or images"
    return (
        "register the type with register_tree_type(type, adapter) (in every process: before parallel work, "
        "convert the trees to a TreeArray)"
    )
