"""Parsers that convert a text to the columns of a tree, one module per format."""
