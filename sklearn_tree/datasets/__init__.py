"""Data sets that are shipped (``load_*``), downloaded (``fetch_*``) or generated (``make_*``)."""

from sklearn_tree.datasets.gum import load_gum
from sklearn_tree.datasets.listops import make_listops
from sklearn_tree.datasets.negation import make_negation
from sklearn_tree.datasets.python_functions import load_python_functions
from sklearn_tree.datasets.sst import fetch_sst

__all__ = ["fetch_sst", "load_gum", "load_python_functions", "make_listops", "make_negation"]
