"""Explanations of predictions by attributions to the inputs."""

from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.summary import Summary

__all__ = ["CaptumExplainer", "Explanations", "Summary"]
