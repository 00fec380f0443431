"""Explanations of predictions by attributions to the inputs."""

from sklearn_tree.explain.change_search import nearest_change
from sklearn_tree.explain.changes import Change
from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.summary import Summary

__all__ = ["CaptumExplainer", "Change", "Explanations", "Summary", "nearest_change"]
