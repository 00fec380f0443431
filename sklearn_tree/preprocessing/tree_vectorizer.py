"""``TreeVectorizer``: trees of any format to a ``TreeArray`` of ids."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.preprocessing.vocabulary import (
    VOCABULARY_CONSTRAINTS,
    learn_vocabulary,
    look_up,
    texts_of,
    with_reserved,
)
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.flat import PAD_ID
from sklearn_tree.trees.formats.unpicklable import name_the_remedy
from sklearn_tree.validation import StrOptions


class TreeVectorizer(BaseVectorizer):
    """Turn trees into a :class:`TreeArray` of label ids.

    What :class:`~sklearn.feature_extraction.text.CountVectorizer` is to texts, but nothing of a
    tree's structure is lost. Every estimator for trees does this by itself when it is given raw
    trees; as a pipeline step its parameters can be searched, and trees are read once.

    Parameters
    ----------
    format : {"auto", "brackets", "nested", "dict", "nltk", "tree", "json"}, default="auto"
        The format that all trees must have; "auto" tells it from each tree's type. "json" reads
        every sample as a JSON value, also dicts and lists that hold a label.
    min_df : int or float, default=1
        Labels in fewer trees become unknown: a count, or a share of the trees if a float.
    max_features : int, default=None
        Keep the labels with the most occurrences only.
    lowercase : bool, default=False
        Convert all labels to lower case.
    inner_labels : bool, default=True
        Whether inner nodes' labels are tokens too. False keeps the labels of leaves only; inner
        nodes get id 0 and bring no input of their own.
    edge_labels : bool, default=True
        Whether to keep edge labels (of trees that have them).

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each label; 0 and 1 are "<pad>" (no label) and "<unk>" (unknown).
    edge_vocabulary_ : dict of str to int
        The same for edge labels.

    See Also
    --------
    RecursiveNetClassifier : The classifier that takes its output.

    Examples
    --------
    >>> from sklearn_tree import TreeVectorizer
    >>> vectorizer = TreeVectorizer()
    >>> ids = vectorizer.fit_transform(["(S (NP I) (VP run))", "(S (VP stop))"])
    >>> ids
    TreeArray(2 trees, 8 nodes)
    >>> vectorizer.vocabulary_
    {'<pad>': 0, '<unk>': 1, 'I': 2, 'NP': 3, 'S': 4, 'VP': 5, 'run': 6, 'stop': 7}
    >>> vectorizer.transform(["(S (VP sleep))"])[0].labels
    (4, 5, 1)
    >>> vectorizer.inverse_transform(ids)[1]
    Tree('(S (VP stop))')
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "format": [StrOptions({"auto", "brackets", "nested", "dict", "nltk", "tree", "json"})],
        **VOCABULARY_CONSTRAINTS,
        "inner_labels": ["boolean"],
        "edge_labels": ["boolean"],
    }

    def __init__(
        self,
        format: str = "auto",
        *,
        min_df: int | float = 1,
        max_features: int | None = None,
        lowercase: bool = False,
        inner_labels: bool = True,
        edge_labels: bool = True,
    ) -> None:
        self.format = format
        self.min_df = min_df
        self.max_features = max_features
        self.lowercase = lowercase
        self.inner_labels = inner_labels
        self.edge_labels = edge_labels

    def __sklearn_clone__(self) -> Any:
        name_the_remedy()  # before a search sends trees to its workers, or a pipeline to its cache
        return super().__sklearn_clone__()

    def inverse_transform(self, X: TreeArray) -> TreeArray:
        """Put labels back in the place of ids.

        Parameters
        ----------
        X : TreeArray
            Encoded trees.

        Returns
        -------
        TreeArray
            Trees with text labels; "<unk>" for unknown ones, "" where there is no label.

        Raises
        ------
        ValueError
            If the trees have text labels already, or ids beyond the vocabulary.
        """
        check_is_fitted(self)
        if not isinstance(X, TreeArray) or X.vocabulary is not None:
            raise ValueError("X must be a TreeArray of ids as transform returns it")
        if X.labels.max(initial=0) >= len(self.vocabulary_):
            raise ValueError(
                f"X must hold ids below {len(self.vocabulary_)}, the size of the vocabulary, "
                f"got {X.labels.max()}"
            )
        edges = None if X.edges is None else texts_of(self.edge_vocabulary_)
        return X.replace(vocabulary=texts_of(self.vocabulary_), edge_vocabulary=edges)

    def read(self, X: Any) -> TreeArray:  # noqa: D102 (in the base class)
        array = to_tree_array(X, self.format)
        if array.vocabulary is None:
            raise TypeError(
                "labels must be str to be vectorized, got ids (int); encoded trees go straight "
                "into an estimator"
            )
        return array

    def _learn(self, array: TreeArray) -> None:
        self.vocabulary_ = self._select_labels(array)
        kept: set[str] = set()
        if array.edges is not None and self.edge_labels:
            texts = array.edge_vocabulary[np.unique(array.edges)]  # type: ignore[index]
            kept = {self._norm(text) for text in texts if text}
        self.edge_vocabulary_ = with_reserved(sorted(kept))

    def _select_labels(self, array: TreeArray) -> dict[str, int]:
        used = self._is_token(array)
        return learn_vocabulary(
            array.labels[used],
            np.repeat(np.arange(len(array)), array.sizes)[used],
            array.vocabulary,  # type: ignore[arg-type]
            len(array),
            min_df=self.min_df,
            max_features=self.max_features,
            normalize=self._norm,
        )

    def _norm(self, name: str) -> str:
        return name.lower() if self.lowercase else name

    def _is_token(self, array: TreeArray) -> np.ndarray:
        return np.ones(array.n_nodes, dtype=bool) if self.inner_labels else array.arities == 0

    def _encode(self, array: TreeArray) -> TreeArray:
        ids = look_up(array.vocabulary, self.vocabulary_, self._norm)[array.labels]
        if not self.inner_labels:
            ids = np.where(self._is_token(array), ids, np.int32(PAD_ID))
        edges = None
        if array.edges is not None and self.edge_labels:
            edges = look_up(array.edge_vocabulary, self.edge_vocabulary_, self._norm)[array.edges]
        return array.replace(
            labels=ids,
            vocabulary=None,
            n_labels=len(self.vocabulary_),
            edges=edges,
            edge_vocabulary=None,
            n_edge_labels=len(self.edge_vocabulary_) if edges is not None else None,
        )
