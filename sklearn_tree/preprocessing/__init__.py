"""Transformers that parse and encode raw data."""

from sklearn_tree.preprocessing.sequence_vectorizer import SequenceVectorizer
from sklearn_tree.preprocessing.tree_parser import TreeParser
from sklearn_tree.preprocessing.tree_vectorizer import TreeVectorizer

__all__ = ["SequenceVectorizer", "TreeParser", "TreeVectorizer"]
