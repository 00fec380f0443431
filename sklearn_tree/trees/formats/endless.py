"""Detection of objects that would unfold into endless or enormous trees."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from operator import length_hint
from typing import Any, NoReturn

DEEP = 1 << 12  # look for a cycle at depth 4,096, 8,192, ...
MANY = 1 << 20  # count the links between the objects of trees with more nodes ...
WINDOW = 1 << 17  # ... and compare after this many further nodes
# Limits of a tree of nested objects, which stop adapters that make new children without end.
MAX_NODES = 10_000_000
MAX_DEPTH = 1 << 20


class EndlessCheck:
    """Check of a walk through nested objects for cycles, size and, beyond a million nodes, for shared parts.

    The links of an object to its children are counted once, when the object is first visited. In a tree of
    distinct parts, every node is reached by its own link. If parts are shared, the nodes far outnumber the
    links.
    """

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}  # references to the objects keep their ids unique
        self.n_links = 0
        self.start = 0

    def check(self, path: list, numbers: list[int], waiting: list) -> None:
        """Check the path from the root to the current node.

        Parameters
        ----------
        path : list of object
            The objects on the path.
        numbers : list of int, length len(path) + 1
            -1 and the numbers of the objects.
        waiting : list of iterator
            Children still to be visited, for each object on the path.

        Raises
        ------
        ValueError
            If an object occurs twice on the path, the same few objects make up more than a million nodes, or
            the tree exceeds ``MAX_NODES`` or ``MAX_DEPTH``.
        """
        depth = len(path) - 1
        if depth >= DEEP and depth & (depth - 1) == 0:
            _refuse_cycle(path, numbers)
        if depth >= MAX_DEPTH:
            _refuse_size("levels", "MAX_DEPTH", MAX_DEPTH)
        if numbers[-1] >= MAX_NODES:
            _refuse_size("nodes", "MAX_NODES", MAX_NODES)
        if numbers[-1] >= MANY:
            self._refuse_sharing(path[-1], numbers[-1], waiting)

    def _refuse_sharing(self, node: Any, i: int, waiting: list) -> None:
        if not self.start:
            self.start = i
            self.n_links = sum(map(length_hint, waiting))
        elif id(node) not in self.objects:
            self.n_links += length_hint(waiting[-1])
        self.objects[id(node)] = node
        if i - self.start > WINDOW and i - self.start > 100 * self.n_links:
            raise ValueError(
                f"the tree has more than {i} nodes because it shares its parts: a few objects occur many "
                "times, and each occurrence is a node"
            )


def read_children(children: Iterable) -> list:
    """Return the children that an iterable yields; raise ValueError if they are more than ``MAX_NODES``."""
    found = list(islice(children, MAX_NODES + 1))
    if len(found) > MAX_NODES:
        _refuse_size("nodes", "MAX_NODES", MAX_NODES)
    return found


def _refuse_size(what: str, name: str, limit: int) -> NoReturn:
    raise ValueError(
        f"the tree has more than {limit} {what}, so its nodes seem to make new children without end: if they "
        f"do not, raise {__name__}.{name} or pass Tree(labels, parents), which has no limit"
    )


def _refuse_cycle(path: list, numbers: list[int]) -> None:
    # In a cycle the depth grows without bound, and without one no object is its own descendant.
    seen: set[int] = set()
    for node, number in zip(path, numbers[1:], strict=True):
        if id(node) in seen:
            raise ValueError(
                f"the tree contains a cycle: node {number} ({type(node).__name__}) "
                "is one of its own descendants"
            )
        seen.add(id(node))
