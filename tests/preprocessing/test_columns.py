"""Columns of trees in any container and format."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tree import SequenceVectorizer, Tree, TreeArray, TreeParser, TreeVectorizer
from sklearn_tree.preprocessing.columns import to_tree_array

TREES = ["(S (NP I) (VP run))", "(S (VP stop))", "(S a)"]


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        lambda t: np.array(t, dtype=object),
        lambda t: np.array(t, dtype=object)[:, None],
        pd.Series,
        lambda t: pd.Series(t, index=[9, 4, 7]),
        lambda t: pd.DataFrame({"tree": t}),
        TreeArray.from_trees,
        iter,
    ],
)
def test_trees_are_read_from_every_container(container):
    assert to_tree_array(container(TREES)) == TreeArray.from_trees(TREES)


def test_a_tree_array_is_returned_unchanged():
    array = TreeArray.from_trees(TREES)
    assert to_tree_array(array) is array
    with pytest.raises(ValueError, match="X must contain at least one tree, got a TreeArray of 0 trees"):
        to_tree_array(array[:0])


TREE_OF_FORMAT = {
    "brackets": "(S a)",
    "nested": ("S", "a"),
    "dict": {"label": "S", "children": ["a"]},
    "tree": Tree(["S", "a"], [-1, 0]),
}


@pytest.mark.parametrize("format", TREE_OF_FORMAT)
def test_only_trees_of_the_given_format_are_accepted(format):
    for other, tree in TREE_OF_FORMAT.items():
        if other == format:
            assert to_tree_array([tree], format)[0] == Tree(["S", "a"], [-1, 0])
        else:
            message = rf"X\[1\] must be a tree of the format '{format}', got {type(tree).__name__}"
            with pytest.raises(TypeError, match=message):
                to_tree_array([TREE_OF_FORMAT[format], tree], format)


def test_nltk_trees_are_recognized():
    nltk = pytest.importorskip("nltk")
    assert to_tree_array([nltk.Tree("S", ["a"])], "nltk") == to_tree_array(["(S a)"])
    with pytest.raises(TypeError, match="format 'nltk', got str"):
        to_tree_array(["(S a)"], "nltk")


def test_json_values_may_hold_labels():
    assert to_tree_array([{"label": "S"}], "json") != to_tree_array([{"label": "S"}])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("container", [list, pd.Series, lambda t: pd.DataFrame({"t": t})])
@pytest.mark.parametrize(
    ("step", "sample", "remedy"),
    [
        (TreeVectorizer(), "(S a)", "leave the row out"),
        (SequenceVectorizer(), "a b", r'fill it, e.g. with X.fillna\(""\)'),
        (TreeParser("html"), "<p>", r'fill it, e.g. with X.fillna\(""\)'),
        (TreeParser(str), "(S a)", r'fill it, e.g. with X.fillna\(""\)'),
    ],
)
def test_missing_samples_are_refused_with_their_row(missing, container, step, sample, remedy):
    with pytest.raises(ValueError, match=rf"X\[1\] is missing \((None|nan|<NA>|NaT)\): {remedy}"):
        step.fit_transform(container([sample, missing]))
    assert len(step.fit_transform(container([sample, sample]))) == 2  # the control


def test_none_is_a_json_value():
    assert to_tree_array([None, {}], "json")[0].labels == ("null",)


@pytest.mark.parametrize(
    "format", ["html", "xml", "python", "newick", "spacy", "conllu", "balanced", "right"]
)
def test_formats_of_texts_are_refused_with_the_parser_that_reads_them(format):
    with pytest.raises(
        ValueError, match=rf"got '{format}', a format of TreeParser: put TreeParser\('{format}'\)"
    ):
        TreeVectorizer(format).fit(["text"])
    with pytest.raises(ValueError, match="'format' parameter of TreeVectorizer"):  # the control
        TreeVectorizer("text").fit(["text"])
