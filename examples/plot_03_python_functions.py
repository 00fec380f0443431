"""
Verbs in the names of Python functions
======================================

*get, set, is, check, ...*: the first word of a function's name describes what the function does. Can it be predicted from the
syntax tree without the name? The functions are taken from the standard library of the Python version that runs this example.
"""

# %%
# The data
# --------
# Inner nodes are labelled with their syntactic type; leaves are identifiers. Function names, docstrings and decorators are removed.

from sklearn_tree.datasets import load_python_functions

functions = load_python_functions()
is_train = functions.split == "train"
X_train, y_train = functions.data[is_train], functions.target[is_train]
X_test, y_test = functions.data[~is_train], functions.target[~is_train]
print(
    f"{len(X_train)} functions to train on, {len(X_test)} from other files to test, {functions.data.n_nodes} nodes"
)

# %%
# In a notebook, a tree is displayed as a picture.

small = [i for i in range(len(X_test)) if 15 < X_test[i].n_nodes < 30 and y_test[i] == "is"]
X_test[small[0]]

# %%
# A recursive net and a bag of labels
# -----------------------------------
# The bag contains the same types and identifiers as the tree, but not their structure. The informative part of a function may be
# anywhere in its body, so the net pools the vectors of all nodes with attention instead of using only that of the root.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer


def get_labels(tree):
    """Return the labels of a tree."""
    return tree.labels


bag = make_pipeline(CountVectorizer(analyzer=get_labels), MaxAbsScaler(), LogisticRegression(max_iter=1000))
net = make_pipeline(
    TreeVectorizer(min_df=2),
    RecursiveNetClassifier(pooling="attention", lr=0.01, lr_schedule="cosine", max_epochs=6, random_state=0),
)
for name, model in {"bag of labels": bag, "recursive net": net}.items():
    model.fit(X_train, y_train)
    print(f"{name}: accuracy {model.score(X_test, y_test):.3f}")

# %%
# ``benchmarks/trees_accuracy.py`` trains a wider net with dropout for more epochs.
#
# Predictions for every subtree
# -----------------------------
# Every subtree is classified as a separate tree. The darker a node, the higher the probability of the verb predicted for the
# function.

from sklearn_tree import predict_nodes
from sklearn_tree.plot import plot_tree

y_pred = net.predict(X_test)
right = [i for i in range(len(X_test)) if y_pred[i] == y_test[i] == "check" and 20 < X_test[i].n_nodes < 60]
tree = X_test[right[0]]
nodes = predict_nodes(net, [tree])
picture = plot_tree(tree, nodes["check"], caption=f"{functions.function[~is_train][right[0]]}: check")
picture

# %%
# In a notebook, the last line displays the picture. A script saves it:

if __name__ == "__main__" and "__file__" in globals():
    print("Saved", picture.save("python_functions_output.html"))

# %%
# **For your data:** ``TreeParser("python")`` parses the source of functions, ``"json"``, ``"xml"`` and ``"html"`` other documents. Trees of other
# languages come from tree-sitter. Split by project if functions of one project resemble each other.

# sphinx_gallery_thumbnail_path = "figures/thumbnails/function.svg"
