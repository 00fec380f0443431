"""JSON values as trees."""

import numpy as np
import pytest

from sklearn_tree import Tree, TreeVectorizer


@pytest.mark.parametrize(
    ("value", "brackets", "values", "edges"),
    [
        ({"a": 1, "b": "x"}, "({} number x)", (None, 1.0, None), (None, "a", "b")),
        ([{"name": 2.5}, True, None], "([] ({} number) true null)", (None, None, 2.5, None, None), None),
        ({"a": ["S", ["T"]], "b": {}}, "({} ([] S ([] T)) {})", None, (None, "a", None, None, None, "b")),
        ({"a": False, "b": {"label": "c"}}, "({} false ({} c))", None, (None, "a", "b", "label")),
    ],
)
def test_json_values_keep_keys_numbers_and_order(value, brackets, values, edges):
    tree = Tree.from_any(value)
    assert tree.to_brackets() == brackets
    assert tree.values == values
    assert tree.edges is not None or edges is None
    assert edges is None or tree.edges == edges


def test_the_vectorizer_reads_all_samples_as_json_on_request():
    X = [{"name": "x", "n": 1}, ["S", "a"], 3.5, "text", None, True]
    array = TreeVectorizer("json").fit(X).inverse_transform(TreeVectorizer("json").fit_transform(X))
    assert [tree.to_brackets() for tree in array] == [
        "({} x number)", "([] S a)", "(number)", "(text)", "(null)", "(true)",
    ]  # fmt: skip
    assert TreeVectorizer("json").read([[np.int64(2), np.bool_(True)]]) == TreeVectorizer("json").read(
        [[2, True]]
    )
    with pytest.raises(TypeError, match=r"X\[0\]: a JSON value must be .* \(set\)"):
        TreeVectorizer("json").fit([set()])


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": np.float32("inf")}])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match=r"a number in JSON must be finite, got (nan|inf)"):
        Tree.from_any(value)


def test_values_nested_100_000_deep_are_read():
    value = {"a": 1}
    for _ in range(100_000):
        value = {"a": value}
    assert Tree.from_any(value).height == 100_001
