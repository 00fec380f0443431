"""
Sentence types from parse trees
===============================

Is a sentence a statement, a question, a command or a fragment? The answer depends on its words and on its *structure*. In this
example, a recursive net reads the gold constituency trees of 4,636 English sentences. It is compared with a linear model on
the same labels, tuned, and applied to every phrase of a sentence.
"""

# %%
# The data
# --------
# ``gum.data`` is a ``TreeArray``, which is indexed and split like a numpy array. Each element is a tree.

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
# The vectorizer maps labels to ids; labels that occur once become "unknown". The progress bar is scikit-learn's (1.9 and later).

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
    print("The progress bar requires scikit-learn >= 1.9")
else:
    pipe.set_callbacks(ProgressBar())
pipe.fit(X_train, y_train)

# %%
# Comparison with a linear model
# ------------------------------
# A bag of labels contains the same words and phrase types, but not their structure.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MaxAbsScaler


def get_labels(tree):
    """Return the labels of a tree."""
    return tree.labels


bag = make_pipeline(
    CountVectorizer(analyzer=get_labels, min_df=2), MaxAbsScaler(), LogisticRegression(max_iter=1000)
).fit(X_train, y_train)

for name, model in {"bag of labels": bag, "recursive net": pipe}.items():
    y_pred = model.predict(X_test)
    f1 = f1_score(y_test, y_pred, average="macro", zero_division=0)
    print(f"{name}: accuracy {accuracy_score(y_test, y_pred):.3f}, macro-F1 {f1:.3f}")

# %%
# Tuning
# ------
# Parameters of all steps can be searched, here with two workers, on a subsample and with two classes: statement or not.

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
# Predictions for every phrase
# ----------------------------
# Every subtree is classified as a separate tree. The darker a node, the higher the probability of the type predicted for the
# sentence.

from sklearn_tree import predict_nodes
from sklearn_tree.plot import plot_tree

y_pred = pipe.predict(X_test)
questions = [i for i in range(len(X_test)) if y_pred[i] == y_test[i] == "wh" and 15 < X_test[i].n_nodes < 40]
tree = X_test[questions[0]]
nodes = predict_nodes(pipe, [tree])
print(nodes[["label", "depth", "prediction", "wh"]].head())

picture = plot_tree(tree, nodes["wh"], caption=f"Predicted: {nodes['prediction'][0]} (wh-question)")
picture

# %%
# In a notebook, the last line displays the picture. A script saves it:

if __name__ == "__main__" and "__file__" in globals():
    print("Saved", picture.save("quickstart_output.html"))

# %%
# **For your data:** replace ``load_gum`` by a list of your trees, in any of the formats of the guide "Trees and their formats", and search ``lr`` and
# ``max_epochs`` before the sizes. Keep the linear model as a comparison.

# sphinx_gallery_thumbnail_path = "figures/thumbnails/question.svg"
