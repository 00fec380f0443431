"""Streams of batches from Parquet files: vocabularies and estimators learn from them in constant memory."""

import gc
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import BRACKETS, TEXTS, TOKENS, TUPLES, Y, quick
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    TreeArray,
    TreeParser,
    TreeVectorizer,
)

JSON = [f'{{"op": "{"add" if y else "mul"}", "args": [{i % 3}, "x"]}}' for i, y in enumerate(Y)]
BATCHES = st.lists(st.lists(st.text("abcd ", max_size=8), min_size=1, max_size=4), min_size=1, max_size=5)
STREAMS = {  # column, parser or None, vectorizer, estimator
    "texts": (pa.array(TEXTS), None, SequenceVectorizer(), RNNClassifier),
    "tokens": (pa.array(TOKENS), None, SequenceVectorizer(), RNNClassifier),
    "brackets": (pa.array(BRACKETS), TreeParser("brackets"), TreeVectorizer(), RecursiveNetClassifier),
    "JSON": (pa.array(JSON), TreeParser("json"), TreeVectorizer(), RecursiveNetClassifier),
    "Arrow trees": (TreeArray.from_trees(TUPLES).to_arrow(), None, TreeVectorizer(), RecursiveNetClassifier),
}


def write(column, path, row_group_size=8):
    """Write a column of samples and their classes to a Parquet file."""
    table = pa.table({"x": column, "y": np.resize(Y, len(column))})
    pa.parquet.write_table(table, path, row_group_size=row_group_size)


def batches(path, size=8, columns=("x", "y")):
    """Yield the batches of a Parquet file."""
    return pa.dataset.dataset(path).to_batches(columns=list(columns), batch_size=size)


@pytest.mark.parametrize("name", STREAMS)
def test_estimators_learn_from_the_batches_of_a_file(name, tmp_path):
    column, parser, vectorizer, cls = STREAMS[name]
    write(column, tmp_path / "x.parquet")
    parse = (lambda X: X) if parser is None else parser.transform
    for batch in batches(tmp_path / "x.parquet", columns=["x"]):
        vectorizer.partial_fit(parse(batch))
    whole = type(vectorizer)().fit(parse(column))
    assert vectorizer.vocabulary_.keys() == whole.vocabulary_.keys()
    net = quick(cls, lr=0.05, hidden_size=16)
    for _ in range(15):
        for batch in batches(tmp_path / "x.parquet"):
            net.partial_fit(vectorizer.transform(parse(batch["x"])), batch["y"], classes=[0, 1])
    X = vectorizer.transform(parse(column))
    assert net.score(X, Y) > 0.95
    assert net.score(X, 1 - Y) < 0.05  # the control


def test_a_table_is_streamed(tmp_path):
    rng = np.random.RandomState(0)
    X = rng.randn(96, 2)
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "y": (X[:, 0] > 0).astype(int)})
    pa.parquet.write_table(table, tmp_path / "x.parquet")
    net = quick(RNNClassifier, lr=0.02)
    for _ in range(20):
        for batch in batches(tmp_path / "x.parquet", 32, ["a", "b", "y"]):
            net.partial_fit(batch.select(["a", "b"]), batch["y"], classes=[0, 1])
    assert net.feature_names_in_.tolist() == ["a", "b"]
    assert net.score(table.select(["a", "b"]), table["y"]) > 0.9
    with pytest.raises(ValueError, match="feature names"):
        net.partial_fit(batch.select(["b", "a"]), batch["y"])


@given(BATCHES, st.sampled_from([1, 2, 3]))
def test_vocabularies_of_batches_have_the_labels_of_one_fit(texts, min_df):
    parts = SequenceVectorizer("chars", min_df=min_df)
    for batch in texts:
        parts.partial_fit(pa.array(batch))
    whole = SequenceVectorizer("chars", min_df=min_df).fit([text for batch in texts for text in batch])
    assert parts.vocabulary_.keys() == whole.vocabulary_.keys()


@given(BATCHES, st.floats(0, 1), st.sampled_from([None, 1, 2]))
def test_vocabularies_of_batches_keep_labels_that_become_rare(texts, min_df, max_features):
    parts = SequenceVectorizer("chars", min_df=min_df, max_features=max_features)
    for batch in texts:
        parts.partial_fit(batch)
    whole = SequenceVectorizer("chars", min_df=min_df).fit([text for batch in texts for text in batch])
    if max_features is None:
        assert parts.vocabulary_.keys() >= whole.vocabulary_.keys()
    else:
        assert len(parts.vocabulary_) <= max_features + 2


def test_a_label_that_becomes_rare_is_the_control_of_equal_vocabularies():
    parts = SequenceVectorizer("chars", min_df=0.5).partial_fit(["a"]).partial_fit(["b", "b"])
    assert "a" in parts.vocabulary_
    assert "a" not in SequenceVectorizer("chars", min_df=0.5).fit(["a", "b", "b"]).vocabulary_
    first = SequenceVectorizer("chars", max_features=1).partial_fit(["a"]).partial_fit(["b", "b"])
    assert "b" not in first.vocabulary_  # although it is more frequent


def peak_of(path, vectorizer, net, kept):
    """Return the peak of the memory that Python and numpy allocate while a file is streamed."""
    gc.collect()
    tracemalloc.start()
    for batch in batches(path, 96):
        encoded = vectorizer.transform(batch["x"])
        net.partial_fit(encoded, batch["y"], classes=[0, 1])
        if kept is not None:
            kept.append([text.split() for text in batch["x"].to_pylist()])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_memory_does_not_depend_on_the_number_of_batches(tmp_path):
    vectorizer = SequenceVectorizer().fit(TEXTS)
    for n in (1, 4):
        write(pa.array([" ".join([text] * 25) for text in TEXTS] * 16 * n), tmp_path / f"{n}.parquet", 96)
    net = quick(RNNClassifier).partial_fit(vectorizer.transform(TEXTS), Y)
    peaks = {}
    for is_kept in (False, True):
        for n in (1, 1, 4):  # the first run fills caches
            kept = [] if is_kept else None
            peaks[is_kept, n] = peak_of(tmp_path / f"{n}.parquet", vectorizer, net, kept)
    assert peaks[False, 4] < 1.2 * peaks[False, 1]
    assert peaks[True, 4] > 1.6 * peaks[True, 1]  # the control


def test_arrow_columns_pass_through_pipelines_and_keep_their_name():
    pipe = make_pipeline(TreeParser("brackets"), TreeVectorizer(), quick(RecursiveNetClassifier))
    table = pa.table({"tree": BRACKETS})
    assert pipe.fit(table, pa.array(Y)).predict(table).shape == (24,)
    assert pipe[0].feature_names_in_.tolist() == ["tree"]
    assert SequenceVectorizer().fit(table).feature_names_in_.tolist() == ["tree"]
    with pytest.raises(ValueError, match="feature names"):
        SequenceVectorizer().fit(table).transform(pa.table({"other": BRACKETS}))


def test_missing_samples_of_arrow_columns_are_named():
    with pytest.raises(ValueError, match=r"X\[1\] is missing"):
        SequenceVectorizer().fit(pa.array(["a", None]))
    with pytest.raises(ValueError, match=r"X\[1\] is missing"):
        TreeVectorizer().fit(
            pa.concat_arrays([STREAMS["Arrow trees"][0][:1], pa.nulls(1, STREAMS["Arrow trees"][0].type)])
        )
