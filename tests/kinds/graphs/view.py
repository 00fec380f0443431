"""Explanations of graphs: a group is a node with all its features."""

import numpy as np

from sklearn_tree.explain.views import View
from sklearn_tree.plot.bars import draw_bars


class GraphsView(View):
    def draw(self, sample, attributions, names, limit):
        totals = np.asarray(attributions).reshape(len(sample), -1).sum(axis=1)
        return draw_bars([f"node {i}" for i in range(len(totals))], totals, limit=limit)
