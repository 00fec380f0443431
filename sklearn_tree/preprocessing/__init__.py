"""Transformers that bring raw data into the form that nets take."""

from sklearn_tree.preprocessing.sequence_vectorizer import SequenceVectorizer
from sklearn_tree.preprocessing.tree_parser import TreeParser
from sklearn_tree.preprocessing.tree_vectorizer import TreeVectorizer

__all__ = ["SequenceVectorizer", "TreeParser", "TreeVectorizer"]
