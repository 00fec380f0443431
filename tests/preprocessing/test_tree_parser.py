"""``TreeParser`` parses texts and files of all formats."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fuzzing import SEEDS, fuzz
from hypothesis import given
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from strategies import trees

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray, TreeParser, TreeVectorizer

FORMATS = [*SEEDS]
N = 100_000


def parse(format, text, **params):
    return TreeParser(format, **params).transform([text])[0]


@given(trees())
def test_bracketed_trees_are_read(tree):
    assert parse("brackets", tree.to_brackets()) == tree


def test_texts_are_split_by_the_tokenizer():
    assert parse("right", "Well-known, isn't it?").n_nodes == 2 * 5 - 1
    assert parse("balanced", "ab c", tokenizer="chars").n_nodes == 7
    assert parse("balanced", "a b", tokenizer=str.split).to_tuple() == ("", "a", "b")
    assert parse("balanced", "").labels == parse("right", "").labels == ("",)


def test_paths_are_files_and_strings_are_content(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('\ufeff{"a": "é"}', encoding="utf-8")
    assert parse("json", path) == parse("json", '{"a": "é"}')
    with pytest.raises(ValueError, match=r"X\[0\]: .* is not JSON: Expecting value"):
        parse("json", str(path))
    with pytest.raises(FileNotFoundError) as info:
        TreeParser("json").transform(["1", tmp_path / "nothing"])
    assert info.value.__notes__ == ["while reading X[1]"]
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"X\[0\] must be a file in UTF-8"):
        parse("json", path)


@pytest.mark.parametrize("format", FORMATS)
def test_a_byte_order_mark_is_not_part_of_a_text(format):
    text = SEEDS[format][0]
    assert parse(format, "\ufeff" + text) == parse(format, text)
    assert parse(str.split, "\ufeffa b").labels == ("\ufeffa", "b")  # the control: a function gets the sample


@pytest.mark.parametrize(
    "container", [list, tuple, np.array, pd.Series, lambda t: pd.DataFrame({"t": t}), iter]
)
def test_every_container_of_texts_is_parsed(container):
    texts = ["<a>1</a>", "<b/>"]
    array = TreeParser("xml").fit_transform(container(texts))
    assert isinstance(array, TreeArray)
    assert array == TreeParser("xml").fit(texts).transform(texts)
    assert pickle.loads(pickle.dumps(array)) == array


def test_pipelines_searches_and_caches_accept_the_parser(tmp_path):
    texts, y = ["f(x)", "x + 1", "g(y, 2)", "y - 3"] * 6, [1, 0, 1, 0] * 6
    net = RecursiveNetClassifier(hidden_size=8, embedding_dim=8, random_state=0)
    pipe = make_pipeline(TreeParser("python"), TreeVectorizer(), net)
    cached = clone(pipe).set_params(memory=str(tmp_path))
    expected = pipe.fit(texts, y).predict_proba(texts)
    for _ in range(2):  # the second fit uses the cached trees
        assert (cached.fit(texts, y).predict_proba(texts) == expected).all()
    assert pipe.score(texts, y) == 1.0
    search = GridSearchCV(pipe, {"treeparser__format": ["python", "right"]}, cv=2).fit(texts, y)
    assert search.best_score_ == 1.0
    params = clone(TreeParser("html", verbose=2)).get_params()
    assert params["format"] == "html"
    assert params["verbose"] == 2


def test_unpicklable_trees_can_be_searched_in_parallel_as_a_tree_array():
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


def parse_path(text):
    """Parse ``"a/b"``; a function of a module can be pickled."""
    first, *others = text.split("/")
    return (first, *others) if others else {"label": first}


def test_a_callable_parses_as_a_list_comprehension_does():
    texts = ["usr/lib", "bin", "usr/share/doc"]
    parser = TreeParser(parse_path)
    expected = TreeArray.from_trees([parse_path(text) for text in texts])
    for same in (parser, clone(parser), pickle.loads(pickle.dumps(parser)), clone(parser).fit(texts)):
        assert same.transform(pd.DataFrame({"path": texts})) == expected
        assert same.get_params()["format"] is parse_path
    assert "parse_path" in repr(parser)
    assert "parse_path" in parser._repr_html_()
    assert TreeParser("brackets").transform(["(usr lib)"]) == expected[:1]  # the control


def test_a_callable_receives_samples_of_any_type():
    trees = TreeArray.from_trees(["(S (NP I) (VP run))", "(S stop)"])
    assert TreeParser(lambda tree: tree.subtree(1)).transform(trees) == TreeArray.from_trees(
        ["(NP I)", "(stop)"]
    )
    assert TreeParser(lambda n: ("n", *"a" * n)).transform([1, 2])[1] == Tree.from_any(("n", "a", "a"))
    assert TreeParser(str).transform([Path("(a)")])[0].labels == ("a",)  # paths are not opened


def test_a_callable_can_be_chosen_by_a_search_in_parallel(tmp_path):
    texts, y = ["usr/lib", "bin/x", "usr/doc", "bin/y"] * 6, [1, 0, 1, 0] * 6
    net = RecursiveNetClassifier(hidden_size=4, embedding_dim=4, max_epochs=1, random_state=0)
    pipe = make_pipeline(TreeParser("right"), TreeVectorizer(), net)
    grid = {"treeparser__format": ["right", parse_path]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=2).fit(texts, y)
    assert len(search.cv_results_["params"]) == 2


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda text: 1 / (text != "bad") and "(a)", ZeroDivisionError, "while parsing X[1]"),
        (lambda text: {"good": "(a)"}[text], KeyError, "while parsing X[1]"),
        (lambda text: "(a" if text == "bad" else "(a)", ValueError, "X[1]: unbalanced bracket"),
        (lambda text: "(a)" if text == "good" else 3, ValueError, "X[1]: cannot read a tree from"),
        (lambda text: "(a)" if text == "good" else None, ValueError, "X[1]: expected a node, got None"),
        (lambda text: "(a)" if text == "good" else text + 1, ValueError, "X[1]: can only concatenate str"),
    ],
)
def test_errors_of_a_callable_give_the_row(function, error, message):
    with pytest.raises(error) as info:
        TreeParser(function).transform(["good", "bad"])
    assert message in "\n".join([str(info.value), *getattr(info.value, "__notes__", [])])


CONTENT = {  # a text of each format, whole and with its content split as by default
    "html": (
        "<my-tag class='nav-bar wide'><br>One two<i>100 %</i>3.5</my-tag>",
        ("my-tag", "nav-bar wide", "br", "One two", ("i", "100 %"), "number"),
        ("my-tag", ("", "nav", "bar", "wide"), "br", ("", "One", "two"), ("i", "100"), "number"),
    ),
    "xml": (
        "<my-tag url='https://a.b/c?d=e'>user_name <two-words/></my-tag>",
        ("my-tag", "https://a.b/c?d=e", "user_name", "two-words"),
        ("my-tag", ("", "https", "a", "b", "c", "d", "e"), "user_name", "two-words"),
    ),
    "json": (
        '{"key word": ["a b", null, 2, {}]}',
        ("{}", ("[]", "a b", "null", "number", "{}")),
        ("{}", ("[]", ("", "a", "b"), "null", "number", "{}")),
    ),
    "python": (
        "assert getName != user_id, 'No name.'",
        ("Assert", ("Compare", ("Name", "getName"), "NotEq", ("Name", "user_id")), ("Constant", "No name.")),
        (
            "Assert",
            ("Compare", ("Name", ("", "get", "Name")), "NotEq", ("Name", ("", "user", "id"))),
            ("Constant", ("", "No", "name")),
        ),
    ),
}


@pytest.mark.parametrize("format", CONTENT)
def test_content_is_split_and_structure_is_kept(format):
    text, whole, split = CONTENT[format]
    assert parse(format, text, split=None).to_tuple() == whole
    assert parse(format, text).to_tuple() == split
    by_vectorizer = TreeVectorizer(split="identifiers").read(TreeParser(format, split=None).transform([text]))
    assert "NotEq" not in by_vectorizer[0].labels  # the control: a vectorizer cannot tell leaves apart
    assert ("NotEq" in parse(format, text).labels) == (format == "python")


@pytest.mark.parametrize("format", CONTENT)
def test_a_split_label_keeps_its_edge_and_numbers_keep_their_values(format):
    for text in [CONTENT[format][0], *SEEDS[format]]:
        whole, split = parse(format, text, split=None), parse(format, text, split=lambda label: [*label])
        pieces = [i for i, parent in enumerate(split.parents) if parent >= 0 and split.labels[parent] == ""]
        kept = [i for i in range(split.n_nodes) if i not in pieces]
        for name in ("values", "edges"):
            column = getattr(split, name) or (None,) * split.n_nodes
            assert [column[i] for i in kept] == [*(getattr(whole, name) or (None,) * whole.n_nodes)]
            assert {column[i] for i in pieces} <= {None}
        assert [split.labels[i] or "".join(split.labels[k] for k in split.children(i)) for i in kept] == [
            *whole.labels
        ]


@pytest.mark.parametrize(
    ("format", "text", "split"),
    [
        ("newick", "(Homo_sapiens,Pan:2)Clade_one;", ("Clade_one", ("", "Homo", "sapiens"), "Pan")),
        ("newick", "(Homo_sapiens:1,Pan:2)A;", ("A", "Homo_sapiens", "Pan")),  # the names of the values
        ("brackets", "(a_b (c_d eF))", ("a_b", ("c_d", ("", "e", "F")))),
        (lambda text: ("a", text), "eF", ("a", ("", "e", "F"))),
    ],
)
def test_leaves_of_other_formats_are_split_on_request(format, text, split):
    assert parse(format, text, split="identifiers").to_tuple() == split
    assert parse(format, text).labels == parse(format, text, split=None).labels


@pytest.mark.parametrize(
    ("format", "texts"),
    [
        ("html", ["<p>", "<p>a b"]),
        ("brackets", ["(p)", r"(p a\ b)"]),
        (lambda text: ("p", text), ["a", "a b"]),
    ],
)
@pytest.mark.parametrize(
    ("split", "message"),
    [
        (str.upper, r"X\[1\]: split must return a list of str, got 'A B'"),
        (lambda label: [1], r"X\[1\]: split must return a list of str, got an item 1"),
        (lambda label: None, r"X\[1\]: split must return a list of str, got None"),
        (lambda label: {}[label], r"while (splitting a label of|parsing) X\[1\]"),
    ],
)
def test_errors_of_a_split_give_the_row(format, texts, split, message):
    parser = TreeParser(format, split=lambda label: split(label) if label == "a b" else [label])
    with pytest.raises((TypeError, ValueError, KeyError)) as info:
        parser.transform(texts)
    assert re.search(message, "\n".join([str(info.value), *getattr(info.value, "__notes__", [])]))


def test_texts_of_a_million_words_are_split():
    tree = parse("html", "<p>" + "Word two_three, " * 500_000)
    assert tree.n_nodes == 1_000_003 - 1
    assert parse("json", '"' + "aB_" * 300_000 + '"', split="identifiers").n_nodes == 600_001


def test_progress_is_printed_on_request(capsys):
    TreeParser("right", verbose=2).transform(["a"] * 5)
    assert capsys.readouterr().out.splitlines() == [
        "[TreeParser] 2 of 5 parsed",
        "[TreeParser] 4 of 5 parsed",
    ]
    TreeParser("right").transform(["a"] * 5)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("format", FORMATS)
def test_mutated_texts_give_trees_or_value_errors(format):
    assert 100 < fuzz(format, 1000) <= 1000


def test_the_fuzzer_reports_other_errors(monkeypatch):  # the control of the law above
    parsers = {"json": lambda text, split: [][0]}
    monkeypatch.setattr("sklearn_tree.preprocessing.tree_parser._CONTENT_PARSERS", parsers)
    with pytest.raises(IndexError):
        fuzz("json", 10)


def test_brackets_nested_100_000_deep_are_read():
    assert parse("brackets", "(a " * N + ")" * N).height == N - 1
    assert parse("right", "a " * N).height == N - 1


def test_labels_of_ten_megabytes_are_read():
    big = "a" * 10_000_000
    for format, text in {
        "brackets": f"({big})", "json": f'"{big}"', "xml": f"<a>{big}</a>", "html": f"<p>{big}", "newick": big,
    }.items():  # fmt: skip
        assert parse(format, text).labels[-1] == big


@pytest.mark.skipif(sys.platform == "win32", reason="the memory of a process cannot be measured on Windows")
@pytest.mark.parametrize(("format", "text"), [("newick", "'{}'"), ("brackets", r"(\({})")])
def test_long_labels_with_quotes_or_escapes_take_little_memory(format, text):
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
    ("format", "text", "message"),
    [
        ("xml", "<a>", "not well-formed XML"),
        ("json", "[", "Expecting value"),
        ("python", "x = = 1", "not valid Python"),
        ("newick", "(A", "unbalanced bracket"),
        ("conllu", "", "at least one sentence"),
        ("brackets", "(" * 10**6, "unbalanced bracket: 1000000 not closed"),
    ],
)
def test_errors_give_the_row_and_the_reason(format, text, message):
    good = SEEDS[format][0]
    with pytest.raises(ValueError, match=r"X\[1\]: (?s:.*)" + message):
        TreeParser(format).transform([good, text])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: TreeParser("yaml").fit(["a"]), ValueError, "'format' parameter of TreeParser"),
        (lambda: TreeParser("yaml").transform(["a"]), ValueError, "'format' parameter of TreeParser"),
        (lambda: TreeParser("html", split="chars").fit(["a"]), ValueError, "'split' parameter of TreeParser"),
        (lambda: TreeParser("spacy", n_process=0).fit(["a"]), ValueError, "'n_process' parameter"),
        (lambda: TreeParser("right", tokenizer="(").transform(["a"]), ValueError, "tokenizer must be"),
        (lambda: TreeParser("json").transform([]), ValueError, "got 0 samples"),
        (lambda: TreeParser("json").transform("[1]"), TypeError, "got a single str"),
        (lambda: TreeParser("json").transform(Path("a")), TypeError, "got PosixPath|got WindowsPath"),
        (lambda: TreeParser("json").transform(["1", 2]), TypeError, r"X\[1\] must be a str .* got int"),
    ],
)
def test_invalid_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
