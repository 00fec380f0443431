"""The registry of tree formats: which Python type is read by which adapter."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import isfinite
from operator import length_hint
from typing import Any, NamedTuple

import numpy as np

from sklearn_tree.trees.formats.excerpt import excerpt

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
    """One tree as preorder columns (plain lists; ``values`` and ``edges`` None when unused).

    What an adapter returns that has read a whole object at once.
    """

    labels: list
    parents: list
    depths: list
    values: list | None = None
    edges: list | None = None


class Part(NamedTuple):
    """A child that is read by ``adapter``, whatever its type, and hangs on ``edge``."""

    node: Any
    adapter: Callable[[Any], Any]
    edge: str | None = None


Adapter = Callable[[Any], "tuple[str, Iterable[Any]] | TreeNode | FlatTree"]

_ADAPTERS: dict[type, Adapter] = {}
_ADAPTERS_BY_NAME: dict[str, Adapter] = {}
# Adapters found through a base class or a name, kept until something new is registered.
_RESOLVED: dict[type, Adapter] = {}
_NESTED: set[type] = set()  # types of nodes (label, child, ...), read without asking
_DEEP = 1 << 12  # look for a cycle when the walk is 4,096 nodes deep, 8,192, ...
_MANY = 1 << 20  # a tree of more nodes may be a few shared objects: look at its links ...
_WINDOW = 1 << 17  # ... when so many have come since
_INSTEAD_OF_NUMBERS = (
    "write str(label) for a category, TreeNode(label, children, value=...) for a measurement"
)


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
    _NESTED.discard(type)
    _RESOLVED.clear()


def register_nested(type: builtins.type, adapter: Adapter) -> None:
    """Register a sequence type whose nodes are ``(label, child, ...)`` unless a list stands second."""
    register_tree_type(type, adapter)
    _NESTED.add(type)


def register_lazily(name: str, adapter: Adapter) -> None:
    """Register a type of an optional library by name, without importing it.

    The name is ``"package.ClassName"``, or ``"package.module.ClassName"`` where a package has several.
    """
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
        module = base.__module__ or ""
        adapter = (
            _ADAPTERS.get(base)
            or _ADAPTERS_BY_NAME.get(f"{module.partition('.')[0]}.{base.__qualname__}")
            or _ADAPTERS_BY_NAME.get(f"{module}.{base.__qualname__}")
        )
        if adapter is not None:
            _RESOLVED[cls] = adapter
            return adapter
    advice = (
        "register_tree_type(type, adapter) teaches how (each process for itself: before parallel "
        "work, turn the trees into a TreeArray)"
    )
    if issubclass(cls, (int, float, complex, np.number, np.bool_)):
        advice = _INSTEAD_OF_NUMBERS
    raise TypeError(
        f"cannot read a tree from an object of type {cls.__module__}.{cls.__qualname__}; {advice}"
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
        If a value is not finite, the object contains itself, or it grows beyond
        a million nodes because the same few parts are used over and over.
    """
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    values: dict[int, float | None] = {}
    edges: dict[int, str | int | None] = {}
    # The nodes from the root to here: the objects, their numbers, the children still to come.
    path: list[Any] = []
    numbers = [-1]
    waiting = [iter((root,))]
    sharing = _Sharing()
    while waiting:
        parent, depth = numbers[-1], len(path)
        for node in waiting[-1]:
            i = len(labels)
            parents.append(parent)
            depths.append(depth)
            if type(node) is str:
                labels.append(node)
                continue
            # (label, child, ...) as read_nested says it; (label, [child, ...]) is left to it.
            if type(node) in _NESTED and len(node) > 1 and type(node[0]) is str and type(node[1]) is not list:
                children = iter(node)
                labels.append(next(children))
            else:
                node, said = _ask(node, i)
                if len(said) == 2:
                    label, children = said
                elif type(said) is FlatTree:
                    _splice(said, labels, parents, depths, values, edges)
                    continue
                else:
                    label, children, value, edge = said
                    if value is not None:
                        values[i] = as_value(value, i)
                    if edge is not None:
                        edges[i] = as_edge(edge, i)
                labels.append(label if type(label) is str else as_label(label, i))
                if not children:
                    continue
                children = _iterate(children, i)
            waiting.append(children)
            path.append(node)
            numbers.append(i)
            if i >= _MANY or (depth >= _DEEP and depth & (depth - 1) == 0):
                _refuse_endless(path, numbers, waiting, sharing)
            break
        else:
            waiting.pop()
            numbers.pop()
            if path:
                path.pop()
    n = len(labels)
    return FlatTree(labels, parents, depths, _column(values, n), _column(edges, n))


def _ask(node: Any, i: int) -> tuple[Any, Any]:
    """Return the object behind a node, and what its adapter says of it."""
    cls = type(node)
    if cls is TreeNode or cls is FlatTree:
        return node, node
    if cls is Part:
        node, adapter, edge = node
        said = adapter(node)
        if edge is not None:
            label, children, value, _ = said if len(said) == 4 else (*said, None, None)
            said = TreeNode(label, children, value, edge)
        return node, said
    if isinstance(node, str):
        return node, (node, ())
    said = (_RESOLVED.get(cls) or find_adapter(cls))(node)
    if not isinstance(said, tuple) or (len(said) not in (2, 4) and type(said) is not FlatTree):
        raise TypeError(
            f"the adapter of {cls.__name__} must return (label, children) or a TreeNode, got {excerpt(said)}"
        )
    return node, said


def _splice(flat, labels, parents, depths, values, edges):  # type: ignore[no-untyped-def]
    """Put a whole tree in the place of the node whose parent and depth came last."""
    i, depth = len(labels), depths[-1]
    if type(flat.labels[0]) is not str:
        as_label(flat.labels[0], i)
    labels.extend(flat.labels)
    parents.extend([p + i for p in list(flat.parents)[1:]])
    depths.extend([d + depth for d in list(flat.depths)[1:]])
    values.update({k: v for k, v in enumerate(flat.values or (), start=i) if v is not None})
    edges.update({k: e for k, e in enumerate(flat.edges or (), start=i) if e is not None})


def _column(entries: dict, n: int) -> list | None:
    if not entries:
        return None
    column = [None] * n
    for i, entry in entries.items():
        column[i] = entry
    return column


def _iterate(children: Any, node: int) -> Any:
    # A str or dict can be iterated over, but it is one child at most, not its letters or keys.
    if isinstance(children, (list, tuple)):
        return iter(children)
    if isinstance(children, (str, bytes, dict)) or not isinstance(children, Iterable):
        raise TypeError(f"the children of node {node} must be an iterable of nodes, got {excerpt(children)}")
    return iter(list(children))  # whose length is known


def as_label(label: Any, node: int) -> str:
    """Return ``label`` as a plain str, or say which node has something else."""
    if isinstance(label, str):
        return str(label)
    raise TypeError(
        f"the label of node {node} must be a str, got {excerpt(label)} ({type(label).__name__}); "
        f"{_INSTEAD_OF_NUMBERS}"
    )


def as_value(value: Any, node: int) -> float | None:
    """Return ``value`` as a finite float or None, or say which node has something else."""
    if value is None:
        return None
    if isinstance(value, (int, float, np.number, np.bool_)):
        with suppress(OverflowError, TypeError):  # an int beyond all floats, a complex number
            if isfinite(value):
                return float(value)
    raise ValueError(f"the value of node {node} must be a finite number, got {excerpt(value)}")


def as_edge(edge: Any, node: int, kind: type = str) -> str | int | None:
    """Return ``edge`` as a plain str or int (the ``kind``) or None, or say which node has something else."""
    if edge is None:
        return None
    if kind is str and isinstance(edge, str):
        return str(edge)
    if kind is int and isinstance(edge, (int, np.integer)) and not isinstance(edge, bool):
        return int(edge)
    raise TypeError(
        f"the edge label of node {node} must be {kind.__name__} as labels are, "
        f"got {excerpt(edge)} ({type(edge).__name__})"
    )


def _refuse_endless(path: list, numbers: list, waiting: list, sharing: _Sharing) -> None:
    depth = len(path) - 1
    if depth >= _DEEP and depth & (depth - 1) == 0:
        _refuse_cycle(path, numbers)
    if numbers[-1] >= _MANY:
        sharing.refuse_few(path[-1], numbers[-1], waiting)


def _refuse_cycle(path: list, numbers: list) -> None:
    # A walk that runs in a circle gets deeper for ever, and every object stands on a path once.
    seen: set[int] = set()
    for node, number in zip(path, numbers[1:], strict=True):
        if id(node) in seen:
            raise ValueError(
                f"the tree contains a cycle: node {number} ({type(node).__name__}) "
                "is one of its own descendants"
            )
        seen.add(id(node))


class _Sharing:
    """Finds out, beyond a million nodes, whether they are the same few objects again and again.

    An object's links to its children count when it is first met. In a tree of distinct parts every
    node comes over a link of its own; where parts are shared there are far more nodes than links.
    """

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}  # held, so that an id is one object's
        self.n_links = 0
        self.start = 0

    def refuse_few(self, node: Any, i: int, waiting: list) -> None:
        if not self.start:
            self.start = i
            self.n_links = sum(map(length_hint, waiting))
        elif id(node) not in self.objects:
            self.n_links += length_hint(waiting[-1])
        self.objects[id(node)] = node
        if i - self.start > _WINDOW and i - self.start > 100 * self.n_links:
            raise ValueError(
                f"the tree has more than {i} nodes because it shares its parts: a few objects are "
                "used again and again, and a tree has a node for each use"
            )
