"""Vocabularies of labels and tokens."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.preprocessing.vocabulary import (
    Frequencies,
    build_vocabulary,
    invert_vocabulary,
    learn_vocabulary,
    look_up,
    lower,
)

SAMPLES = st.lists(st.lists(st.sampled_from("abcdE"), max_size=6), min_size=1, max_size=6)


def learn(samples, min_df=1, max_features=None, normalize=list, **earlier):
    names = sorted({label for sample in samples for label in sample})
    codes = np.array([names.index(label) for sample in samples for label in sample], dtype=int)
    rows = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
    options = {"min_df": min_df, "max_features": max_features, **earlier}
    return learn_vocabulary(codes, rows, normalize(names), len(samples), **options)


@given(SAMPLES, st.sampled_from([1, 2, 0.0, 0.5, 1.0]), st.sampled_from([None, 1, 3]))
def test_selected_labels_agree_with_counters(samples, min_df, max_features):
    raw, samples = samples, [[label.lower() for label in sample] for sample in samples]
    frequencies = Counter(label for sample in samples for label in set(sample))
    counts = Counter(label for sample in samples for label in sample)
    smallest = min_df if isinstance(min_df, int) else min_df * len(samples)
    kept = [label for label in counts if frequencies[label] >= smallest]
    kept = sorted(kept, key=lambda label: (-counts[label], label))[:max_features]
    expected = build_vocabulary(sorted(kept))
    assert learn(raw, min_df, max_features, lower) == learn(samples, min_df, max_features) == expected


def test_document_frequencies_are_not_counts():  # the control of the law above
    samples = [["a", "a"], ["b"]]
    assert "a" not in learn(samples, min_df=2)
    assert "a" in learn(samples, min_df=1)


def test_more_labels_than_16_bits_are_counted():
    n = (1 << 16) + 1
    names = [f"n{i:06}" for i in range(n)]
    vocabulary = learn_vocabulary(np.arange(n), np.arange(n), names, n, min_df=1, max_features=None)
    assert list(vocabulary)[2:] == names


def test_ids_0_and_1_are_reserved():
    assert build_vocabulary(["b", "<unk>", "a"]) == {"<pad>": 0, "<unk>": 1, "b": 2, "a": 3}
    assert invert_vocabulary(build_vocabulary(["a"])).tolist() == ["", "<unk>", "a"]


def test_reserved_names_do_not_count_towards_the_size():
    samples = [["<pad>", "<pad>", "<unk>", "<unk>", "a"]]
    assert learn(samples, max_features=1) == build_vocabulary(["a"])
    assert learn([["b", "b", "a"]], max_features=1) == build_vocabulary(["b"])  # the control


@given(SAMPLES, st.integers(0, 6), st.sampled_from([1, 2, 0.5]), st.sampled_from([None, 1, 3]))
def test_a_vocabulary_is_extended_by_the_labels_of_all_samples_so_far(samples, n_first, min_df, max_features):
    seen, options = Frequencies(), (min_df, max_features)
    known = learn(samples[:n_first], *options, seen=seen)
    extended = learn(samples[n_first:], *options, known=known, seen=seen)
    assert list(extended)[: len(known)] == list(known)
    assert list(extended.values()) == list(range(len(extended)))
    if max_features is None:
        assert extended.keys() == {**known, **learn(samples, *options)}.keys()
    else:
        assert len(extended) <= max_features + 2


LIMITS = st.sampled_from([(1, None), (2, None), (0.4, None), (1, 2), (2, 3), (0.5, 1)])


@given(st.lists(st.tuples(SAMPLES, LIMITS), min_size=1, max_size=6), st.booleans())
def test_a_selection_among_the_labels_of_a_batch_equals_one_among_all_labels(batches, are_constant):
    seen, slow, known, expected = Frequencies(), Frequencies(), None, None
    for samples, limits in batches:
        limits = batches[0][1] if are_constant else limits
        known = learn(samples, *limits, known=known, seen=seen)
        slow.limits = None  # every label is a candidate
        expected = learn(samples, *limits, known=expected, seen=slow)
        assert known == expected
        assert list(known) == list(expected)


def test_the_candidates_of_a_batch_are_its_labels_unless_the_limits_change():
    seen = Frequencies()
    one, two = np.array([1, 1, 0]), np.array([1])
    assert seen.add(["a", "b", "absent"], one, one, 2, (2, None))[0] == ["a", "b"]
    candidates, documents, counts, n_rows = seen.add(["b"], two, two, 1, (2, None))
    assert (candidates, documents.tolist(), counts.tolist(), n_rows) == (["b"], [2], [2], 3)
    assert seen.add(["b"], two, two, 1, (1, None))[0] == ["a", "b"]  # the control


def test_frequencies_in_earlier_samples_count():
    seen = Frequencies()
    known = learn([["a"], ["b"]], min_df=2, seen=seen)
    assert list(learn([["a"], ["c"]], min_df=2, known=known, seen=seen)) == ["<pad>", "<unk>", "a"]
    assert learn([["a"], ["c"]], min_df=2, known=known) == known  # the control


@pytest.mark.parametrize(("name", "id_"), [("a", 2), ("A", 2), ("x", 1), ("", 0)])
def test_unknown_names_get_id_1_and_empty_ones_0(name, id_):
    assert look_up(lower([name]), build_vocabulary(["a"])).tolist() == [id_]
