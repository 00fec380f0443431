"""
Sentence types from parse trees
===============================

Is a sentence a statement, a question, a command, a fragment? The words tell a part of it, the *structure* the rest. Here a
recursive net reads the gold constituency trees of 4,636 English sentences, is compared with a linear model on the same
labels, tuned, and asked what it makes of every phrase.
"""

# %%
# The data
# --------
# ``gum.data`` is a ``TreeArray``: it is indexed and split like a numpy array, and each element is a tree.

from sklearn_tree.datasets import load_gum

gum = load_gum()
is_train = gum.split == "train"
X_train, y_train = gum.data[is_train], gum.target[is_train]
X_test, y_test = gum.data[~is_train], gum.target[~is_train]
print(f"{len(X_train)} sentences to train on, {len(X_test)} to test; {len(gum.target_names)} types")
print(X_test[6], "->", y_test[6])

# %%
# A recursive net in a pipeline
# -----------------------------
# The vectorizer turns labels into ids; labels seen once become "unknown". Progress bars are scikit-learn's own (1.9 and later).

from sklearn.pipeline import make_pipeline

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer

pipe = make_pipeline(
    TreeVectorizer(min_df=2),
    RecursiveNetClassifier(
        dropout=0.3,
        word_dropout=0.1,
        lr=0.005,
        lr_schedule="cosine",
        max_epochs=10,
        batch_size=32,
        random_state=0,
    ),
)
try:
    from sklearn.callback import ProgressBar
except ImportError:
    print("scikit-learn before 1.9: no progress bar")
else:
    pipe.set_callbacks(ProgressBar())
pipe.fit(X_train, y_train)

# %%
# Beside a linear model
# ---------------------
# A bag of labels has the same words and phrase types, but not their structure.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MaxAbsScaler


def labels_of(tree):
    """The labels of a tree, as a bag."""
    return tree.labels


bag = make_pipeline(
    CountVectorizer(analyzer=labels_of, min_df=2), MaxAbsScaler(), LogisticRegression(max_iter=1000)
).fit(X_train, y_train)

for name, model in {"bag of labels": bag, "recursive net": pipe}.items():
    y_pred = model.predict(X_test)
    f1 = f1_score(y_test, y_pred, average="macro", zero_division=0)
    print(f"{name}: accuracy {accuracy_score(y_test, y_pred):.3f}, macro-F1 {f1:.3f}")

# %%
# Tuning
# ------
# Everything is searched under plain names, here by two workers on a sample, for "statement or not".

from sklearn.model_selection import GridSearchCV, train_test_split

X_small, _, y_small, _ = train_test_split(
    X_train, y_train == "decl", train_size=500, stratify=y_train == "decl", random_state=0
)
search = GridSearchCV(
    make_pipeline(TreeVectorizer(), RecursiveNetClassifier(lr=0.01, max_epochs=4, random_state=0)),
    {"treevectorizer__min_df": [1, 2], "recursivenetclassifier__hidden_size": [32, 64]},
    cv=2,
    n_jobs=2,
).fit(X_small, y_small)
print("best:", search.best_params_, f"accuracy {search.best_score_:.3f} in cross-validation")

# %%
# What the net makes of every phrase
# ----------------------------------
# Every subtree is classified as if it stood alone: the darker, the more it looks like the type predicted for the sentence.

from sklearn_tree import TreeArray
from sklearn_tree.plot import plot_tree

y_pred = pipe.predict(X_test)
questions = [i for i in range(len(X_test)) if y_pred[i] == y_test[i] == "wh" and 15 < X_test[i].n_nodes < 40]
tree = X_test[questions[0]]
classifier = pipe[-1]
nodes = classifier.predict_nodes(pipe[:-1].transform(TreeArray.from_trees([tree])))
print(nodes[["depth", "prediction", "wh"]].head())

picture = plot_tree(tree, nodes["wh"], caption=f"Predicted: {nodes['prediction'][0]} (wh-question)")
picture

# %%
# In a notebook the last line shows the picture; as a script, it is saved.

if __name__ == "__main__" and "__file__" in globals():
    print("The picture is in", picture.save("quickstart_output.html"))
