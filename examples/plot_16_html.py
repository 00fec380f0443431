"""
Pages of HTML
=============

The structure of a page shows what its words do not: whether a price is in a table of offers, a link in the navigation, or a date in the
head of an article. A recursive net reads the tree of elements, attributes and words.
"""

# %%
# Each page has a heading, a menu and a main part, with words in a ``<table>`` and in paragraphs. A shop has prices in its table;
# an article may mention prices in its text, and have a table without prices.

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, TreeParser, TreeVectorizer

rng = np.random.RandomState(0)
WORDS = [
    "lamp",
    "desk",
    "chair",
    "oak",
    "steel",
    "light",
    "garden",
    "winter",
    "sale",
    "news",
    "report",
    "city",
    "river",
]


def pick(n):
    """Return some words."""
    return " ".join(rng.choice(WORDS, n))


def make_page(is_shop):
    """Return a page with prices in the table, or in a paragraph."""
    prices = [f"{pick(1)} price" for _ in range(rng.randint(1, 4))]
    others = [f"{pick(2)}" for _ in range(rng.randint(1, 4))]
    cells, texts = (prices, others) if is_shop else (others, prices)
    rows = "".join(f"<tr><td>{cell}</td></tr>" for cell in cells)
    paragraphs = "".join(f"<p>{pick(2)} {text} {pick(1)}</p>" for text in texts)
    parts = [f"<table>{rows}</table>", paragraphs]
    rng.shuffle(parts)
    return f"<html><body><h1>{pick(2)}</h1><nav><a href=/>{pick(1)}</a></nav>{''.join(parts)}</body></html>"


is_shop = rng.rand(1200) < 0.5
pages = [make_page(shop) for shop in is_shop]
y = np.where(is_shop, "shop", "article")
print(pages[0])

# %%
# Both models read the same pages. The linear model sees words and tags; the net sees which words are in which element.

words = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2))
models = {
    "TF-IDF of words and tags": make_pipeline(words, LogisticRegression(C=10)),
    "recursive net": make_pipeline(
        TreeParser("html"), TreeVectorizer(split="words"), RecursiveNetClassifier(random_state=0)
    ),
}
for name, model in models.items():
    model.fit(pages[:800], y[:800])
    print(f"{name:26}{model.score(pages[800:], y[800:]):.3f}")

# %%
# The net has learned the rule if the words in the table decide.

explainer = CaptumExplainer(models["recursive net"]).fit(pages[:800])
explainer.explain(pages[800:802], y[800:802])

# %%

summary = explainer.explain(pages[800:1000]).summary("production", min_count=5)
summary.beeswarm(6, target="shop")

# %%
# **For your data:** pass the texts of your pages; broken HTML is read as browsers read it. ``TreeVectorizer(max_nodes=...)`` limits the size of
# large pages, and ``min_df`` drops rare words and addresses.

# sphinx_gallery_thumbnail_path = "figures/thumbnails/page.svg"
