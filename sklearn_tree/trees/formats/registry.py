"""The registry of tree formats: which Python type is read by which adapter."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["FlatTree", "TreeNode", "flatten", "register_tree_type"]


class TreeNode(NamedTuple):
    """What an adapter says of one node of somebody's tree.

    Parameters
    ----------
    label : str
        The node's label.
    children : iterable, default=()
        The child nodes, in order: objects of any registered type, or ``TreeNode``.
    value : float, default=None
        A finite number that the node carries, ``None`` for none.
    edge : str, default=None
        The label of the edge to the node's parent, ``None`` for none.

    Examples
    --------
    >>> from sklearn_tree import Tree, TreeNode
    >>> Tree.from_any(TreeNode("price", [TreeNode("net", value=3.5)]))
    Tree('(price net)')
    """

    label: str
    children: Iterable[Any] = ()
    value: float | None = None
    edge: str | None = None


class FlatTree(NamedTuple):
    """One tree as preorder columns (plain lists; ``values`` and ``edges`` None when unused)."""

    labels: list
    parents: list
    depths: list
    values: list | None = None
    edges: list | None = None


Adapter = Callable[[Any], "tuple[str, Iterable[Any]] | TreeNode"]

_ADAPTERS: dict[type, Adapter] = {}
_ADAPTERS_BY_NAME: dict[str, Adapter] = {}
# Adapters found through a base class or a name, kept until something new is registered.
_RESOLVED: dict[type, Adapter] = {}


def register_tree_type(type: builtins.type, adapter: Adapter) -> None:
    """Teach every estimator and transformer to read trees made of ``type``.

    Parameters
    ----------
    type : type
        The class of the nodes. Subclasses are read by the same adapter.
    adapter : callable
        ``adapter(node)`` returns ``(label, children)`` or a :class:`TreeNode`. ``label`` is a
        str and ``children`` an iterable of nodes, empty for a leaf. It is called once a node
        and never has to recurse.

    Raises
    ------
    TypeError
        If ``type`` is no class or ``adapter`` cannot be called.

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
    _ADAPTERS[type] = adapter
    _RESOLVED.clear()


def register_lazily(name: str, adapter: Adapter) -> None:
    """Register a type of an optional library by ``"package.ClassName"``, without importing it."""
    _ADAPTERS_BY_NAME[name] = adapter


def find_adapter(cls: type) -> Adapter:
    """Return the adapter of a class, its own or its nearest base's.

    Raises
    ------
    TypeError
        If neither the class nor a base is registered.
    """
    found = _RESOLVED.get(cls)
    if found is not None:
        return found
    for base in cls.__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        adapter = _ADAPTERS.get(base) or _ADAPTERS_BY_NAME.get(name)
        if adapter is not None:
            _RESOLVED[cls] = adapter
            return adapter
    raise TypeError(
        f"cannot read a tree from an object of type {cls.__module__}.{cls.__qualname__}; "
        "register_tree_type(type, adapter) teaches how (each process for itself: before parallel "
        "work, turn the trees into a TreeArray)"
    )


def flatten(root: Any) -> FlatTree:
    """Walk any tree of registered types without recursion and return its preorder columns.

    Parameters
    ----------
    root : object
        The root node.

    Returns
    -------
    FlatTree
        Lists of labels, parents (-1 for the root), depths, and values and edges when any
        node has one.

    Raises
    ------
    TypeError
        If a node's type is not registered or a label is not a str.
    ValueError
        If a value is not finite or the object contains itself.
    """
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    values: list[float | None] = []
    edges: list[str | int | None] = []
    nodes: list[Any] = []
    annotated = False
    check_at = 1 << 12  # look for cycles when the tree has grown to 4,096 nodes, 8,192, ...
    stack: list[tuple[Any, int]] = [(root, -1)]
    while stack:
        node, parent = stack.pop()
        i = len(labels)
        said: Any = (node, ()) if isinstance(node, str) else _adapt(node)
        label, children = said[0], said[1]
        if type(label) is not str:
            label = as_label(label, i)
        labels.append(label)
        parents.append(parent)
        depths.append(depths[parent] + 1 if parent >= 0 else 0)
        nodes.append(node)
        if len(said) == 4:  # a TreeNode
            values.append(as_value(said[2], i))
            edges.append(as_edge(said[3], i))
            annotated = annotated or said[2] is not None or said[3] is not None
        else:
            values.append(None)
            edges.append(None)
        if children:
            if not isinstance(children, (list, tuple)):
                children = _as_list(children, i)
            stack.extend([(child, i) for child in reversed(children)])
        if i == check_at:
            _refuse_cycle(nodes, parents)
            check_at *= 2
    if not annotated:
        return FlatTree(labels, parents, depths)
    return FlatTree(labels, parents, depths, values, edges)


def _adapt(node: Any) -> Any:
    if type(node) is TreeNode:
        return node
    cls = type(node)
    said = (_RESOLVED.get(cls) or find_adapter(cls))(node)
    if not isinstance(said, tuple) or len(said) not in (2, 4):
        raise TypeError(
            f"the adapter of {cls.__name__} must return (label, children) or a TreeNode, got {said!r:.60}"
        )
    return said


def _as_list(children: Any, node: int) -> list:
    # A str or dict can be iterated over, but it is one child at most, not its letters or keys.
    if isinstance(children, (str, bytes, dict)) or not isinstance(children, Iterable):
        raise TypeError(f"the children of node {node} must be an iterable of nodes, got {children!r:.60}")
    return list(children)


def as_label(label: Any, node: int) -> str:
    """Return ``label`` as a plain str, or say which node has something else."""
    if isinstance(label, str):
        return str(label)
    raise TypeError(
        f"the label of node {node} must be a str, got {label!r} ({type(label).__name__}); "
        "write str(label) for a category, TreeNode(label, children, value=...) for a measurement"
    )


def as_value(value: Any, node: int) -> float | None:
    """Return ``value`` as a finite float or None, or say which node has something else."""
    if value is None:
        return None
    if not isinstance(value, (int, float, np.number, np.bool_)) or not np.isfinite(value):
        raise ValueError(f"the value of node {node} must be a finite number, got {value!r}")
    return float(value)


def as_edge(edge: Any, node: int) -> str | int | None:
    """Return ``edge`` as a plain str, int (an id) or None, or say which node has something else."""
    if edge is None:
        return None
    if isinstance(edge, str):
        return str(edge)
    if isinstance(edge, (int, np.integer)) and not isinstance(edge, bool):
        return int(edge)
    raise TypeError(f"the edge label of node {node} must be a str, got {edge!r} ({type(edge).__name__})")


def _refuse_cycle(nodes: list, parents: list) -> None:
    # A walk that runs in a circle is for ever inside it, so the newest node's path shows it.
    # Strings are leaves and interned; every other object stands on a path once.
    path: set[int] = set()
    i = len(nodes) - 1
    while i >= 0:
        if type(nodes[i]) is not str and id(nodes[i]) in path:
            raise ValueError(
                f"the tree contains a cycle: node {i} ({type(nodes[i]).__name__}) "
                "is one of its own descendants"
            )
        path.add(id(nodes[i]))
        i = parents[i]
