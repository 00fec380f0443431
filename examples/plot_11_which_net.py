"""
Four models on the same sentences
=================================

A linear model on word counts, a convolutional net, a recurrent net and a recursive net learn the same task from different views of the
same sentences: words without order, windows of words, the sequence, and the parse tree.
"""

# %%
# The sentences come from a small grammar. "Not" reverses the sentiment of the phrase after it, and "but" gives the second
# half of a sentence the last word. The words of a sentence are the leaves of its tree.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.datasets import make_negation

grammar = make_negation(2000, random_state=0)
trees, y = grammar.data, grammar.target
texts = [" ".join(tree.labels[leaf] for leaf in tree.leaves) for tree in trees]
print(texts[1], "->", y[1])

# %%
# All models have their default parameters and learn from 250 to 1,000 sentences; 1,000 others are the test set.

words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
models = {
    "TF-IDF + logistic regression": (make_pipeline(words, LogisticRegression(C=10)), texts),
    "CNNClassifier": (CNNClassifier(random_state=0), texts),
    "RNNClassifier": (RNNClassifier(random_state=0), texts),
    "RecursiveNetClassifier": (RecursiveNetClassifier(random_state=0), trees),
}
accuracy = pd.DataFrame(index=[250, 500, 1000], columns=list(models), dtype=float)
for name, (model, X) in models.items():
    for n in accuracy.index:
        accuracy.loc[n, name] = model.fit(X[:n], y[:n]).score(X[1000:], y[1000:])
accuracy.round(3)

# %%
# The parse tree tells a net which phrase a "not" belongs to. The other models must guess it from the words.

ax = accuracy.plot(marker="o", figsize=(7, 3.5))
ax.set(xlabel="training sentences", ylabel="accuracy on new sentences", xticks=accuracy.index)
ax.legend(frameon=False)
plt.tight_layout()

# %%
# **For your data:** compare the same four models, beginning with the linear one. If the classes depend on which words occur, as topics do,
# it is hard to beat. A recursive net needs trees: parse trees, programs, formulas, or documents with a structure of their own.
