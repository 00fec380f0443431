"""
Phrases that make a class
=========================

A single explanation shows why one sentence was classified as it was. ``summary`` collects the attributions of many sentences: which words,
phrases and grammatical rules push each class, how often, and how strongly.
"""

# %%
# A corpus and a net
# ------------------
# GUM holds sentences with parse trees; the task is the type of a sentence: declarative, a fragment, a wh-question, and others.

from sklearn.pipeline import make_pipeline

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, TreeVectorizer
from sklearn_tree.datasets import load_gum

gum = load_gum()
train, test = gum.split == "train", gum.split != "train"
pipe = make_pipeline(TreeVectorizer(min_df=2), RecursiveNetClassifier(max_epochs=4, random_state=0))
pipe.fit(gum.data[train], gum.target[train])
print(f"accuracy {pipe.score(gum.data[test], gum.target[test]):.2f}")

# %%
# The corpus at a glance
# ----------------------
# A "production" is a node with its children. Its number is what the combination adds to the sum of the children. Declarative sentences are
# recognized by ``S → NP-SBJ VP .``, fragments by noun phrases, and wh-questions by ``SBARQ``.

explanations = CaptumExplainer(pipe).fit(gum.data[train]).explain(gum.data[test], gum.target[test])
summary = explanations.summary("production", min_count=3)
summary.plot(5)

# %%
# All occurrences
# ---------------
# Each dot is one occurrence of a production in a declarative sentence.

summary.beeswarm(8, target="decl")

# %%
# Two classes side by side
# ------------------------
# ``contrast`` compares what pushes the sentences of two classes, per sentence.

contrast = explanations.contrast("wh", "decl", features="word")
print(contrast.iloc[[0, 1, 2, -3, -2, -1]].round(2).to_string())

# %%
# What phrases mean as such
# -------------------------
# In its context, a part may push the class that is the opposite of its meaning, as "boring" does in "not boring". ``"node_prediction"`` predicts
# each phrase as a separate tree.

explainer = CaptumExplainer(pipe, "node_prediction").fit(gum.data[train])
phrases = explainer.explain(gum.data[test]).summary("phrase").top(4).to_frame()
print(phrases[["target", "name", "count", "mean"]].round(1).to_string(index=False))

# %%
# **For your data:** for texts, use ``features="word"`` or ``"2-gram"``; for tables, the columns are summarized. ``min_count`` drops rare
# pieces, and the column ``example`` of the frame is a sample to look at: ``explanations[i].plot()``.
