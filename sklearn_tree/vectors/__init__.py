"""Pretrained vectors of words."""

from sklearn_tree.vectors.word_vectors import WordVectors

__all__ = ["WordVectors"]
