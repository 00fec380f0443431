"""
JSON documents with numbers
===========================

Orders, logs and answers of web services are nested documents: lists of unequal length, missing keys, numbers at any depth. A recursive net reads
them as trees, without a table of engineered columns.
"""

# %%
# Each document is an order with some items. An order is refused if one of its items is both fragile and dear, which no mean over the items
# shows, or if it is sent abroad and has more than three items.

import json

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, TreeVectorizer

rng = np.random.RandomState(0)


def make_order():
    """Return a document and whether it is refused."""
    items = [
        {
            "price": round(float(rng.gamma(2, 20)), 2),
            "fragile": bool(rng.rand() < 0.4),
            "weight": int(rng.randint(1, 9)),
        }
        for _ in range(rng.randint(1, 5))
    ]
    country = str(rng.choice(["home", "abroad"]))
    order = {"customer": {"country": country, "since": int(rng.randint(2001, 2026))}, "items": items}
    is_risky = any(item["fragile"] and item["price"] > 30 for item in items)
    return order, is_risky or (country == "abroad" and len(items) > 3)


orders, y = zip(*(make_order() for _ in range(2000)), strict=True)
y = np.where(y, "refused", "accepted")
print(json.dumps(orders[0], indent=1))

# %%
# ``TreeVectorizer("json")`` makes trees of the documents: keys are labels of nodes or edges, and numbers are values of nodes.

trees = TreeVectorizer("json").read(orders)
trees[0]

# %%
# A table needs columns that somebody has thought of. Here they are the number of items and the means over the items. The net reads the
# documents as they are. Rules that join numbers need more epochs than the default; ``early_stopping`` keeps the best one.

table = np.array(
    [
        [
            len(order["items"]),
            np.mean([item["price"] for item in order["items"]]),
            np.mean([item["fragile"] for item in order["items"]]),
            np.mean([item["weight"] for item in order["items"]]),
            order["customer"]["country"] == "abroad",
            order["customer"]["since"],
        ]
        for order in orders
    ]
)
boosting = HistGradientBoostingClassifier(random_state=0).fit(table[:1500], y[:1500])
net = make_pipeline(
    TreeVectorizer("json"), RecursiveNetClassifier(max_epochs=60, early_stopping=True, random_state=0)
).fit(orders[:1500], y[:1500])
print(f"columns by hand, gradient boosting: {boosting.score(table[1500:], y[1500:]):.3f}")
print(f"documents, recursive net:           {net.score(orders[1500:], y[1500:]):.3f}")

# %%
# An explanation shows which part of a document decided.

refused = [i for i in range(1500, 2000) if y[i] == "refused" and len(orders[i]["items"]) == 2][:2]
CaptumExplainer(net).fit(orders[:1500]).explain([orders[i] for i in refused], y[refused])

# %%

history = net[-1].history_
ax = history.plot(x="epoch", y=["train_loss", "valid_loss"], figsize=(6, 2.5))
ax.set(ylabel="loss")
plt.tight_layout()

# %%
# **For your data:** ``pandas.read_json(..., lines=True)`` or a list of dicts will do. Texts inside documents are split into words by
# ``TreeVectorizer(split="words")``. If good columns are known, gradient boosting on them is faster and as good: compare both.
