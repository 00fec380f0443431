"""Speed of reading each tree format into a ``TreeArray``, with and without ``TreeVectorizer``.

Run ``python benchmarks/encoding.py`` on one core. Formats whose library is missing are skipped.
"""

from __future__ import annotations

import argparse
import ast
import gc
import inspect
import json
import time
import typing
from collections.abc import Callable
from importlib.util import find_spec
from xml.etree import ElementTree

from sklearn_tree import Tree, TreeArray, TreeParser, TreeVectorizer
from sklearn_tree.datasets import load_gum

FLOORS = {"nested tuples": 1e6, "brackets": 1e6, "lxml": 3e5, "ast": 3e5}


def main() -> None:
    """Print one row per format, in nodes per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    print(f"{'format':16}{'nodes':>10}{'from_trees':>12}{'vectorized':>12}{'floor':>11}")
    for name, trees in sources().items():
        n = TreeArray.from_trees(trees).n_nodes
        read = n / best_time(lambda: TreeArray.from_trees(trees), repeats)  # noqa: B023
        encoded = n / best_time(lambda: TreeVectorizer().fit_transform(trees), repeats)  # noqa: B023
        print(f"{name:16}{n:10,}{read:12,.0f}{encoded:12,.0f}{FLOORS.get(name, 0):11,.0f}", flush=True)
    for format, texts in documents().items():
        n = TreeParser(format, split=None).transform(texts).n_nodes
        read = n / best_time(lambda: TreeParser(format, split=None).transform(texts), repeats)  # noqa: B023
        print(f"{'parse ' + format:16}{n:10,}{read:12,.0f}", flush=True)


def best_time(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest time of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def sources() -> dict[str, list]:
    """Return the parse trees of GUM in several formats, and syntax trees of the standard library."""
    gum = list(load_gum().data)
    found: dict[str, list] = {
        "brackets": [tree.to_brackets() for tree in gum],
        "nested tuples": [tree.to_tuple() for tree in gum],
        "Tree": gum,
        "dict": [link_nodes(tree, new_dict, lambda p, c: p["children"].append(c)) for tree in gum],
        "ElementTree": [link_nodes(tree, ElementTree.Element, lambda p, c: p.append(c)) for tree in gum],
        "ast": [ast.parse(inspect.getsource(module)) for module in (ast, argparse, inspect, json, typing)],
    }
    if find_spec("lxml"):
        from lxml import etree

        found["lxml"] = [link_nodes(tree, as_tag(etree.Element), lambda p, c: p.append(c)) for tree in gum]
    if find_spec("nltk"):
        found["nltk"] = [tree.to_nltk() for tree in gum]
    return found


def documents() -> dict[str, list[str]]:
    """Return texts for each parser."""
    gum = list(load_gum().data[:1000])
    elements = [link_nodes(tree, as_tag(ElementTree.Element), lambda p, c: p.append(c)) for tree in gum]
    return {
        "json": [
            json.dumps(link_nodes(tree, new_dict, lambda p, c: p["children"].append(c))) for tree in gum
        ],
        "xml": [ElementTree.tostring(element, encoding="unicode") for element in elements],
        "html": [ElementTree.tostring(e, encoding="unicode", short_empty_elements=False) for e in elements],
        "python": [inspect.getsource(module) for module in (ast, argparse, inspect, json, typing)],
    }


def link_nodes(tree: Tree, make: Callable, link: Callable) -> object:
    """Build a tree of another library's nodes and return its root."""
    nodes = [make(label) for label in tree.labels]
    for i, parent in enumerate(tree.parents.tolist()):
        if parent >= 0:
            link(nodes[parent], nodes[i])
    return nodes[0]


def new_dict(label: str) -> dict:
    """Return a node without children as a dict."""
    return {"label": label, "children": []}


def as_tag(make: Callable) -> Callable:
    """Return ``make`` with labels converted to valid XML names."""
    return lambda label: make("x" + "".join(sign if "a" <= sign.lower() <= "z" else "_" for sign in label))


if __name__ == "__main__":
    main()
