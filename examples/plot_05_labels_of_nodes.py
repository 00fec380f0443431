"""
Labels of nodes
===============

If the phrases of a sentence have labels too, a recursive net learns from all of them at the cost of one pass over the tree.
"""

# %%
# The sentences come from a small grammar, in which *not* reverses the sentiment of a phrase, *very* strengthens it and *but* doubles
# the weight of what follows. The sentiment of every phrase is known; phrases with a score of 0 have no label.

import numpy as np

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.datasets import make_negation

grammar = make_negation(450, random_state=0)
names = np.array(["negative", None, "positive"])
phrases = [names[np.sign(scores).astype(int) + 1] for scores in grammar.phrase_scores]
print(grammar.data[4].to_brackets(), phrases[4])

# %%
# Train on the labels of 150 sentences, and on those of their phrases.

train, test = slice(0, 150), slice(150, 450)
net = RecursiveNetClassifier("nary_lstm", hidden_size=32, max_epochs=30, random_state=0)
net.fit(grammar.data[train], grammar.target[train])
print(f"sentences: accuracy {net.score(grammar.data[test], grammar.target[test]):.3f}")
net.fit(grammar.data[train], grammar.target[train], node_y=phrases[train])
print(f"phrases:   accuracy {net.score(grammar.data[test], grammar.target[test]):.3f}")

# %%
# The net now predicts the sentiment of phrases, too. Compare it with the grammar:

nodes = net.predict_nodes(grammar.data[test])
truth = np.concatenate(phrases[test])
is_labelled = truth != None  # noqa: E711
print(f"{np.mean(nodes.prediction[is_labelled] == truth[is_labelled]):.1%} of {is_labelled.sum()} phrases")

# %%
# One sentence, each phrase coloured by its predicted sentiment:

from sklearn_tree.plot import plot_tree

first = nodes[nodes["sample"] == 0]
plot_tree(grammar.data[test][0], 2 * first["positive"] - 1, caption="positive: orange, negative: blue")

# %%
# **For your data:** ``node_y`` has a sequence per tree with a label per node, in the order of ``Tree.nodes``, and None where a label is missing. If a
# vectorizer changes the nodes, align the labels with ``TreeVectorizer.align_nodes``.

# sphinx_gallery_thumbnail_path = "figures/thumbnails/phrases.svg"
