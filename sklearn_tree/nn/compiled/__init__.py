"""Compiled walk: the functions of a cell, traced by torch and compiled by numba."""
