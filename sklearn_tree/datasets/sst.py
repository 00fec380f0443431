"""The Stanford Sentiment Treebank, downloaded on first use."""

from __future__ import annotations

import os
import re
import zipfile
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from sklearn_tree.datasets.download import fetch_file
from sklearn_tree.trees import RaggedArray, TreeArray

_URL = "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip"
_SHA256 = "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc"
_SPLITS = ("train", "dev", "test")
_FIVE = ("very negative", "negative", "neutral", "positive", "very positive")
_NEUTRAL, _UNLABELLED = 2, -1

_DESCR = """\
Stanford Sentiment Treebank
===========================

11,855 sentences of film reviews as binary trees, with the sentiment of every phrase.

- 5 classes from 0 (very negative) to 4 (very positive). With binary=True, neutral sentences are removed and
  the classes are 0 (negative) and 1 (positive).
- `split`: 8,544 train, 1,101 dev, 2,210 test; with binary=True 6,920, 872 and 1,821.
- Words are leaves; inner nodes have the empty label. The sentiment of phrases is not part of the trees,
  because it is the target.

The archive does not state a licence; Stanford distributes it for research.
R. Socher et al. (2013). Recursive Deep Models for Semantic Compositionality Over a Sentiment
Treebank. EMNLP.
"""
# "(3 word)" is a leaf with its sentiment, "(3 " opens a phrase, ")" closes it. Some words contain a no-break
# space.
_TOKEN = re.compile(r"\((\d) ([^ ()]+)\)|\((\d)|\)")


def fetch_sst(
    *,
    root_only: bool = True,
    binary: bool = False,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load the Stanford Sentiment Treebank; it is downloaded on first use.

    Parameters
    ----------
    root_only : bool, default=True
        Whether to return only the sentiment of the sentences. With False, ``node_target`` is added.
    binary : bool, default=False
        Whether to remove neutral sentences, so that the classes are negative and positive.
    data_home : str or path-like, default=None
        Folder of ``trainDevTestTrees_PTB.zip``; None uses that of scikit-learn
        (:func:`sklearn.datasets.get_data_home`).
    download_if_missing : bool, default=True
        Whether to download the archive (0.8 MB) if it does not exist.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or (TreeArray, ndarray of int64)
        ``data``: TreeArray, shape (n_sentences,), with words at the leaves and empty labels at inner nodes;
        ``target``: ndarray of int64, shape (n_sentences,), in [0, 4], or 0 and 1 if ``binary``;
        ``target_names``: ndarray of str, names of the classes; ``split``: ndarray of str, "train", "dev" or
        "test"; ``DESCR``: str, a description of the data set. With ``root_only=False`` also ``node_target``:
        RaggedArray of int, shape (n_sentences,), the class of each node in preorder, -1 for neutral phrases
        if ``binary``; recursive nets fit it as ``node_y``.

    Raises
    ------
    OSError
        If the archive does not exist and ``download_if_missing`` is False, the download fails, or the
        checksum is wrong.

    Examples
    --------
    >>> from sklearn_tree.datasets import fetch_sst
    >>> sst = fetch_sst(binary=True)  # doctest: +SKIP
    >>> sst.data  # doctest: +SKIP
    TreeArray(9613 trees, 361629 nodes)
    """
    path = Path(get_data_home(data_home)) / _URL.rpartition("/")[2]
    archive = fetch_file(_URL, path, _SHA256, download_if_missing=download_if_missing)
    with zipfile.ZipFile(archive) as files:
        texts = [files.read(f"trees/{name}.txt").decode("utf-8").splitlines() for name in _SPLITS]
    data, node_target = _read_trees([line for lines in texts for line in lines if line])
    split = np.repeat(_SPLITS, [sum(map(bool, lines)) for lines in texts])
    target = node_target.values[node_target.offsets[:-1]].astype(np.int64)
    if binary:
        kept = target != _NEUTRAL
        data, node_target, split = data[kept], node_target[kept], split[kept]
        target = (target[kept] > _NEUTRAL).astype(np.int64)
        node_target = node_target.replace(values=_to_polarity(node_target.values))
    if return_X_y:
        return data, target
    phrases = {} if root_only else {"node_target": node_target}
    names = np.array(["negative", "positive"] if binary else _FIVE)
    return Bunch(data=data, target=target, target_names=names, split=split, **phrases, DESCR=_DESCR)


def _read_trees(lines: list[str]) -> tuple[TreeArray, RaggedArray]:
    """Read lines such as ``(3 (2 It) (4 works))`` into trees of words and sequences of sentiments."""
    words: list[str] = []
    sentiments: list[int] = []
    depths: list[int] = []
    sizes: list[int] = []
    for line in lines:
        depth, before = 0, len(words)
        for leaf, word, inner in _TOKEN.findall(line):
            if not leaf and not inner:
                depth -= 1
                continue
            words.append(word)
            sentiments.append(int(leaf or inner))
            depths.append(depth)
            depth += bool(inner)
        sizes.append(len(words) - before)
    offsets = np.array([0, *accumulate(sizes)])
    vocabulary, labels = np.unique(np.array(words, dtype=object), return_inverse=True)
    trees = TreeArray(labels, depths, offsets, vocabulary=vocabulary)
    return trees, RaggedArray(np.array(sentiments), offsets)


def _to_polarity(sentiments: np.ndarray) -> np.ndarray:
    return np.select([sentiments < _NEUTRAL, sentiments > _NEUTRAL], [0, 1], _UNLABELLED).astype(np.int32)
