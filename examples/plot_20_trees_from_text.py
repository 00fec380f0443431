"""
From raw text to dependency trees
=================================

Who sued whom? "The buyer sued the seller" and "The buyer was sued by the seller" have almost the same words. A parser turns texts into trees that show
who did what, and a recursive net reads the trees. The parser is one step of a pipeline.
"""

# %%
# Sentences
# ---------
# Each sentence has the same three parties and at least two verbs, one of which is "sued". The class is the party that sued. Training sentences have one
# relative clause; the test sentences have one to four.

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
VERBS = ["paid", "called", "helped", "hired", "advised", "visited", "warned", "praised"]


def noun_phrase(n_clauses, parties, verbs, facts):
    """Return a party with nested relative clauses, and append the facts (verb, agent)."""
    party = next(parties)
    if not n_clauses:
        return party, f"the {party}"
    verb, (other, phrase) = verbs.pop(), noun_phrase(n_clauses - 1, parties, verbs, facts)
    agent, clause = [
        (party, f"who {verb} {phrase}"),
        (other, f"who {phrase} {verb}"),
        (other, f"who was {verb} by {phrase}"),
    ][rng.integers(3)]
    facts.append((verb, agent))
    return party, f"the {party} {clause}"


def draw_sentence(n_clauses):
    """Return a sentence with relative clauses, and the party that sued."""
    parties, facts = itertools.cycle(rng.permutation(["buyer", "seller", "bank"]).tolist()), []
    verbs, n_first = rng.permutation(VERBS).tolist(), rng.integers(n_clauses + 1)
    a, first = noun_phrase(n_first, parties, verbs, facts)
    b, second = noun_phrase(n_clauses - n_first, parties, verbs, facts)
    verb, is_passive = verbs.pop(), rng.random() < 0.5
    facts.append((verb, b if is_passive else a))
    sued, agent = facts[rng.integers(len(facts))]
    text = f"{first} was {verb} by {second}" if is_passive else f"{first} {verb} {second}"
    return text.replace(sued, "sued"), agent


def draw_sentences(n_clauses, n, but_not=()):
    """Return n different sentences, none of which is in ``but_not``."""
    drawn = {}
    while len(drawn) < n:
        text, agent = draw_sentence(n_clauses)
        if text not in but_not:
            drawn[text] = agent
    return list(drawn), np.array(list(drawn.values()))


texts, y = draw_sentences(1, 300)
tests = {n: draw_sentences(n, 300, but_not=texts) for n in (1, 2, 3, 4)}
for text, agent in zip(texts[:4], y, strict=False):
    print(f"{text} -> {agent}")

# %%
# A parser
# --------
# With your own texts, you would use the model of spaCy or stanza; see the end of this page. Here, NLTK's chart parser and a small grammar do the same
# for our sentences without a download. The head of a phrase becomes the parent of the other words, and the relation becomes the label of the edge.

from nltk import CFG
from nltk.parse import BottomUpLeftCornerChartParser

parser = BottomUpLeftCornerChartParser(
    CFG.fromstring(f"""
        S -> NP VP
        NP -> Det N | Det N Clause
        Clause -> Who VP | Who NP V
        VP -> V NP | Aux V PP
        PP -> By NP
        Det -> 'the'
        Who -> 'who'
        Aux -> 'was'
        By -> 'by'
        N -> 'buyer' | 'seller' | 'bank'
        V -> 'sued' | {" | ".join(f"'{verb}'" for verb in VERBS)}
    """)
)
HEADS = {"S": ["VP"], "NP": ["N"], "Clause": ["VP", "V"], "VP": ["V"], "PP": ["NP"]}
RELATIONS = {
    "Det": "det",
    "Who": "rel",
    "Aux": "aux:pass",
    "By": "case",
    "Clause": "acl:relcl",
    "PP": "obl:agent",
}


def convert(phrase, relation=None):
    """Return the head of a phrase with its dependents, as a nested dict."""
    if isinstance(phrase[0], str):
        return {"label": phrase[0], "edge": relation, "children": []}
    i = next(i for i, part in enumerate(phrase) if part.label() in HEADS[phrase.label()])
    noun = "obj" if phrase.label() == "VP" else "nsubj"
    parts = [
        convert(part, relation if part is phrase[i] else RELATIONS.get(part.label(), noun)) for part in phrase
    ]
    node = parts[i]
    node["children"] = parts[:i] + node["children"] + parts[i + 1 :]
    return node


def parse(text):
    """Return the dependency tree of a sentence."""
    return convert(next(parser.parse(text.split())))


# %%
# ``TreeParser`` turns the function into a step of a pipeline, which accepts texts.

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, TreeParser

TreeParser(parse).transform(texts[:1])[0]

# %%
# Four models
# -----------
# All learn from 300 sentences with one relative clause. Longer sentences show whether a model has learned what a subject is, or where it usually is.

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

models = {
    "TF-IDF, words": make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)),
    "TF-IDF, up to trigrams": make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LogisticRegression(C=10)),
    "RNN": RNNClassifier(random_state=0),
    "CNN": CNNClassifier(random_state=0),
    "parser and recursive net": make_pipeline(TreeParser(parse), RecursiveNetClassifier(random_state=0)),
}
accuracy = pd.DataFrame(index=list(tests), columns=list(models), dtype=float)
for name, model in models.items():
    model.fit(texts, y)
    accuracy[name] = [model.score(*test) for test in tests.values()]
accuracy.T.round(2)

# %%
# Words without order are at chance, one in three. On sentences like those of the training part, windows of three to five words, which the CNN reads, are nearly as good as trees.
# The trees keep more of their accuracy in longer sentences, where the subject is further away, but not all of it.

ax = accuracy.plot(marker="o", figsize=(7, 3.5))
ax.axhline(1 / 3, color="0.7", linestyle=":", label="chance")
ax.set(
    xlabel="relative clauses (training: 1)",
    ylabel="accuracy on new sentences",
    xticks=accuracy.index,
    ylim=(0, 1.05),
)
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
plt.tight_layout()

# %%
# An explanation
# --------------
# Occlusion removes each subtree in turn. Orange words support the predicted party; blue, dashed ones oppose it.

from sklearn_tree import CaptumExplainer

net = models["parser and recursive net"]
shown, agents = tests[2][0][:2], tests[2][1][:2]
print(*shown, sep="\n")
CaptumExplainer(net).fit(texts).explain(shown, agents)

# %%
# **For your data:** take a parser of your language. ``TreeParser("spacy", model="en_core_web_sm")`` calls spaCy, after ``pip install spacy`` and
# ``python -m spacy download en_core_web_sm``. For stanza, ``nlp = stanza.Pipeline("en")`` writes CoNLL-U, which ``TreeParser("conllu")`` reads:
# ``[f"{nlp(text):C}" for text in texts]``. Parse once and keep the result if you fit several models. Real parsers make mistakes, so compare with
# ``TreeParser("balanced")``, which needs none, and with a CNN on the texts.
