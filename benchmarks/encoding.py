"""Nodes per second from trees of each format to a ``TreeArray`` of texts and, by ``TreeVectorizer``, of ids.

Run ``python benchmarks/encoding.py`` on one core; formats whose library is missing are left out.
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
    """Print one row per format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    # Nodes per second, the best of some runs.
    repeats = parser.parse_args().repeats
    print(f"{'format':16}{'nodes':>10}{'from_trees':>12}{'vectorized':>12}{'floor':>11}")
    for name, trees in sources().items():
        n = TreeArray.from_trees(trees).n_nodes
        read = n / best(lambda: TreeArray.from_trees(trees), repeats)  # noqa: B023
        encoded = n / best(lambda: TreeVectorizer().fit_transform(trees), repeats)  # noqa: B023
        print(f"{name:16}{n:10,}{read:12,.0f}{encoded:12,.0f}{FLOORS.get(name, 0):11,.0f}", flush=True)
    for format, texts in documents().items():
        n = TreeParser(format).transform(texts).n_nodes
        read = n / best(lambda: TreeParser(format).transform(texts), repeats)  # noqa: B023
        print(f"{'parse ' + format:16}{n:10,}{read:12,.0f}", flush=True)


def best(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest of some times, in seconds."""
    times = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def sources() -> dict[str, list]:
    """Return GUM's parse trees in several formats, and syntax trees of the standard library."""
    gum = list(load_gum().data)
    found: dict[str, list] = {
        "brackets": [tree.to_brackets() for tree in gum],
        "nested tuples": [tree.to_tuple() for tree in gum],
        "Tree": gum,
        "dict": [linked(tree, new_dict, lambda p, c: p["children"].append(c)) for tree in gum],
        "ElementTree": [linked(tree, ElementTree.Element, lambda p, c: p.append(c)) for tree in gum],
        "ast": [ast.parse(inspect.getsource(module)) for module in (ast, argparse, inspect, json, typing)],
    }
    if find_spec("lxml"):
        from lxml import etree

        found["lxml"] = [linked(tree, as_tag(etree.Element), lambda p, c: p.append(c)) for tree in gum]
    if find_spec("nltk"):
        found["nltk"] = [tree.to_nltk() for tree in gum]
    return found


def documents() -> dict[str, list[str]]:
    """Return texts for the parsers."""
    gum = list(load_gum().data[:1000])
    elements = [linked(tree, as_tag(ElementTree.Element), lambda p, c: p.append(c)) for tree in gum]
    return {
        "json": [json.dumps(linked(tree, new_dict, lambda p, c: p["children"].append(c))) for tree in gum],
        "xml": [ElementTree.tostring(element, encoding="unicode") for element in elements],
        "html": [ElementTree.tostring(e, encoding="unicode", short_empty_elements=False) for e in elements],
        "python": [inspect.getsource(module) for module in (ast, argparse, inspect, json, typing)],
    }


def linked(tree: Tree, make: Callable, link: Callable) -> object:
    """Build somebody's nodes of a tree and link each to its parent."""
    nodes = [make(label) for label in tree.labels]
    for i, parent in enumerate(tree.parents.tolist()):
        if parent >= 0:
            link(nodes[parent], nodes[i])
    return nodes[0]


def new_dict(label: str) -> dict:
    """Return a node as a dict."""
    return {"label": label, "children": []}


def as_tag(make: Callable) -> Callable:
    """Return ``make`` for labels that need not be names of XML."""
    return lambda label: make("x" + "".join(sign if "a" <= sign.lower() <= "z" else "_" for sign in label))


if __name__ == "__main__":
    main()
