"""The parser of JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import TreeParser, TreeVectorizer
from sklearn_tree.preprocessing.parsers.json_text import loads_deep

N = 100_000
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=12,
)


def parse(text):
    return TreeParser("json", split=None).transform([text])[0]


@given(JSON, st.sampled_from([None, 1]))
def test_texts_are_read_as_their_values(value, indent):
    text = json.dumps(value, indent=indent)
    assert loads_deep(text) == json.loads(text)
    assert TreeParser("json", split=None).transform([text]) == TreeVectorizer("json").read([value])


@given(st.text('[]{}",:1a \\n', max_size=12))
def test_the_parser_without_recursion_agrees_with_json_loads(text):
    def outcome(loads):
        try:
            return loads(text)
        except json.JSONDecodeError as error:
            return error.pos

    assert outcome(loads_deep) == outcome(json.loads)


def test_the_last_of_several_members_with_the_same_key_is_kept():
    assert parse('{"a": 1, "a": 2}').values == (None, 2.0)


def test_texts_nested_100_000_deep_are_read():
    assert parse("[" * N + "]" * N).height == N - 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1e999]", "a number in JSON must be finite, got inf"),
        ("[NaN]", "a number in JSON must be finite, got NaN"),
        ("[" * N, "Expecting value"),
        ('{"a":' * N + "1" + "}" * (N + 1), "Extra data"),
        ('{"a" 1}', "Expecting ':' delimiter"),
        ("{1: 2}", "Expecting property name"),
    ],
)
def test_invalid_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_integers_of_a_million_digits_are_refused_with_their_row():
    with pytest.raises(
        ValueError, match=r"X\[1\]: Exceeds the limit \(4300 digits\) .* value has 1000000 digits"
    ):
        TreeParser("json").transform(["1", "[" + "9" * 1_000_000 + "]"])
    with pytest.raises(
        ValueError, match=r"X\[1\]: a number must have at most 4300 digits, got an int of 3\d+ bits"
    ):
        TreeVectorizer("json").fit([1, [1 << 3_000_000]])
    assert parse('"' + "9" * 1_000_000 + '"').n_nodes == 1  # the control
