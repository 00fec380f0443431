"""
What does this function do?
===========================

*get, set, is, check ...*: the first word of a function's name says what it does. Can that be read from its syntax tree, without
the name? The functions are those of the standard library of the Python that runs this page.
"""

# %%
# The data
# --------
# Nodes are labelled with the type of their syntax, identifiers are leaves. Names, docstrings and decorators are taken away.

from sklearn_tree.datasets import load_python_functions

functions = load_python_functions()
is_train = functions.split == "train"
X_train, y_train = functions.data[is_train], functions.target[is_train]
X_test, y_test = functions.data[~is_train], functions.target[~is_train]
print(
    f"{len(X_train)} functions to train on, {len(X_test)} from other files to test, {functions.data.n_nodes} nodes"
)

# %%
# A tree draws itself.

small = [i for i in range(len(X_test)) if 15 < X_test[i].n_nodes < 30 and y_test[i] == "is"]
X_test[small[0]]

# %%
# A recursive net beside a bag of labels
# --------------------------------------
# The bag holds the same types and identifiers as the tree, but not what belongs to what. What a function does may stand
# anywhere in it, so the net reads the vectors of all nodes, weighted by attention, rather than the root's alone.

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer


def labels_of(tree):
    """The labels of a tree, as a bag."""
    return tree.labels


bag = make_pipeline(CountVectorizer(analyzer=labels_of), MaxAbsScaler(), LogisticRegression(max_iter=1000))
net = make_pipeline(
    TreeVectorizer(min_df=2),
    RecursiveNetClassifier(pooling="attention", lr=0.01, lr_schedule="cosine", max_epochs=6, random_state=0),
)
for name, model in {"bag of labels": bag, "recursive net": net}.items():
    model.fit(X_train, y_train)
    print(f"{name}: accuracy {model.score(X_test, y_test):.3f}")

# %%
# ``benchmarks/trees_accuracy.py`` trains a wider net for longer, with dropout.
#
# What the net sees where
# -----------------------
# Every subtree is classified as if it stood alone: the darker, the more it looks like the verb predicted for the function.

from sklearn_tree import TreeArray
from sklearn_tree.plot import plot_tree

y_pred = net.predict(X_test)
right = [i for i in range(len(X_test)) if y_pred[i] == y_test[i] == "check" and 20 < X_test[i].n_nodes < 60]
tree = X_test[right[0]]
nodes = net[-1].predict_nodes(net[:-1].transform(TreeArray.from_trees([tree])))
picture = plot_tree(tree, nodes["check"], caption=f"{functions.function[~is_train][right[0]]}: check")
picture

# %%
# In a notebook the last line shows the picture; as a script, it is saved.

if __name__ == "__main__" and "__file__" in globals():
    print("The picture is in", picture.save("python_functions_output.html"))
