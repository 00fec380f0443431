"""One tree in every format is one tree; formats are told apart by type alone."""

import ast
import subprocess
import sys
from collections import OrderedDict
from xml.dom import minidom
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import trees

from sklearn_tree import (
    RecursiveNetClassifier,
    Tree,
    TreeArray,
    TreeNode,
    TreeParser,
    TreeVectorizer,
    register_tree_type,
)
from sklearn_tree.trees.formats import Part, flatten, nested, registry

NAMES = st.sampled_from(["S", "NP", "VP", "it", "works", "é"])


def nodes_of(tree, make, link):
    """Build all nodes of a tree, then link each to its parent, in order."""
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

    return nodes_of(tree, make, lambda parent, child: parent["children"].append(child))


def to_element(tree):
    return nodes_of(tree, lambda i, label: ElementTree.Element(label), lambda p, c: p.append(c))


def to_lxml(tree):
    etree = pytest.importorskip("lxml.etree")
    return nodes_of(tree, lambda i, label: etree.Element(label), lambda p, c: p.append(c))


def to_soup(tree):
    bs4 = pytest.importorskip("bs4")
    soup = bs4.BeautifulSoup("", "html.parser")
    soup.append(nodes_of(tree, lambda i, label: soup.new_tag(label), lambda p, c: p.append(c)))
    return soup


def to_networkx(tree):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_nodes_from((i, {"label": label}) for i, label in enumerate(tree.labels))
    graph.add_edges_from((p, i) for i, p in enumerate(tree.parents.tolist()) if p >= 0)
    return graph


def to_anytree(tree):
    anytree = pytest.importorskip("anytree")
    return nodes_of(tree, lambda i, label: anytree.Node(label), lambda p, c: setattr(c, "parent", p))


def to_bigtree(tree):
    bigtree = pytest.importorskip("bigtree")

    class Node(bigtree.BaseNode):  # bigtree's own Node wants siblings of different names
        pass

    return nodes_of(tree, lambda i, label: Node(name=label), lambda p, c: setattr(c, "parent", p))


def to_treelib(tree):
    result = pytest.importorskip("treelib").Tree()
    for i, (label, p) in enumerate(zip(tree.labels, tree.parents.tolist())):
        result.create_node(label, i, parent=None if p < 0 else p)
    return result


def to_ete(tree):
    ete4 = pytest.importorskip("ete4")
    return nodes_of(tree, lambda i, label: ete4.Tree({"name": label}), lambda p, c: p.add_child(c))


def to_token_tree(tree):
    models = pytest.importorskip("conllu").models

    def make(i, label):
        return models.TokenTree(models.Token(id=i + 1, form=label), [])

    return nodes_of(tree, make, lambda p, c: p.children.append(c))


FORMATS = [
    Tree.to_brackets, Tree.to_tuple, to_nltk, to_dict, to_element, to_lxml, to_soup, to_networkx, to_anytree,
    to_bigtree, to_treelib, to_ete, to_token_tree,
]  # fmt: skip


@pytest.mark.parametrize("convert", FORMATS)
@given(trees(labels=NAMES))
def test_every_format_gives_the_same_tree(convert, tree):
    assert Tree.from_any(convert(tree)) == tree


@pytest.mark.parametrize("convert", [to_dict, to_lxml, to_networkx])
def test_swapped_children_are_another_tree(convert):  # the control of the law above
    tree = Tree.from_any("(S (NP it) VP)")
    assert Tree.from_any(convert(tree)) != Tree.from_any("(S VP (NP it))")


@pytest.mark.parametrize("convert", FORMATS)
def test_every_format_gives_the_same_prediction_bit_for_bit(convert):
    forest = [Tree.from_any(f"(S (A {a}) {b} (B {c} {a}))") for a in "pq" for b in "pqr" for c in "qr"]
    y = np.arange(len(forest)) % 2
    given_trees = [convert(tree) for tree in forest]
    ids = TreeVectorizer().fit_transform(given_trees)
    assert ids == TreeVectorizer().fit_transform(forest)
    clf = RecursiveNetClassifier(hidden_size=4, embedding_dim=4, max_epochs=1, random_state=0)
    expected = clf.fit(forest, y).predict_proba(forest)
    assert (clf.fit(given_trees, y).predict_proba(given_trees) == expected).all()


@pytest.mark.parametrize(
    ("value", "brackets", "values", "edges"),
    [
        ({"a": 1, "b": "x"}, "({} number x)", (None, 1.0, None), (None, "a", "b")),
        ([{"name": 2.5}, True, None], "([] ({} number) true null)", (None, None, 2.5, None, None), None),
        ({"a": ["S", ["T"]], "b": {}}, "({} ([] S ([] T)) {})", None, (None, "a", None, None, None, "b")),
        ({"a": False, "b": {"label": "c"}}, "({} false ({} c))", None, (None, "a", "b", "label")),
    ],
)
def test_a_json_value_keeps_keys_numbers_and_order(value, brackets, values, edges):
    tree = Tree.from_any(value)
    assert tree.to_brackets() == f"{brackets}"
    assert tree.values == values
    assert tree.edges is not None or edges is None
    assert edges is None or tree.edges == edges


def test_dicts_with_a_label_and_lists_with_a_label_are_what_they_were():
    assert Tree.from_any({"label": "S", "children": [["NP", "I"]]}) == Tree.from_any("(S (NP I))")
    assert Tree.from_any(["S", {"name": "x"}]) == Tree.from_any("(S x)")
    with pytest.raises(TypeError, match="label of node 0 must be a str"):
        Tree.from_any([["NP", "I"]])


def test_the_vectorizer_can_be_told_that_all_is_json():
    X = [{"name": "x", "n": 1}, ["S", "a"], 3.5, "text", None, True]
    array = TreeVectorizer("json").fit(X).inverse_transform(TreeVectorizer("json").fit_transform(X))
    assert [tree.to_brackets() for tree in array] == [
        "({} x number)", "([] S a)", "(number)", "(text)", "(null)", "(true)",
    ]  # fmt: skip
    assert TreeVectorizer("json").read([[np.int64(2), np.bool_(True)]]) == TreeVectorizer("json").read(
        [[2, True]]
    )
    with pytest.raises(TypeError, match=r"trees\[0\]: a JSON value must be .* \(set\)"):
        TreeVectorizer("json").fit([set()])


def test_python_syntax_has_types_fields_names_and_constants():
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


XML = "<a xmlns='u' x='1.5' y='007'> one\n two<b/><!-- c -->tail <b>3</b> </a>"


def test_xml_attributes_texts_and_numbers_arrive():
    tree = Tree.from_any(ElementTree.fromstring(XML))
    assert tree.labels == ("a", "number", "007", "one two", "b", "tail", "b", "number")
    assert tree.values == (None, 1.5, None, None, None, None, None, 3.0)
    assert tree.edges == (None, "x", "y", None, None, None, None, None)
    assert Tree.from_any(ElementTree.ElementTree(ElementTree.fromstring(XML))) == tree


def test_lxml_and_soups_are_read_as_elementtree_is():
    etree, bs4 = pytest.importorskip("lxml.etree"), pytest.importorskip("bs4")
    expected = Tree.from_any(
        ElementTree.fromstring("<a x='1.5' y='u v'>one<b/>t<!-- c -->ail<i:d xmlns:i='u'/></a>")
    )
    text = "<a x='1.5' y='u v'>one<b></b>t<!-- c -->ail<i:d xmlns:i='u'/></a>"
    assert Tree.from_any(etree.fromstring(text)) == expected
    assert Tree.from_any(etree.ElementTree(etree.fromstring(text))) == expected
    soup = bs4.BeautifulSoup(
        "<!doctype html><a x='1.5' y='u v'>one<b></b>t<!-- c -->ail<d></d></a>", "html.parser"
    )
    assert Tree.from_any(soup) == Tree.from_any(soup.a) == expected
    assert Tree.from_any(bs4.BeautifulSoup("<p>x</p><p class='u v'>y", "html.parser")).labels == (
        "[document]", "p", "x", "p", "u v", "y",
    )  # fmt: skip


def test_objectified_elements_are_read_by_their_children_not_their_siblings():
    objectify = pytest.importorskip("lxml.objectify")
    text = "<a x='1'><b>2</b><b>t</b><c/></a>"
    assert Tree.from_any(objectify.fromstring(text)) == Tree.from_any(ElementTree.fromstring(text))


def test_texts_of_all_elements_of_a_soup_arrive_but_those_of_scripts_and_styles():
    bs4 = pytest.importorskip("bs4")
    text = (
        "<p>a<ruby>b<rt>c</rt><rp>(</rp></ruby><template>d</template><script>e</script><style>f</style>"
        "<textarea>g</textarea>h<!-- i -->j</p>"
    )
    tree = Tree.from_any(bs4.BeautifulSoup(text, "html.parser"))
    assert tree == TreeParser("html").transform([text])[0]
    assert [tree.labels[i] for i in tree.leaves] == ["a", "b", "c", "(", "d", "script", "style", "g", "hj"]


def test_branch_lengths_are_values_and_relations_edges():
    ete4, conllu = pytest.importorskip("ete4"), pytest.importorskip("conllu")
    tree = Tree.from_any(ete4.Tree("((A:1,B:2)x:0.5,C);", parser=1))
    assert tree == Tree(["", "x", "A", "B", "C"], [-1, 0, 1, 1, 0], values=[None, 0.5, 1, 2, None])
    rows = ["1 dogs dog X _ _ 2 nsubj", "2-3 x _ _ _ _ _ _", "2 run run X _ _ 0 root", "2.1 e e X _ _ _ _"]
    text = "".join("\t".join([*row.split(), "_", "_"]) + "\n" for row in rows) + "\n"
    sentences = conllu.parse(text)
    expected = Tree(["run", "dogs"], [-1, 0], edges=[None, "nsubj"])
    assert Tree.from_any(sentences[0]) == Tree.from_any(sentences[0].to_tree()) == expected
    assert Tree.from_any(conllu.parse(text)) == expected
    assert Tree.from_any(conllu.parse(text + text)) == Tree.from_any(("<text>", expected, expected))


def test_values_and_edges_of_library_nodes_arrive():
    anytree, bigtree = pytest.importorskip("anytree"), pytest.importorskip("bigtree")
    networkx, treelib = pytest.importorskip("networkx"), pytest.importorskip("treelib")
    expected = Tree(["S", "a"], [-1, 0], values=[None, 2.0])
    assert Tree.from_any(anytree.Node("S", children=[anytree.Node("a", value=2)])) == expected
    root = bigtree.Node("S", children=[bigtree.Node("a", value=2)])
    assert Tree.from_any(root) == Tree.from_any(bigtree.Tree(root)) == expected
    assert Tree.from_any(bigtree.BinaryNode(1, right=bigtree.BinaryNode(2))) == Tree.from_any("(1 2)")
    tree = treelib.Tree()
    tree.create_node("S", 0)
    tree.create_node("a", 1, parent=0, data=2)
    assert Tree.from_any(tree) == expected
    graph = networkx.DiGraph()
    graph.add_edge("S", "a", label="x")
    graph.nodes["a"]["value"] = 2
    assert Tree.from_any(graph) == Tree(["S", "a"], [-1, 0], values=[None, 2], edges=[None, "x"])
    graph.nodes["a"]["value"] = np.float32(2)
    assert Tree.from_any(graph).values == (None, 2)
    assert Tree.from_any(networkx.MultiDiGraph([(0, 1), (0, 2)])) == Tree.from_any("(0 1 2)")


def test_formulas_keep_symbols_and_numbers():
    sympy = pytest.importorskip("sympy")
    x, half = sympy.Symbol("x"), sympy.Rational(1, 2)
    tree = Tree.from_any(sympy.Mul(half, sympy.sin(x * sympy.pi), evaluate=False))
    assert sorted(tree.labels) == ["Mul", "Mul", "number", "pi", "sin", "x"]
    assert [v for v in tree.values if v is not None] == [0.5]
    assert Tree.from_any(sympy.oo).labels == ("oo",)
    assert Tree.from_any(sympy.Integer(10) ** 400).labels == ("1" + "0" * 400,)


def test_tree_sitter_nodes_have_fields_and_texts():
    tree_sitter, python = pytest.importorskip("tree_sitter"), pytest.importorskip("tree_sitter_python")
    parsed = tree_sitter.Parser(tree_sitter.Language(python.language())).parse(b"x = 1")
    tree = Tree.from_any(parsed)
    assert tree == Tree.from_any(parsed.root_node)
    assert tree.labels == (
        "module",
        "expression_statement",
        "assignment",
        "identifier",
        "x",
        "=",
        "integer",
        "number",
    )
    assert tree.edges[3:] == ("left", None, None, "right", None)


def test_spacy_docs_spans_and_tokens_are_dependency_trees():
    spacy = pytest.importorskip("spacy")
    from spacy.tokens import Doc

    words, heads = ["Big", "dogs", "run", ".", "Cats", "sleep"], [1, 2, 2, 2, 5, 5]
    deps = ["amod", "nsubj", "ROOT", "punct", "nsubj", "ROOT"]
    doc = Doc(spacy.blank("en").vocab, words, heads=heads, deps=deps)
    run = Tree(["run", "dogs", "Big", "."], [-1, 0, 1, 0], edges=[None, "nsubj", "amod", "punct"])
    sleep = Tree(["sleep", "Cats"], [-1, 0], edges=[None, "nsubj"])
    assert Tree.from_any(doc) == Tree.from_any(("<text>", run, sleep))
    assert [Tree.from_any(sentence) for sentence in doc.sents] == [run, sleep]
    assert Tree.from_any(doc[2]) == run
    assert Tree.from_any(doc[0:2]) == Tree(["dogs", "Big"], [-1, 0], edges=[None, "amod"])
    assert Tree.from_any(doc[0:6]) == Tree.from_any(doc)
    assert Tree.from_any(doc[2:5]).to_brackets() == "(<text> (run .) Cats)"
    unparsed = spacy.blank("en")("no parser here")
    for part in (unparsed, unparsed[1:], unparsed[1]):
        with pytest.raises(ValueError, match="needs a dependency parse"):
            Tree.from_any(part)


def test_types_decide_not_attributes():
    """ast.Call has func and args as sympy's formulas, anytree's nodes a root as a Span, soups any attribute."""
    bs4, anytree, sympy = (pytest.importorskip(name) for name in ("bs4", "anytree", "sympy"))
    soup = bs4.BeautifulSoup("<label><name>x</name></label>", "html.parser")
    forest = [
        ast.parse("f(x)", mode="eval").body,
        sympy.Function("f")(sympy.Symbol("x")),
        anytree.Node("n"),
        soup,
    ]
    found = [tree.labels for tree in TreeArray.from_trees(forest)]
    assert found == [("Call", "Name", "f", "Name", "x"), ("f", "x"), ("n",), ("label", "name", "x")]

    class Lookalike:
        func = args = name = children = root = token = label = tag = ()

    with pytest.raises(TypeError, match=r"cannot read a tree from an object of type .*Lookalike"):
        Tree.from_any(Lookalike())
    with pytest.raises(TypeError, match=r"from an object of type xml\.dom\.minidom\.Element"):
        Tree.from_any(minidom.parseString("<a/>").documentElement)


def test_no_optional_library_is_imported_for_its_format():
    code = (
        "import sys, sklearn_tree; sklearn_tree.Tree.from_any(('S', 'a')); sklearn_tree.TreeParser('json');"
        "names = 'nltk spacy conllu lxml bs4 networkx anytree bigtree treelib ete4 sympy tree_sitter'.split();"
        "print([name for name in names if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_short_way_for_nested_tuples_gives_what_the_adapter_gives(monkeypatch):
    forest = [("S", ("NP", "I"), ("VP", "run", ("X", [("Y",)]))), ["S", "a", ["b", "c", ("d", "e", "f")]]]
    expected = [flatten(tree) for tree in forest]
    monkeypatch.setattr(registry, "_NESTED", set())
    assert [flatten(tree) for tree in forest] == expected
    assert flatten(Part(forest[0], nested.read_nested)) == expected[0]


def test_somebody_elses_adapter_for_tuples_counts():
    class Pair(tuple):
        pass

    register_tree_type(Pair, lambda pair: (pair[-1], pair[:-1]))
    assert Tree.from_any(Pair(("a", "b", "S"))) == Tree.from_any("(S a b)")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: pytest.importorskip("networkx").Graph([(0, 1)]), "must be directed"),
        (
            lambda: pytest.importorskip("networkx").DiGraph([(0, 1), (2, 1)]),
            "3 nodes, 2 edges and 2 nodes without",
        ),
        (lambda: pytest.importorskip("networkx").DiGraph([(0, 1), (1, 0)]), "must be an arborescence"),
        (lambda: pytest.importorskip("networkx").DiGraph(), "got 0 nodes"),
        (lambda: pytest.importorskip("treelib").Tree(), "got an empty tree"),
        (lambda: pytest.importorskip("bigtree").BaseNode(x=1), "needs one of the attributes"),
        (lambda: pytest.importorskip("conllu").models.TokenList([]), "at least one word"),
        (lambda: {"a": float("nan")}, "must be finite, got nan"),
        (lambda: TreeNode("a", value=10**400), "must be a finite number, got an int of 1329 bits"),
        (lambda: {"a": np.float32("inf")}, "must be finite, got inf"),
        (lambda: ElementTree.Comment("c"), "a comment .* is no tree"),
        (lambda: ElementTree.ElementTree(), "must have a root element, got none"),
        (lambda: pytest.importorskip("lxml.etree").Comment("c"), "a comment .* is no tree"),
    ],
)
def test_what_is_no_tree_is_refused_with_its_reason(make, message):
    with pytest.raises(ValueError, match=message):
        Tree.from_any(make())


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (("S", 3), r"type builtins.int; write str\(label\) for a category"),
        (("S", np.float32(3)), r"type numpy.float32; write str\(label\)"),
        (
            {"label": "S", "children": [{"label": "a", "edge": 3}]},
            r"edge label of node 1 must be str .* got 3",
        ),
    ],
)
def test_a_number_in_the_place_of_a_node_or_an_edge_is_refused_with_advice(obj, message):
    with pytest.raises(TypeError, match=r"trees\[0\]: .*" + message):
        TreeVectorizer().fit([obj])


def deep(make):
    value = "a"
    for _ in range(100_000):
        value = make(value)
    return value


def doubled(make):
    value = "a"
    for _ in range(60):
        value = make(value)
    return value


@pytest.mark.parametrize("grow", [deep, doubled])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: [value, value],  # a list as a label
        lambda value: {"label": "a", "children": {"label": "b", "x": value, "y": value}},
        lambda value: {"label": "a", "value": [value, value]},
        lambda value: {"label": "a", "edge": OrderedDict(x=value, y=value)},
    ],
)
def test_an_error_shows_a_deep_or_shared_object_in_short(grow, make):
    with pytest.raises((TypeError, ValueError), match=r"must be .*, got .*\.\.\.") as info:
        Tree.from_any(grow(make))
    assert len(str(info.value)) < 250


def chain_of(kind, n):
    node = {"a": 1} if kind == "json" else ("a",)
    for _ in range(n):
        node = {"a": node} if kind == "json" else ("a", node)
    return node


@pytest.mark.parametrize("kind", ["json", "tuple"])
def test_objects_nested_100_000_deep_are_read(kind):
    assert Tree.from_any(chain_of(kind, 100_000)).height >= 100_000


def cyclic(kind):
    if kind == "dict":
        node = {"label": "a", "children": []}
        node["children"].append(node)
    elif kind == "json":
        node = {"x": [{}]}
        node["x"][0]["y"] = node
    else:
        node = ast.Expr()
        node.value = ast.UnaryOp(ast.USub(), node)
    return node


@pytest.mark.parametrize("kind", ["dict", "json", "ast"])
def test_objects_that_contain_themselves_are_refused(kind):
    with pytest.raises(ValueError, match=r"the tree contains a cycle: node .* own descendants"):
        Tree.from_any(cyclic(kind))


def test_a_shared_part_stands_at_each_of_its_places():
    shared = {"k": [1, 2]}
    assert Tree.from_any({"a": shared, "b": shared}).n_nodes == 9


@pytest.mark.parametrize("kind", ["tuple", "json", "dict"])
def test_shared_parts_that_double_sixty_times_are_refused(kind, monkeypatch):
    monkeypatch.setattr(registry, "_MANY", 1 << 12)
    monkeypatch.setattr(registry, "_WINDOW", 1 << 12)
    node = {"tuple": ("a", "b"), "json": {"x": 1}, "dict": {"label": "a"}}[kind]
    for _ in range(60):
        node = {
            "tuple": ("a", node, node),
            "json": {"x": node, "y": node},
            "dict": {"label": "a", "children": [node] * 2},
        }[kind]
    with pytest.raises(ValueError, match="because it shares its parts"):
        Tree.from_any(node)


def test_a_part_with_a_long_list_of_parts_that_repeats_it_is_refused_too():
    node = "a"
    for _ in range(3):
        node = ("b", *[node] * 10_000)
    with pytest.raises(ValueError, match="because it shares its parts: a few objects"):
        Tree.from_any(node)


@pytest.mark.parametrize("shared", [False, True])
def test_a_large_tree_may_be_a_long_list_of_parts(shared, monkeypatch):  # the control of the law above
    monkeypatch.setattr(registry, "_MANY", 1 << 12)
    monkeypatch.setattr(registry, "_WINDOW", 1 << 12)
    part = ("a", ("b", "c"))
    assert (
        Tree.from_any(("S", *[part if shared else ("a", tuple("bc")) for _ in range(20_000)])).n_nodes
        == 60_001
    )
