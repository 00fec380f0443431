"""States of fitted kinds with their pretrained vectors."""

import json

import numpy as np
import pytest
from samples import CONTAINERS, TEXTS

from sklearn_tree.kinds import KINDS, Kind, Tokens, kind_from_state, kind_to_state


@pytest.mark.parametrize(
    "name", ["trees: list of str", "texts: list", "series: list of arrays", "table: DataFrame"]
)
def test_states_are_json_and_restore_the_kind(name):
    sample = CONTAINERS[name]
    cls: type[Kind] = next(kind for kind in KINDS if kind.name == sample.kind)
    kind = cls("Reader", KINDS, "last", "auto")
    kind.fit(sample.X)
    state = json.loads(json.dumps(kind_to_state(kind)))
    restored = kind_from_state(state, KINDS, "Reader")
    assert type(restored) is cls
    assert (restored.reader, restored.channels, restored.input_kind) == ("Reader", "last", "auto")
    assert restored.candidates == tuple(KINDS)
    assert kind_to_state(restored) == kind_to_state(kind)


def test_vectors_of_the_estimator_are_not_repeated():
    vectors = {"works": np.ones(2), "fails": np.zeros(2)}
    kind = Tokens("Reader", KINDS)
    kind.fit(TEXTS)
    kind.add_vectors(vectors)
    state = kind_to_state(kind, vectors)
    assert state["vectors"] == {"size": 2, "is_param": True, "embeddings": None}
    restored = kind_from_state(state, KINDS, "Reader", vectors)
    assert restored.word_vectors.embeddings is vectors
    assert kind_to_state(kind, None)["vectors"]["embeddings"] is vectors  # the parameter has been changed


def test_kinds_that_the_estimator_does_not_read_are_refused():
    kind = Tokens("Reader", KINDS)
    kind.fit(TEXTS)
    with pytest.raises(ValueError, match=r"must be one of \['trees'\], got 'tokens'"):
        kind_from_state(kind_to_state(kind), [kind for kind in KINDS if kind.name == "trees"], "Reader")
