"""Dictionaries as trees."""

import pytest

from sklearn_tree import Tree


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
