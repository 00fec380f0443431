"""Vectorizer for trees."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.preprocessing.node_labels import flatten_nodes
from sklearn_tree.preprocessing.splitter import SPLIT_CONSTRAINTS, Split, build_splitter
from sklearn_tree.preprocessing.tree_parser import TEXT_FORMATS
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer, check_ids, describe
from sklearn_tree.preprocessing.vocabulary import (
    VOCABULARY_CONSTRAINTS,
    build_vocabulary,
    invert_vocabulary,
    look_up,
    lower,
)
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.flat import PAD_ID
from sklearn_tree.trees.transform import binarize, collapse_unary, split_leaves, truncate
from sklearn_tree.validation import POSITIVE_INT, StrOptions

_FORMATS = {"auto", "brackets", "nested", "dict", "nltk", "tree", "json"}


class TreeVectorizer(BaseVectorizer):
    """Convert trees to a :class:`TreeArray` of label ids.

    This is to trees what :class:`~sklearn.feature_extraction.text.CountVectorizer` is to texts, except that
    the structure is kept. Estimators for trees vectorize raw trees themselves. As a step of a pipeline, the
    vectorizer makes its parameters searchable, and trees are read only once.

    Parameters
    ----------
    format : {"auto", "brackets", "nested", "dict", "nltk", "tree", "json"}, default="auto"
        Format that all trees must have. "auto" chooses it by the type of each tree. "json" reads every sample
        as a JSON value, including dicts and lists that hold a label.
    min_df : int or float, default=1
        Minimum number of trees (or fraction of the trees, if a float) in which a label must occur. Rarer
        labels become unknown.
    max_features : int, default=None
        Maximum size of the vocabulary, without the reserved ids; the most frequent labels are kept.
    lowercase : bool, default=False
        Whether to convert labels to lower case.
    inner_labels : bool, default=True
        Whether to keep the labels of inner nodes. With False, inner nodes get id 0, "no label".
    edge_labels : bool, default=True
        Whether to keep edge labels.
    binarize : {"left", "right"}, default=None
        Side on which intermediate nodes are inserted so that no node has more than two children: "right"
        turns ``(S a b c)`` into ``(S a (S|<> b c))``, "left" into ``(S (S|<> a b) c)``. Intermediate nodes
        have the label of the original parent with ``|<>`` appended, no value and no edge label. None inserts
        no nodes.
    collapse_unary : bool, default=False
        Whether to merge every inner node that is an only child into its parent: ``(S (VP (VB stop)))``
        becomes ``(S+VP+VB stop)``. Leaves are not merged. A merged node has the labels of its chain joined by
        "+", the edge label of the topmost node, and the value of the topmost node that has one.
    max_nodes : int, default=None
        Maximum number of nodes of a tree. Larger trees keep their first nodes in breadth-first order: the top
        of the tree, and the leftmost nodes of the level at which the limit is reached.
    split : {"words", "identifiers"} or callable, default=None
        How to split the labels of leaves into pieces. A leaf with two or more pieces becomes a node without a
        label, which keeps its edge label, and the pieces become its children, in order. A single piece
        replaces the label. Inner nodes, leaves with a value and labels without a piece are not changed.
        "words" gives runs of letters, digits, underscores and inner apostrophes: ``https://a.b/top-ten``
        becomes ``https a b top ten``. "identifiers" splits words further: ``get_userName`` becomes ``get user
        Name``. A callable ``split(label)`` returns a list of str. None splits no labels.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each label; 0 is "<pad>" (no label) and 1 is "<unk>" (unknown). Labels with these two names get
        these ids.
    edge_vocabulary_ : dict of str to int
        Id of each edge label, with the same reserved names and ids.
    n_features_in_ : int
        1 if X was an array or frame of one column in ``fit``; absent for lists and Series.
    feature_names_in_ : ndarray of str, shape (1,)
        Name of the column, if X was a DataFrame.

    See Also
    --------
    RecursiveNetClassifier : Classifier for trees, raw or vectorized.
    SequenceVectorizer : Vectorizer for texts and sequences of tokens.

    Notes
    -----
    Trees are transformed in ``fit`` and ``transform`` alike, in this order: ``split``, ``collapse_unary``,
    ``binarize``, ``max_nodes``. Node numbers in later steps are those of the transformed trees.

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

    Transform the shapes of trees:

    >>> vectorizer = TreeVectorizer(collapse_unary=True, binarize="right")
    >>> ids = vectorizer.fit_transform(["(S (VP (VB stop) (NP it) (ADVP now)))"])
    >>> vectorizer.inverse_transform(ids)[0]
    Tree('(S+VP (VB stop) (S+VP|<> (NP it) (ADVP now)))')

    Split labels into words:

    >>> vectorizer = TreeVectorizer(split="words")
    >>> ids = vectorizer.fit_transform([("page", ("title", "Oak trees"), ("link", "/oak/acorn.html"))])
    >>> vectorizer.inverse_transform(ids)[0].to_tuple()
    ('page', ('title', ('', 'Oak', 'trees')), ('link', ('', 'oak', 'acorn', 'html')))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "format": [StrOptions(_FORMATS)],
        **VOCABULARY_CONSTRAINTS,
        "inner_labels": ["boolean"],
        "edge_labels": ["boolean"],
        "binarize": [StrOptions({"left", "right"}), None],
        "collapse_unary": ["boolean"],
        "max_nodes": [POSITIVE_INT, None],
        **SPLIT_CONSTRAINTS,
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
        binarize: str | None = None,
        collapse_unary: bool = False,
        max_nodes: int | None = None,
        split: Split = None,
    ) -> None:
        self.format = format
        self.min_df = min_df
        self.max_features = max_features
        self.lowercase = lowercase
        self.inner_labels = inner_labels
        self.edge_labels = edge_labels
        self.binarize = binarize
        self.collapse_unary = collapse_unary
        self.max_nodes = max_nodes
        self.split = split

    def inverse_transform(self, X: TreeArray) -> TreeArray:
        """Replace ids by labels.

        The shapes of the trees are not changed: ``split``, ``collapse_unary``, ``binarize`` and ``max_nodes``
        are not undone.

        Parameters
        ----------
        X : TreeArray
            Encoded trees.

        Returns
        -------
        TreeArray
            Trees with text labels: "<unk>" for unknown labels and "" for nodes without a label.

        Raises
        ------
        ValueError
            If X is not a TreeArray of ids, or an id is not in the vocabulary.
        """
        check_is_fitted(self)
        if not isinstance(X, TreeArray) or X.vocabulary is not None:
            raise ValueError(f"X must be a TreeArray of ids, got {describe(X)}")
        check_ids(X.labels, self.vocabulary_)
        edges = None if X.edges is None else invert_vocabulary(self.edge_vocabulary_)
        return X.replace(vocabulary=invert_vocabulary(self.vocabulary_), edge_vocabulary=edges)

    def read(self, X: Any) -> TreeArray:  # noqa: D102 (in the base class)
        array = to_tree_array(X, self.format)
        if array.vocabulary is None:
            raise TypeError("labels must be str, got ids (int); pass encoded trees to an estimator directly")
        if array.edges is not None and array.edge_vocabulary is None and self.edge_labels:
            raise TypeError("edge labels must be str like the node labels, got ids (int)")
        if self.split is not None:
            array = split_leaves(array, build_splitter(self.split))
        if self.collapse_unary:
            array = collapse_unary(array)
        if self.binarize is not None:
            array = binarize(array, self.binarize)
        return array if self.max_nodes is None else truncate(array, self.max_nodes)

    def align_nodes(self, X: Any, node_y: Any) -> list[list]:
        """Return the labels of the nodes of the transformed trees.

        Parameters
        ----------
        X : same as in ``fit``
            Trees.
        node_y : sequences of labels
            Labels of the nodes of X in preorder, as in :meth:`RecursiveNetClassifier.fit`.

        Returns
        -------
        list of lists of labels
            For each tree, the labels of the nodes that ``transform`` returns, in preorder. A merged node has
            the label of the topmost node of its chain; an inserted node has None.

        Raises
        ------
        ValueError, TypeError
            If a tree cannot be read, or the numbers of nodes and labels differ.

        Examples
        --------
        >>> from sklearn_tree import TreeVectorizer
        >>> TreeVectorizer(binarize="right").align_nodes(["(S a b c)"], [["good", None, "bad", "fine"]])
        [['good', None, None, 'bad', 'fine']]
        """
        array = to_tree_array(X, self.format)
        labels = flatten_nodes(node_y, array.sizes).tolist()
        # Transformations treat edge labels as labels of nodes are treated here, and do not depend on them.
        numbers = np.arange(array.n_nodes)
        numbered = self.read(array.replace(edges=numbers, edge_vocabulary=numbers.astype(str).astype(object)))
        assert numbered.edges is not None
        labels.append(None)  # of inserted nodes, whose code follows those of the original nodes
        aligned = [labels[code] for code in numbered.edges.tolist()]
        return [aligned[start:end] for start, end in pairwise(numbered.offsets.tolist())]

    def _validate_params(self) -> None:
        if isinstance(self.format, str) and self.format in TEXT_FORMATS - _FORMATS:
            raise ValueError(
                f"format must be one of {sorted(_FORMATS)}, got {self.format!r}, a format of TreeParser: put "
                f"TreeParser({self.format!r}) before TreeVectorizer()"
            )
        super()._validate_params()

    def _read_normalized(self, X: Any) -> TreeArray:
        array = self.read(X)
        if not self.lowercase:
            return array
        assert array.vocabulary is not None
        edges = None if array.edge_vocabulary is None else lower(array.edge_vocabulary)
        return array.replace(vocabulary=lower(array.vocabulary), edge_vocabulary=edges)

    def _learn(self, array: TreeArray) -> None:
        assert array.vocabulary is not None
        has_label = self._has_label(array)
        rows = np.repeat(np.arange(len(array)), array.sizes)
        self._learn_labels(array.labels[has_label], rows[has_label], array.vocabulary, len(array))
        edge_labels: set[str] = set()
        if array.edges is not None and self.edge_labels:
            assert array.edge_vocabulary is not None
            texts = array.edge_vocabulary[np.unique(array.edges)]
            edge_labels = {text for text in texts if text}
        self.edge_vocabulary_ = build_vocabulary(sorted(edge_labels), getattr(self, "edge_vocabulary_", None))

    def _has_label(self, array: TreeArray) -> np.ndarray:
        """Return whether the label of each node is kept, ndarray of bool, shape (n_nodes,)."""
        return np.ones(array.n_nodes, dtype=bool) if self.inner_labels else array.arities == 0

    def _encode(self, array: TreeArray) -> TreeArray:
        assert array.vocabulary is not None
        ids = look_up(array.vocabulary, self.vocabulary_)[array.labels]
        if not self.inner_labels:
            ids = np.where(self._has_label(array), ids, np.int32(PAD_ID))
        edges = None
        if array.edges is not None and self.edge_labels:
            assert array.edge_vocabulary is not None
            edges = look_up(array.edge_vocabulary, self.edge_vocabulary_)[array.edges]
        return array.replace(
            labels=ids,
            vocabulary=None,
            n_labels=len(self.vocabulary_),
            edges=edges,
            edge_vocabulary=None,
            n_edge_labels=len(self.edge_vocabulary_) if edges is not None else None,
        )
