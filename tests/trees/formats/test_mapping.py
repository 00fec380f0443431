"""Dictionaries as trees."""

import json

import pytest

from sklearn_tree import Tree, TreeArray, TreeParser, TreeVectorizer


@pytest.mark.parametrize("key", ["label", "name", "id", "tag"])
def test_a_dictionary_with_a_label_is_a_node(key):
    node = {key: "S", "children": [["NP", "I"]], "value": 2, "edge": "x"}
    assert Tree.from_any(("T", node)) == Tree(
        ["T", "S", "NP", "I"], [-1, 0, 1, 2], values=[None, 2, None, None], edges=[None, "x", None, None]
    )


def test_the_first_label_key_takes_precedence():
    assert Tree.from_any({"tag": "b", "name": "a"}).labels == ("a",)


def test_any_other_dictionary_is_a_json_object():  # the control of the laws above
    assert Tree.from_any({"text": "S"}) == Tree(["{}", "S"], [-1, 0], edges=[None, "text"])


RECORD = {"name": "Ada", "age": 36, "tags": [{"id": "x", "size": 1}]}


@pytest.mark.parametrize("key", ["label", "name", "id", "tag"])
@pytest.mark.parametrize("other", ["age", "childern", "Children", 3])
def test_a_dictionary_with_a_label_and_other_keys_is_refused(key, other):
    nested = ("S", {key: "a", "children": [], other: ["b"]})
    with pytest.raises(
        ValueError, match=rf"X\[1\]: a dict with the key '{key}' .* got {other!r}: .*\"json\""
    ):
        TreeArray.from_trees(["(S a)", nested])


def test_many_other_keys_are_abbreviated():
    with pytest.raises(ValueError, match=r"got 0, 1, 2, 3, 4: "):
        Tree.from_any({"label": "S", **dict.fromkeys(range(10**5))})


def test_json_keeps_every_field_of_a_record_with_a_label():  # the control of the laws above
    (tree,) = TreeVectorizer("json").read([RECORD])
    assert tree.labels == ("{}", "Ada", "number", "[]", "{}", "x", "number")
    assert tree.edges == (None, "name", "age", "tags", None, "id", "size")
    assert tree.values == (None, None, 36.0, None, None, None, 1.0)
    assert TreeParser("json").transform([json.dumps(RECORD)])[0] == tree
