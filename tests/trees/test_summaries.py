"""Arrays of trees and sequences show correct summaries, as text and as HTML."""

import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import RaggedArray, SequenceVectorizer, Tree, TreeArray, TreeVectorizer
from sklearn_tree.kinds import PairArray
from sklearn_tree.trees import summaries
from sklearn_tree.trees.summaries import count_distinct, make_histogram, rank_codes

HOSTILE = [
    "</svg><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "&amp;\x00\ud800\x0b",
    "\u202eabc",
]
SERIES = [np.cumsum(np.ones((n, 2)), axis=0) for n in (3, 1, 400)]


def encoded_trees():
    return TreeVectorizer(min_df=2).fit_transform(["(S (A p) (B q))", "(S (A p) r)", "(S p)"])


ARRAYS = {
    "trees": TreeArray.from_trees(["(S (NP I) (VP run))", "(S (VP stop))"]),
    "one node": TreeArray.from_trees(["(a)"]),
    "no trees": TreeArray.from_trees([]),
    "encoded trees": encoded_trees(),
    "a table": TreeArray.from_table(np.array([[1.5, np.nan], [2.0, 3.0]])),
    "edges": TreeArray.from_trees([Tree(["a", "b", "c"], [-1, 0, 0], edges=[None, "x", "x"])]),
    "hostile trees": TreeArray.from_trees([Tree(HOSTILE, [-1, 0, 0, 1], edges=[None, *HOSTILE[1:]])]),
    "wide tree": TreeArray.from_trees([Tree(list(map(str, range(3000))), [-1] + [0] * 2999)]),
    "deep tree": TreeArray.from_trees([Tree(["x"] * 3000, list(range(-1, 2999)))]),
    "sparse ids": TreeArray([2**31 - 1, 5], [0, 1], [0, 2]),
    "texts": RaggedArray.from_sequences([["a", "great", "film"], [], ["dull"]]),
    "hostile texts": RaggedArray.from_sequences([HOSTILE, HOSTILE[:1]]),
    "ids": SequenceVectorizer(min_df=2).fit_transform([["a", "b"], ["a", "c"]]),
    "long text": RaggedArray.from_sequences([["w"] * 5000]),
    "no sequences": RaggedArray.from_sequences([]),
    "empty text": RaggedArray.from_sequences([[]]),
    "series": RaggedArray.from_sequences(SERIES),
    "no steps": RaggedArray(np.zeros((0, 3)), [0, 0, 0]),
    "many channels": RaggedArray.from_sequences([np.ones((5, 30))]),
    "huge numbers": RaggedArray.from_sequences([np.array([[1e308], [-1e308], [0.0]])]),
    "pairs of trees": PairArray(encoded_trees()[[0, 1]], ["<b>", "second"]),
    "pairs of texts": PairArray(RaggedArray.from_sequences([HOSTILE, HOSTILE[:1]])),
    "pairs of images": PairArray(np.zeros((4, 8, 8), dtype=np.float32)),
    "no pairs": PairArray(np.zeros((0, 8))),
}


def text_of(html):
    """Return the text of well-formed HTML without tooltips."""
    root = ElementTree.fromstring(html)
    for parent in root.iter():
        for child in [child for child in parent if child.tag.endswith("title")]:
            parent.remove(child)
    return re.sub(r"\s+", " ", " ".join(root.itertext()))


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.filterwarnings("error")
def test_every_array_is_shown_as_well_formed_html_without_scripts(name):
    array = ARRAYS[name]
    html = array._repr_html_()
    root = ElementTree.fromstring(html)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "img", "link", "style", "foreignObject", "a", "iframe"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {a for a in attributes if a.startswith("on") or a in ("href", "src", "id", "class")}
    assert not re.findall(r"url\(|(?<!xmlns=\")https?://", html)
    assert len(html) < 200_000
    assert repr(array) in text_of(html)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.filterwarnings("error")
def test_every_array_is_written_as_short_lines_and_its_repr_is_one_line(name):
    lines = str(ARRAYS[name]).split("\n")
    assert lines[0] == repr(ARRAYS[name])
    assert max(map(len, lines)) <= 120
    assert len(lines) <= 60


def test_hostile_labels_are_shown_as_text():
    for name in ("hostile trees", "hostile texts", "pairs of texts"):
        assert "<script>alert(1)" in text_of(ARRAYS[name]._repr_html_())  # the parsed text
        assert "<script" not in ARRAYS[name]._repr_html_()


def test_a_summary_of_trees_as_text():
    assert str(ARRAYS["trees"]).splitlines() == [
        "TreeArray(2 trees, 8 nodes)",
        "  vocabulary               6 labels",
        "  nodes per tree           3 to 5, median 4, mean 4  \u2588\u2581\u2588",
        "  height                   2",
        "  children per inner node  1 to 2, median 1, mean 1.2  \u2588\u2583",
        "  labels of inner nodes    S (2), VP (2), NP (1)",
        "  labels of leaves         I (1), run (1), stop (1)",
        "  tree 0: 5 nodes          (S (NP I) (VP run))",
        "  tree 1: 3 nodes          (S (VP stop))",
    ]


def test_shares_of_unknown_ids_values_and_edges_are_counted():
    labels = encoded_trees().labels
    assert f"unknown labels (id 1) {(labels == 1).sum()} nodes" in text_of(
        ARRAYS["encoded trees"]._repr_html_()
    )
    assert "unknown tokens (id 1) 2 steps (50 %)" in text_of(ARRAYS["ids"]._repr_html_())
    assert "values 3 nodes (50 %); 1.5 to 3, mean 2.167" in text_of(ARRAYS["a table"]._repr_html_())
    assert "edge labels 2 edges (100 %)" in text_of(ARRAYS["edges"]._repr_html_())
    assert "unknown" not in text_of(ARRAYS["trees"]._repr_html_())  # control


def test_the_labels_of_inner_nodes_and_of_leaves_are_ranked_apart():
    text = text_of(ARRAYS["trees"]._repr_html_())
    assert "labels of inner nodes S 2 VP 2 NP 1 labels of leaves I 1 run 1 stop 1" in text
    assert "edge labels x 2" in text_of(ARRAYS["edges"]._repr_html_())


def test_channels_of_series_are_described_and_drawn():
    html = ARRAYS["series"]._repr_html_()
    assert "channel 1 1 to 400" in text_of(html)
    assert html.count("<polyline") == 2 * 3
    many = ARRAYS["many channels"]._repr_html_()
    assert many.count("<polyline") == 4
    assert "26 more channels not drawn" in text_of(many)
    assert "further channels 22, not described" in text_of(many)


def test_only_the_first_nodes_of_a_large_tree_are_drawn():
    assert "tree 0: first 1,000 of 3,000 nodes" in text_of(ARRAYS["wide tree"]._repr_html_())
    assert "sequence 0: first 60 of 5,000 steps" in text_of(ARRAYS["long text"]._repr_html_())


@given(st.lists(st.integers(0, 10**6), max_size=200))
def test_a_histogram_counts_every_number_once(numbers):
    numbers = np.array(numbers, dtype=np.int64)
    for found in make_histogram("sizes", numbers):
        ends = np.append(found.starts[1:], numbers.max() + 1)
        expected = [((numbers >= a) & (numbers < b)).sum() for a, b in zip(found.starts, ends)]
        assert found.counts.tolist() == expected
        assert found.counts.sum() == len(numbers)
        assert len(found.counts) <= 24
        assert (found.low, found.high) == (numbers.min(), numbers.max())
    assert len(make_histogram("sizes", numbers)) == bool(len(numbers))


def test_a_single_large_number_does_not_flatten_a_histogram():
    (found,) = make_histogram("sizes", np.r_[np.tile(np.arange(10), 100), 10**6])
    assert len(found.counts) == 11
    assert found.bin_text(10) == "10 to 1,000,000: 1"


@given(st.lists(st.sampled_from([0, 1, 2, 3, 50, 2**30]), min_size=1, max_size=40))
def test_a_ranking_agrees_with_a_counter(codes):
    counter = Counter(code for code in codes if code > 1)
    distinct, counts = count_distinct(np.array(codes))
    assert dict(zip(distinct.tolist(), counts.tolist())) == Counter(codes)
    for ranking in rank_codes("ids", np.array(codes), None, [0, 1]):
        assert dict(zip(map(int, ranking.labels), ranking.counts)) == counter
        assert ranking.counts == sorted(ranking.counts, reverse=True)
        assert ranking.total == counter.total()


def test_a_large_array_is_counted_in_part(monkeypatch):
    array = TreeArray.concatenate([ARRAYS["trees"]] * 50)
    assert "counted" not in str(array)
    monkeypatch.setattr(summaries, "MAX_ROWS", 100)
    assert "counted                  every 4th tree, 25 of 100" in str(array)


def test_arrays_of_tensors_are_shown():
    import torch

    trees = encoded_trees()
    moved = trees.replace(labels=torch.from_numpy(trees.labels))
    assert moved._repr_html_() == trees._repr_html_()
    ids = ARRAYS["ids"]
    assert str(ids.replace(values=torch.from_numpy(ids.values))) == str(ids)
    assert "Tensor of torch.float32, shape (2, 8)" in str(PairArray(torch.zeros(4, 8)))
