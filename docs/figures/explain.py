"""The explained tree at the top of the README, as an SVG file.

Run ``python docs/figures/explain.py``. The net is trained in a few seconds; other versions of torch give other numbers.
"""

from __future__ import annotations

from pathlib import Path

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, TreeArray
from sklearn_tree.datasets import make_negation

SENTENCE = "(\\- (\\- (\\- that plot) (\\- is (\\- not (\\- very boring)))) (\\- but (\\- the cast (\\- seems dull))))"


def main() -> None:
    """Train a net on the grammar of negation, and draw an explained sentence."""
    grammar = make_negation(2000, random_state=0)
    net = RecursiveNetClassifier(word_dropout=0.1, random_state=0).fit(grammar.data, grammar.target)
    trees = TreeArray.from_trees([SENTENCE])
    picture = CaptumExplainer(net).fit(grammar.data).explain(trees).plot()
    picture.save(Path(__file__).parent / "explained.svg")


if __name__ == "__main__":
    main()
