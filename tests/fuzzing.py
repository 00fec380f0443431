"""Random mutations of small texts, which a parser must parse or refuse with a ValueError."""

import random

from sklearn_tree import TreeParser

SEEDS = {
    "brackets": ["(S (NP I) (VP run))", "((S (A b)))", r"(\( a\ b \-)", "(3 (2 It) (4 works))"],
    "conllu": [
        "# text = a\n1\tdogs\tdog\tNOUN\tN\t_\t2\tnsubj\t_\t_\n2\trun\trun\tVERB\tV\t_\t0\troot\t_\t_\n",
        "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\t_\t_\t0\troot\t_\t_\n\n1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n",
    ],
    "python": [
        "def f(x, *y):\n    return [x ** 2 for z in y if z]\n",
        "a = b'c' + 'd' * 1e3\n",
        "x: int = {**y}\n",
    ],
    "json": ['{"a": [1, 2.5e3, null], "b": {"name": "x\\u00e9"}}', "[true, false, [[]], {}]", '"a"'],
    "xml": ['<?xml version="1.0"?><a x="1"><b/>text<!-- c --><c>2.5</c></a>', "<n:a xmlns:n='u'>&lt;</n:a>"],
    "html": [
        "<!doctype html><html><head><title>a&amp;b</title><body><p>one<p>two<br><img src=x></html>",
        "<ul class='a b'><li>1<li>2</ul><script>if (a<b) {}</script><table><tr><td>x",
    ],
    "newick": ["((A:0.1,B:0.2)AB:0.3,'C d'[x]:1e-3);", "(,(,),);", "A;"],
    "balanced": ["It's a well-known film, isn't it?", "", "a"],
    "right": ["It's a well-known film, isn't it?", "\u00e9\U0001f600"],
}
SIGNS = [*"()[]{}<>\"'\\/&;:,.=#!-_*?%\0\n\t 0179aeZ\x7f\ud800\u00e9\u2028\U0001f600",
    "<!--", "-->", "<![CDATA[", "<!DOCTYPE", "<!ENTITY", "&#x", "1e999", "\\u", "</", "/>", "lambda", "NaN", "((((", "))))",
]  # fmt: skip


def mutate(seeds, rng):
    """Return a random seed with some pieces replaced, repeated, removed or copied from another seed."""
    text = rng.choice(seeds)
    for _ in range(rng.randint(0, 6)):
        i = rng.randint(0, len(text))
        j = min(len(text), i + rng.randint(0, 8))
        piece = rng.choice([rng.choice(SIGNS), text[i:j] * rng.randint(0, 4), rng.choice(seeds)[i:j], ""])
        text = text[:i] + piece + text[rng.choice([i, j]) :]
    return text


def fuzz(format, n, seed=0):
    """Parse n mutated texts and return how many are valid. Errors other than ValueError are not caught."""
    parse, rng, n_trees = TreeParser(format).transform, random.Random(seed), 0
    for _ in range(n):
        text = mutate(SEEDS[format], rng)
        try:
            trees = parse([text])
        except ValueError as error:
            if not str(error).startswith("X[0]"):
                raise AssertionError(text) from error
            continue
        assert len(trees) == 1, text
        n_trees += 1
    return n_trees
