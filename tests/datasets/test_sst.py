"""The Stanford Sentiment Treebank."""

import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sklearn_tree import Tree
from sklearn_tree.datasets import fetch_sst, sst

LINES = {
    "train": ["(3 (2 It) (4 works))", "(2 (2 a) (2 (1 b) (3 c)))", "(0 (2 It) (1 fails))"],
    "dev": ["(1 (2 It) (1 fails))"],
    "test": ["(4 (4 André\xa02) (2 .))"],
}
NAME = "trainDevTestTrees_PTB.zip"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a data home that holds a small archive."""
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as file:
        for name, lines in LINES.items():
            file.writestr(f"trees/{name}.txt", "\n".join(lines) + "\n")
    monkeypatch.setattr(sst, "_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return tmp_path


def test_words_are_leaves_and_sentiments_are_not_part_of_the_trees(home):
    data = fetch_sst(data_home=home).data
    assert data[0] == Tree(["", "It", "works"], [-1, 0, 0])
    assert data[1] == Tree(["", "a", "", "b", "c"], [-1, 0, 0, 2, 2])
    assert set(data.vocabulary) == {"", "It", "works", "a", "b", "c", "fails", "André\xa02", "."}


def test_splits_classes_and_targets_of_nodes_are_read(home):
    bunch = fetch_sst(data_home=home, root_only=False)
    assert bunch.split.tolist() == ["train"] * 3 + ["dev", "test"]
    assert bunch.target.tolist() == [3, 2, 0, 1, 4]
    assert [row.tolist() for row in bunch.node_target] == [
        [3, 2, 4], [2, 2, 2, 1, 3], [0, 2, 1], [1, 2, 1], [4, 4, 2]
    ]  # fmt: skip
    assert bunch.target_names[bunch.target[0]] == "positive"
    assert "node_target" not in fetch_sst(data_home=home)


def test_binary_removes_neutral_sentences_and_marks_neutral_phrases(home):
    bunch = fetch_sst(data_home=home, binary=True, root_only=False)
    assert bunch.target.tolist() == [1, 0, 0, 1]
    assert [str(tree) for tree in bunch.data][:2] == ["(\\- It works)", "(\\- It fails)"]
    assert [row.tolist() for row in bunch.node_target] == [[1, -1, 1], [0, -1, 0], [0, -1, 0], [1, 1, -1]]
    X, y = fetch_sst(data_home=home, binary=True, return_X_y=True)
    assert bunch.data == X
    assert y.tolist() == bunch.target.tolist()


def test_a_missing_archive_is_an_error(tmp_path):
    with pytest.raises(OSError, match=f"{NAME} must exist in .* if download_if_missing=False"):
        fetch_sst(data_home=tmp_path, download_if_missing=False)


@pytest.mark.skipif("SKLEARN_TREE_DATA" not in os.environ, reason="SKLEARN_TREE_DATA is not set")
def test_counts_of_the_archive_are_the_published_ones():
    folder = Path(os.environ["SKLEARN_TREE_DATA"]) / "sst"
    if not (folder / NAME).exists():
        pytest.skip(f"sst/{NAME} is not in SKLEARN_TREE_DATA")
    five = fetch_sst(data_home=folder, download_if_missing=False, root_only=False)
    assert [np.sum(five.split == name) for name in ("train", "dev", "test")] == [8544, 1101, 2210]
    assert [five.data[five.split == name].n_nodes for name in ("train", "dev", "test")] == [
        318582,
        41447,
        82600,
    ]
    assert np.bincount(five.target[five.split == "test"]).tolist() == [279, 633, 389, 510, 399]
    assert five.node_target.offsets.tolist() == five.data.offsets.tolist()
    two = fetch_sst(data_home=folder, binary=True)
    assert [np.sum(two.split == name) for name in ("train", "dev", "test")] == [6920, 872, 1821]
