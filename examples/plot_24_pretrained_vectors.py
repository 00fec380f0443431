"""
Word vectors from texts without labels
======================================

Labels are expensive, texts are not. Word vectors that are learned from texts without labels let a net with a few hundred labels profit
from all texts. This example makes such vectors, as latent semantic analysis does, and compares models with and without them.
"""

# %%
# The sentences come from 108 documents of six genres, and the task is to predict the genre of a sentence. A fifth of the documents is
# held out for the test. Only a few sentences of the others have labels, but all of them are read for the vectors.

import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, normalize

from sklearn_tree import RNNClassifier
from sklearn_tree.datasets import load_gum

gum = load_gum("genre")
texts = np.array([" ".join(tree.labels[i] for i in tree.leaves) for tree in gum.data], dtype=object)
documents = np.array([name.rpartition("-")[0] for name in gum.sent_id])
known, test = next(GroupShuffleSplit(1, test_size=0.2, random_state=0).split(texts, groups=documents))

# %%
# Words of the same documents get similar vectors: a singular value decomposition reduces the table of words and documents to 50 columns.
# The file has GloVe's format, a word and its numbers in each line, so ``embeddings`` takes its path, as it would that of a downloaded
# file.

joined = pd.Series(texts[known]).groupby(documents[known]).agg(" ".join)
counter = CountVectorizer(min_df=2)
counts = counter.fit_transform(joined).T.log1p()
vectors = TruncatedSVD(50, random_state=0).fit_transform(counts)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "vectors.txt"
words = counter.get_feature_names_out()
path.write_text(
    "\n".join(f"{word} {' '.join(f'{x:.4f}' for x in row)}" for word, row in zip(words, vectors, strict=True))
)
for word in ("court", "island", "students"):
    nearest = np.argsort(-vectors @ vectors[counter.vocabulary_[word]])[1:6]
    print(f"{word}: {', '.join(words[nearest])}")

# %%
# Five models learn from 80 to 320 labelled sentences. The nets are small, without dropout and with few epochs, so that the example takes
# seconds; ``linear_path=False`` switches off the linear model that is part of a net for texts by default. The vectors of the nets are
# learned from scratch, adapted in training, or kept (``freeze_embeddings``). Two linear models are the baselines, one without the vectors
# and one on the mean of the vectors of a sentence. The table holds means over three samples of labelled sentences.

settings = {
    "hidden_size": 32,
    "pooling": "mean",
    "bidirectional": False,
    "linear_path": False,
    "dropout": 0.0,
}
settings |= {"max_epochs": 12, "batch_size": 64, "lr": 0.02}
models = {
    "TF-IDF + logistic regression": lambda seed: make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)),
    "mean vector + logistic regression": lambda seed: make_pipeline(
        CountVectorizer(vocabulary=words),
        FunctionTransformer(lambda X: normalize(X, "l1") @ vectors),
        LogisticRegression(C=10),
    ),
    "learned from scratch": lambda seed: RNNClassifier(**settings, random_state=seed),
    "pretrained, adapted": lambda seed: RNNClassifier(**settings, embeddings=path, random_state=seed),
    "pretrained, frozen": lambda seed: RNNClassifier(
        **settings, embeddings=path, freeze_embeddings=True, random_state=seed
    ),
}
rows = []
for seed in range(3):
    order = np.random.default_rng(seed).permutation(known)
    for n in (80, 160, 320):
        for name, make in models.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # many words of the test are new to a net without vectors
                model = make(seed).fit(texts[order[:n]], gum.target[order[:n]])
                rows.append((name, n, model.score(texts[test], gum.target[test])))
scores = pd.DataFrame(rows, columns=["model", "labels", "accuracy"]).groupby(["labels", "model"]).accuracy
mean, spread = scores.mean().unstack()[list(models)], scores.std().unstack()[list(models)]
mean.round(3).T

# %%
# The vectors help the net at all sizes here. Keeping them helps more than adapting them with these settings; dropout or more epochs can
# reverse this order, so compare both. The linear model on mean vectors is better than all nets with the fewest labels and about as good
# as the best net with more: for genres, the words matter more than their order. The bars are standard deviations over the samples.

figure, ax = plt.subplots(figsize=(7, 3.2))
for shift, name in zip((-6, -3, 0, 3, 6), models, strict=True):
    ax.errorbar(mean.index + shift, mean[name], spread[name], marker="o", capsize=3, label=name)
ax.set(xlabel="sentences with labels", ylabel="accuracy on new documents", xticks=mean.index)
ax.legend(frameon=False, fontsize=8)
figure.tight_layout()
folder.cleanup()

# %%
# **For your data:** replace ``joined`` by all your texts, labelled or not, or ``path`` by a file of GloVe, word2vec or fastText. With few
# labels, compare ``freeze_embeddings=True`` with a small ``embedding_lr``, such as a tenth of ``lr``, and all nets with a linear model on
# mean vectors.
