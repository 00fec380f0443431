"""Parsers: one small module each, from a text to the columns of a tree."""
