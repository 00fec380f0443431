"""Why: attributions of predictions, through Captum and methods of our own for trees."""

from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.explanations import Explanations

__all__ = ["CaptumExplainer", "Explanations"]
