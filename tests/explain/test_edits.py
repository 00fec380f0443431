"""Edits of texts, tokens and trees."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import Tree
from sklearn_tree.explain import Change
from sklearn_tree.explain.edits import TextEditor, TokenEditor, TreeEditor

HOSTILE = "</svg><script>alert(1)</script>"
TREE = Tree(
    ["S", "NP", "I", "VP", "run", ""],
    [-1, 0, 1, 0, 3, 0],
    values=[None, 1, 2, None, 4, 5],
    edges=[None, "a", "b", "c", "d", "e"],
)
OTHER = Tree.from_any("(X (NP (DT the) (NN dog)) (VP sleeps) (VP (VP sleeps)))")


def rebuilt(tree):
    """Return the tree as its constructor builds and checks it."""
    return Tree(tree.labels, tree.parents, values=tree.values, edges=tree.edges)


@given(st.text(alphabet="ab .,!\n'", max_size=30))
def test_a_text_without_edits_is_unchanged(text):
    assert TextEditor(text).apply([]) == text


@pytest.mark.parametrize(
    ("position", "inserted", "expected"),
    [
        (0, None, "a good, film!"),
        (2, None, "Not a, film!"),
        (5, None, "Not a good, film"),
        (1, "the", "Not the good, film!"),
        (3, None, "Not a good film!"),
    ],
)
def test_words_of_a_text_are_replaced_and_deleted_with_their_blank(position, inserted, expected):
    editor = TextEditor("Not a good, film!")
    (edit,) = [e for e in editor.list_edits(["the"]) if e.position == position and e.inserted == inserted]
    assert editor.apply([edit]) == expected


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6))
def test_single_edits_of_tokens_are_all_lists_at_a_distance_of_one(tokens):
    editor = TokenEditor(tokens)
    found = [editor.apply([edit]) for edit in editor.list_edits(["a", "b"])]
    expected = [
        [*tokens[:i], new, *tokens[i + 1 :]] for i, old in enumerate(tokens) for new in "ab" if new != old
    ]
    expected += [tokens[:i] + tokens[i + 1 :] for i in range(len(tokens)) if len(tokens) > 1]
    assert sorted(found) == sorted(expected)


def test_single_edits_of_a_tree_are_valid_and_differ_from_it():
    editor = TreeEditor(TREE, [OTHER])
    edits = editor.list_edits(["dog", "sleeps"])
    changed = [editor.apply([edit]) for edit in edits]
    assert all(tree == rebuilt(tree) != TREE for tree in changed)
    assert all(tree.n_nodes == TREE.n_nodes - e.n_removed + e.n_inserted for tree, e in zip(changed, edits))
    assert editor.apply([]) == TREE
    texts = {str(edit) for edit in edits}
    assert {"I -> dog", "delete I", "S -> NP", "I -> the dog", "run -> sleeps"} <= texts
    assert "delete I run" not in texts  # the whole tree
    assert not any(
        edit.inserted == "dog" and edit.position in (0, 1, 3, 5) for edit in edits
    )  # inner or unlabelled


def test_a_replaced_subtree_keeps_its_edge_label_and_the_other_values():
    editor = TreeEditor(TREE, [OTHER])
    (edit,) = [e for e in editor.list_edits([]) if str(e) == "I -> the dog"]
    changed = editor.apply([edit])
    assert changed.labels == ("S", "NP", "DT", "the", "NN", "dog", "VP", "run", "")
    assert changed.edges == (None, "a", None, None, None, None, "c", "d", "e")
    assert changed.values == (None, None, None, None, None, None, None, 4, 5)


@given(st.data())
def test_several_edits_of_a_tree_commute(data):
    editor = TreeEditor(TREE, [OTHER])
    edits = data.draw(
        st.lists(st.sampled_from(editor.list_edits(["dog"])), min_size=1, max_size=3, unique=True)
    )
    if editor.allows(edits):
        changed = editor.apply(edits)
        assert changed == rebuilt(changed) == editor.apply(edits[::-1])
        rows = np.zeros(TREE.n_nodes, dtype=int)
        for edit in edits:
            rows[edit.position : edit.position + edit.n_removed] += 1
        assert rows.max() == 1
    else:
        assert len(edits) > 1


def test_edits_that_overlap_or_leave_nothing_are_not_allowed():
    editor = TokenEditor(["a", "b"])
    deletions = [e for e in editor.list_edits([]) if e.inserted is None]
    assert editor.allows(deletions[:1])
    assert not editor.allows(deletions)
    tree = TreeEditor(TREE)
    inside, outside = (
        [e for e in tree.list_edits(["x"]) if str(e) == "I -> x"],
        [e for e in tree.list_edits([]) if e.position == 1],
    )
    assert not tree.allows(inside + outside)
    assert tree.allows(inside)


def make_change(editor, edits):
    return Change(
        sample=editor.sample,
        changed=editor.apply(edits),
        edits=tuple(edits),
        prediction_before=HOSTILE,
        prediction_after="positive",
        probability_before=0.981,
        probability_after=0.913,
    )


def test_the_repr_of_a_change_is_readable():
    editor = TextEditor("not a good film")
    edits = [e for e in editor.list_edits(["very"]) if (e.position, e.inserted) in ((0, "very"), (3, None))]
    change = make_change(editor, sorted(edits, key=lambda e: e.position))
    assert repr(change) == f"not -> very, delete film: {HOSTILE} (p = .98) becomes positive (p = .91)"


@pytest.mark.parametrize(
    "editor",
    [
        TextEditor(f"a {HOSTILE} b"),
        TokenEditor(["a", HOSTILE, "\x00"]),
        TreeEditor(Tree([HOSTILE, "b", HOSTILE], [-1, 0, 0])),
    ],
)
def test_a_change_is_drawn_as_escaped_html(editor):
    for edit in editor.list_edits([HOSTILE + "x"]):
        html = make_change(editor, [edit])._repr_html_()
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(html).iter()}
        assert not tags & {"script", "img"}
        assert "<script" not in html


def test_replaced_nodes_are_coloured_in_both_trees():
    editor = TreeEditor(TREE, [OTHER])
    (edit,) = [e for e in editor.list_edits([]) if str(e) == "I -> the dog"]
    html = make_change(editor, [edit])._repr_html_()
    _, before, after = html.split("<svg xmlns")
    assert before.count("<rect") == 2  # NP and I
    assert after.count("<rect") == 5
