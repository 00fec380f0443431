"""Functions that summarize arrays of trees and sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.trees.codes import PAD_ID, UNKNOWN_ID
from sklearn_tree.trees.summaries import (
    ArraySummary,
    Sample,
    count_share,
    describe_numbers,
    make_histogram,
    rank_codes,
    thin_out,
    to_host,
)
from sklearn_tree.trees.summary_html import draw_lines, draw_tokens
from sklearn_tree.trees.svg import draw_tree

_MAX_SHOWN_TOKENS, _MAX_SHOWN_CHANNELS, _MAX_WRITTEN_STEPS = 60, 8, 6


def summarize_trees(trees: Any, heads: Any) -> ArraySummary:
    """Summarize an array of trees.

    Parameters
    ----------
    trees : TreeArray
        The trees.
    heads : TreeArray
        The first trees, or their first nodes in preorder, which are drawn.

    Returns
    -------
    ArraySummary
        Numbers of nodes, heights and arities; labels of inner nodes and of leaves; edge labels and values.
    """
    part, facts = thin_out(trees, "tree")
    arities, labels = part.arities, to_host(part.labels)
    facts |= _describe_codes(labels, part.vocabulary, part.n_labels, "node", "label")
    facts |= _describe_values(part.values)
    histograms = [
        *make_histogram("nodes per tree", part.sizes),
        *make_histogram("height", np.maximum.reduceat(part.depths, part.offsets[:-1])),
        *make_histogram("children per inner node", arities[arities > 0]),
    ]
    hidden = _find_hidden(part.vocabulary)
    rankings = [
        *rank_codes("labels of inner nodes", labels[arities > 0], part.vocabulary, hidden),
        *rank_codes("labels of leaves", labels[arities == 0], part.vocabulary, hidden),
    ]
    if part.edges is not None:
        edges = to_host(part.edges)[part.parents >= 0]
        hidden = _find_hidden(part.edge_vocabulary, PAD_ID)
        rankings += rank_codes("edge labels", edges, part.edge_vocabulary, hidden)
        facts["edge labels"] = count_share(int((~np.isin(edges, hidden)).sum()), len(edges), "edge")
    return ArraySummary(
        title=repr(trees),
        facts=facts,
        histograms=histograms,
        rankings=rankings,
        samples=[
            Sample(caption=_caption("tree", i, n, int(size), "node"), text=str(tree), html=draw_tree(tree))
            for i, (tree, n, size) in enumerate(zip(heads, heads.sizes, trees.sizes, strict=False))
        ],
    )


def summarize_sequences(sequences: Any, heads: Any) -> ArraySummary:
    """Summarize an array of sequences.

    Parameters
    ----------
    sequences : RaggedArray
        The sequences.
    heads : RaggedArray
        The first sequences, or their first steps, which are drawn.

    Returns
    -------
    ArraySummary
        Lengths; most frequent tokens of texts and ids; ranges of the channels of series.
    """
    part, facts = thin_out(sequences, "sequence")
    values, rankings = to_host(part.values), []
    if part.is_tokens:
        facts |= _describe_codes(values, part.vocabulary, part.n_labels, "step", "token")
        rankings = rank_codes("tokens", values, part.vocabulary, _find_hidden(part.vocabulary))
    else:
        facts |= _describe_channels(values)
    return ArraySummary(
        title=repr(sequences),
        facts=facts,
        histograms=make_histogram("steps per sequence", part.sizes),
        rankings=rankings,
        samples=[
            _show_sequence(item, _caption("sequence", i, n, int(size), "step"))
            for i, (item, n, size) in enumerate(zip(heads, heads.sizes, sequences.sizes, strict=False))
        ],
    )


def _describe_codes(
    codes: np.ndarray, vocabulary: np.ndarray | None, n_labels: int | None, noun: str, name: str
) -> dict[str, str]:
    """Describe the vocabulary, or the ids with the shares of the reserved ones."""
    n = len(codes)
    if vocabulary is not None:
        empty = int(np.isin(codes, _find_hidden(vocabulary)).sum())
        facts = {"vocabulary": f"{len(vocabulary):,} {name}{'s' * (len(vocabulary) != 1)}"}
        return facts | ({f"without a {name}": count_share(empty, n, noun)} if empty else {})
    facts = {"size of the id space": "unknown" if n_labels is None else f"{n_labels:,} ids"}
    shares = {
        f"without a {name} (id {PAD_ID})": codes == PAD_ID,
        f"unknown {name}s (id {UNKNOWN_ID})": codes == UNKNOWN_ID,
        f"new {name}s with a vector": codes >= (n_labels or np.inf),
    }
    counts = {name: int(mask.sum()) for name, mask in shares.items()}
    kept = {name: count for name, count in counts.items() if count or "unknown" in name}
    return facts | {name: count_share(count, n, noun) for name, count in kept.items()}


def _find_hidden(vocabulary: np.ndarray | None, *ids: int) -> list[int]:
    """Return the codes that are not labels: the empty text, or the reserved ids."""
    if vocabulary is None:
        return list(ids or (PAD_ID, UNKNOWN_ID))
    return [i for i, text in enumerate(vocabulary.tolist()) if text == ""]


def _describe_values(column: Any) -> dict[str, str]:
    """Describe the values of nodes; an empty dict without values."""
    if column is None:
        return {}
    values = to_host(column)
    kept = values[~np.isnan(values)]
    numbers = f"; {describe_numbers(kept)}" if len(kept) else ""
    return {"values": count_share(len(kept), len(values), "node") + numbers}


def _describe_channels(values: np.ndarray) -> dict[str, str]:
    n_channels = values.shape[1]
    facts = {"channels": f"{n_channels:,} of {values.dtype}"}
    shown = range(min(n_channels, _MAX_SHOWN_CHANNELS) if len(values) else 0)
    facts |= {f"channel {i}": describe_numbers(values[:, i]) for i in shown}
    if len(shown) and n_channels > len(shown):
        facts["further channels"] = f"{n_channels - len(shown):,}, not described"
    return facts


def _caption(noun: str, i: int, n_shown: int, size: int, part: str) -> str:
    count = f"{size:,} {part}{'s' * (size != 1)}"
    return f"{noun} {i}: {count}" if n_shown == size else f"{noun} {i}: first {n_shown:,} of {count}"


def _show_sequence(item: Any, caption: str) -> Sample:
    """Write and draw a list of tokens, an array of ids, or a series."""
    if isinstance(item, list) or item.ndim == 1:
        tokens = [str(token) for token in (item if isinstance(item, list) else item.tolist())]
        more = ["\u2026"] if len(tokens) > _MAX_SHOWN_TOKENS else []
        tokens = tokens[:_MAX_SHOWN_TOKENS] + more
        return Sample(caption=caption, text=" ".join(" ".join(tokens).split()), html=draw_tokens(tokens))
    series = to_host(item)
    steps = ["[" + ", ".join(f"{x:.4g}" for x in step[:_MAX_SHOWN_CHANNELS]) + "]" for step in series]
    more = ["\u2026"] if len(steps) > _MAX_WRITTEN_STEPS else []
    return Sample(caption=caption, text=" ".join(steps[:_MAX_WRITTEN_STEPS] + more), html=draw_lines(series))
