"""Explanations of predictions by attributions to the inputs."""

from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.explanations import Explanations

__all__ = ["CaptumExplainer", "Explanations"]
