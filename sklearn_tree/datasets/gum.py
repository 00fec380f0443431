"""Sentences of the GUM corpus with gold parse trees, shipped with the package."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sklearn_tree.trees import Tree, TreeArray

_DESCR = """\
GUM: sentences with gold parse trees
====================================

4,636 English sentences of six genres of the Georgetown University Multilayer corpus, each with a
constituency tree and a dependency tree that were annotated by hand.

- task="sentence_type": 11 classes (decl, frag, sub, wh, imp, q, ...), 73 % of them "decl".
- task="genre": academic, bio, court, interview, news, voyage.
- The official split by documents is in `split`: 3,707 train, 438 dev, 491 test.

Annotations CC BY 4.0, texts CC BY or CC BY-SA; see ATTRIBUTION.md in the folder of the data.
A. Zeldes (2017). The GUM Corpus: Creating Multilayer Resources in the Classroom.
"""
_TASKS = {"sentence_type": "s_type", "genre": "genre"}


def load_gum(task: str = "sentence_type", *, trees: str = "constituency", return_X_y: bool = False) -> Any:
    """Load sentences of the GUM corpus with their parse trees.

    Parameters
    ----------
    task : {"sentence_type", "genre"}, default="sentence_type"
        What to predict: the type of a sentence, or the genre of its document.
    trees : {"constituency", "dependency"}, default="constituency"
        Constituency trees have phrase labels at inner nodes and words at leaves. Dependency trees have a word
        at every node and relations as edge labels.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or (TreeArray, ndarray of str)
        ``data``: TreeArray, shape (4636,); ``target``: ndarray of str, shape (4636,); ``target_names``:
        ndarray of str, the classes in sorted order; ``split``: ndarray of str, "train", "dev" or "test";
        ``sent_id``, ``genre``: ndarrays of str; ``DESCR``: str, a description of the data set.

    Raises
    ------
    ValueError
        If ``task`` or ``trees`` is unknown.

    Examples
    --------
    >>> from sklearn_tree.datasets import load_gum
    >>> gum = load_gum()
    >>> gum.data
    TreeArray(4636 trees, 279683 nodes)
    >>> print(gum.data[28], "->", gum.target[28])
    (ROOT (NP (LS 1) (NN Introduction))) -> frag
    >>> X_train, y_train = gum.data[gum.split == "train"], gum.target[gum.split == "train"]
    >>> len(X_train)
    3707
    """
    if task not in _TASKS:
        raise ValueError(f"task must be one of {sorted(_TASKS)}, got {task!r}")
    if trees not in ("constituency", "dependency"):
        raise ValueError(f"trees must be 'constituency' or 'dependency', got {trees!r}")
    header, *rows = (line.rstrip("\n").split("\t") for line in _read_lines("gum_const.tsv.gz"))
    columns = {name: np.array(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)}
    if trees == "constituency":
        data = TreeArray.from_trees(columns.pop("tree").tolist())
    else:
        by_id = dict(_read_conllu("gum_dep.conllu.gz"))
        data = TreeArray.from_trees(by_id[sent_id] for sent_id in columns["sent_id"])
    target = columns[_TASKS[task]]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.unique(target),
        split=columns["split"],
        sent_id=columns["sent_id"],
        genre=columns["genre"],
        DESCR=_DESCR,
    )


def _read_lines(name: str) -> Iterator[str]:
    file = resources.files("sklearn_tree.datasets") / "data" / name
    with file.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8") as text:
        yield from text


def _read_conllu(name: str) -> Iterator[tuple[str, Tree]]:
    """Yield the id and the dependency tree of each sentence."""
    sent_id, words = "", []
    for line in (*_read_lines(name), "\n"):
        if line.startswith("# sent_id = "):
            sent_id = line.partition("= ")[2].strip()
        elif line[0].isdigit():
            words.append(line.split("\t"))
        elif line == "\n" and words:
            heads = [int(word[6]) - 1 for word in words]
            edges = [word[7] if head >= 0 else None for word, head in zip(words, heads, strict=True)]
            yield sent_id, Tree([word[1] for word in words], heads, edges=edges)
            words = []
