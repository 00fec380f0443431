"""
From your CSV file to an explained prediction
=============================================

A CSV file has missing texts, labels that are spelled in several ways, and one class that is far more frequent than the others. This example
cleans such a file, compares a recurrent net with a linear model, and looks at what the net reads and where it is wrong.
"""

# %%
# The file
# --------
# You have a file already. This cell writes one: sentences of court hearings, interviews and travel guides (GUM), without punctuation, as a
# speech recognizer writes them. The task is to predict whether a sentence is a statement, a question, a command, a fragment or an
# interjection.

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from sklearn_tree.datasets import load_gum

KINDS = {"decl": "statement", "frag": "fragment", "wh": "question", "q": "Question", "imp": "command"}
KINDS |= {"intj": "interjection", "other": None}
folder, gum = TemporaryDirectory(), load_gum()
path, rows = Path(folder.name) / "sentences.csv", []
for tree, kind, sent_id, genre in zip(gum.data, gum.target, gum.sent_id, gum.genre, strict=True):
    if kind in KINDS and genre in ("court", "interview", "voyage"):
        words = [tree.labels[leaf] for leaf in tree.leaves]
        text = " ".join(word.lower() for word in words if word.strip("'’")[:1].isalnum())
        text = text.replace(" '", "'").replace(" n’t", "n’t").replace(" n't", "n't")
        rows.append((*sent_id.rsplit("-", 1), text, KINDS[kind]))
written = pd.DataFrame(rows, columns=["document", "position", "Text ", "Kind of sentence"])
written.loc[::40, "Text "] = None
written.loc[::7, "Kind of sentence"] += " "
written.to_csv(path, index=False)

# %%
# Read and clean
# --------------
# Look at the columns and at the labels before anything else.

frame = pd.read_csv(path)
print(frame.columns.tolist())
print(frame["Kind of sentence"].value_counts(dropna=False).to_dict())

# %%
# The names of the columns get their blanks removed, and so do the labels, in lower case. A row without a label cannot be used. A row
# without a text could be kept with ``fillna("")`` if missing texts mean something; here they do not. ``fit`` refuses both and names the
# row.

frame.columns = frame.columns.str.strip().str.lower()
frame = frame.rename(columns={"kind of sentence": "kind"})
frame["kind"] = frame["kind"].str.strip().str.lower()
print(f"{frame['text'].isna().sum()} rows without a text, {frame['kind'].isna().sum()} without a label")
frame = frame.dropna(subset=["text", "kind"])
frame["kind"].value_counts().to_frame()

# %%
# Train and test
# --------------
# Sentences of one document resemble each other, so whole documents are held out. About three quarters of the sentences are statements: a
# model that predicts nothing else is right for most of them, and useless. The macro-averaged F1 score counts every class equally, and the
# recall is the share of a class that is found.

from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline

from sklearn_tree import RNNClassifier

splitter = GroupShuffleSplit(1, test_size=0.25, random_state=0)
train, test = (frame.iloc[part] for part in next(splitter.split(frame, groups=frame["document"])))
words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
models = {
    "most frequent class": DummyClassifier(),
    "TF-IDF, linear": make_pipeline(words, LogisticRegression(C=10, max_iter=1000)),
    "TF-IDF, linear, balanced": make_pipeline(
        words, LogisticRegression(C=10, max_iter=1000, class_weight="balanced")
    ),
    "RNN": RNNClassifier(hidden_size=32, random_state=0),
    "RNN, balanced": RNNClassifier(hidden_size=32, class_weight="balanced", random_state=0),
}
classes = np.unique(train["kind"])
scores = {}
for name, model in models.items():
    predicted = model.fit(train["text"], train["kind"]).predict(test["text"])
    recalls = recall_score(test["kind"], predicted, labels=classes, average=None)
    scores[name] = {
        "accuracy": accuracy_score(test["kind"], predicted),
        "macro-F1": f1_score(test["kind"], predicted, average="macro"),
        **dict(zip("recall: " + classes.astype(object), recalls, strict=True)),
    }
pd.DataFrame(scores).T.round(2)

# %%
# Balanced weights help the linear model. They make the net find more of the rare classes, and take more statements for something else:
# which of the two is better depends on what a mistake costs. The test part holds few questions and commands, so small differences mean
# little.
#
# Wrong predictions
# -----------------
# Sort the mistakes by the probability of the predicted class. At the top are the labels that are worth a second look.

net = models["RNN"]
probabilities = pd.DataFrame(net.predict_proba(test["text"]), columns=net.classes_, index=test.index)
table = test.assign(predicted=probabilities.idxmax(axis=1), probability=probabilities.max(axis=1))
wrong = table[table["predicted"] != table["kind"]].sort_values("probability", ascending=False)
print(f"{len(wrong)} of {len(test)} sentences")
wrong[["text", "kind", "predicted", "probability"]].head(6).round(2)

# %%
# One prediction
# --------------
# Orange words support the predicted class; blue, dashed ones oppose it.

from sklearn_tree import CaptumExplainer

explainer = CaptumExplainer(net).fit(train["text"])
right = table[(table["kind"] == "question") & (table["predicted"] == "question")]
chosen = right[right["text"].str.split().str.len().between(5, 12)][:2]
explainer.explain(chosen["text"], chosen["kind"])

# %%
# The corpus
# ----------
# ``summary`` adds up the attributions of all short test sentences: the words that push each class most. The occlusion of a text of n words
# computes n texts of n words, so long texts take much longer.

is_short = test["text"].str.split().str.len().between(4, 12)
explainer.explain(test.loc[is_short, "text"]).summary("word", min_count=3).plot(4)

# %%
# **For your data:** replace ``path``, the names of the columns and the repairs. Split by customer, author or document if several rows
# belong together, and by ``train_test_split(..., stratify=y)`` otherwise. Choose weights and parameters by cross-validation on the training
# part. To add a number such as ``position`` to the texts, see :class:`~sklearn_tree.NetEncoder` and the example "A tree column in a table".

# sphinx_gallery_thumbnail_path = "figures/thumbnails/csv.svg"
