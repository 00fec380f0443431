"""Data sets: shipped (``load_*``) and generated (``make_*``)."""

from sklearn_tree.datasets.gum import load_gum
from sklearn_tree.datasets.listops import make_listops

__all__ = ["load_gum", "make_listops"]
