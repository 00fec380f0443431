"""All formats of a tree give the same ``Tree``."""

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import trees

from sklearn_tree import RecursiveNetClassifier, Tree, TreeVectorizer

NAMES = st.sampled_from(["S", "NP", "VP", "it", "works", "é"])


def build(tree, make, link):
    """Make all nodes of a tree, then link each to its parent in order, and return the root."""
    nodes = [make(i, label) for i, label in enumerate(tree.labels)]
    for i, p in enumerate(tree.parents.tolist()):
        if p >= 0:
            link(nodes[p], nodes[i])
    return nodes[0]


def to_nltk(tree):
    return pytest.importorskip("nltk") and tree.to_nltk()


def to_dict(tree):
    def make(i, label):
        return {"name": label, "children": []}

    return build(tree, make, lambda parent, child: parent["children"].append(child))


def to_element(tree):
    return build(tree, lambda i, label: ElementTree.Element(label), lambda p, c: p.append(c))


def to_lxml(tree):
    etree = pytest.importorskip("lxml.etree")
    return build(tree, lambda i, label: etree.Element(label), lambda p, c: p.append(c))


def to_soup(tree):
    bs4 = pytest.importorskip("bs4")
    soup = bs4.BeautifulSoup("", "html.parser")
    soup.append(build(tree, lambda i, label: soup.new_tag(label), lambda p, c: p.append(c)))
    return soup


def to_networkx(tree):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_nodes_from((i, {"label": label}) for i, label in enumerate(tree.labels))
    graph.add_edges_from((p, i) for i, p in enumerate(tree.parents.tolist()) if p >= 0)
    return graph


def to_anytree(tree):
    anytree = pytest.importorskip("anytree")
    return build(tree, lambda i, label: anytree.Node(label), lambda p, c: setattr(c, "parent", p))


def to_bigtree(tree):
    bigtree = pytest.importorskip("bigtree")

    class Node(bigtree.BaseNode):  # bigtree.Node requires distinct names of siblings
        pass

    return build(tree, lambda i, label: Node(name=label), lambda p, c: setattr(c, "parent", p))


def to_treelib(tree):
    result = pytest.importorskip("treelib").Tree()
    for i, (label, p) in enumerate(zip(tree.labels, tree.parents.tolist())):
        result.create_node(label, i, parent=None if p < 0 else p)
    return result


def to_ete(tree):
    ete4 = pytest.importorskip("ete4")
    return build(tree, lambda i, label: ete4.Tree({"name": label}), lambda p, c: p.add_child(c))


def to_token_tree(tree):
    models = pytest.importorskip("conllu").models

    def make(i, label):
        return models.TokenTree(models.Token(id=i + 1, form=label), [])

    return build(tree, make, lambda p, c: p.children.append(c))


FORMATS = [
    Tree.to_brackets, Tree.to_tuple, to_nltk, to_dict, to_element, to_lxml, to_soup, to_networkx, to_anytree,
    to_bigtree, to_treelib, to_ete, to_token_tree,
]  # fmt: skip


@pytest.mark.parametrize("convert", FORMATS)
@given(trees(labels=NAMES))
def test_every_format_gives_the_same_tree(convert, tree):
    assert Tree.from_any(convert(tree)) == tree


@pytest.mark.parametrize("convert", [to_dict, to_lxml, to_networkx])
def test_swapped_children_give_another_tree(convert):  # the control of the law above
    tree = Tree.from_any("(S (NP it) VP)")
    assert Tree.from_any(convert(tree)) != Tree.from_any("(S VP (NP it))")


@pytest.mark.parametrize("convert", FORMATS)
def test_every_format_gives_identical_predictions(convert):
    forest = [Tree.from_any(f"(S (A {a}) {b} (B {c} {a}))") for a in "pq" for b in "pqr" for c in "qr"]
    y = np.arange(len(forest)) % 2
    converted = [convert(tree) for tree in forest]
    ids = TreeVectorizer().fit_transform(converted)
    assert ids == TreeVectorizer().fit_transform(forest)
    clf = RecursiveNetClassifier(hidden_size=4, embedding_dim=4, max_epochs=1, random_state=0)
    expected = clf.fit(forest, y).predict_proba(forest)
    assert (clf.fit(converted, y).predict_proba(converted) == expected).all()


def test_no_optional_library_is_imported():
    code = (
        "import sys, sklearn_tree; sklearn_tree.Tree.from_any(('S', 'a')); sklearn_tree.TreeParser('json');"
        "names = 'nltk spacy conllu lxml bs4 networkx anytree bigtree treelib ete4 sympy tree_sitter'.split();"
        "print([name for name in names if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
