"""View of texts."""

import numpy as np
import pandas as pd
import pytest
from explain_helpers import (
    NAMES,
    QUICK,
    TEXTS,
    Y,
    fit_explainer,
    is_complete,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RaggedArray,
    RNNClassifier,
    SequenceVectorizer,
)


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_texts_token_lists_and_ids_are_explained_alike(cls):
    vectorizer = SequenceVectorizer()
    ids = vectorizer.fit_transform(TEXTS)
    clf = cls(**QUICK).fit(ids, NAMES)
    expected = fit_explainer(clf, ids).explain(ids)
    assert set(expected.to_frame().token) <= {str(i) for i in range(2, 20)}
    pipe = make_pipeline(vectorizer, FrozenEstimator(clf))
    texts = fit_explainer(pipe, TEXTS).explain(TEXTS)
    np.testing.assert_array_equal(texts.to_frame().attribution, expected.to_frame().attribution)
    assert texts.to_frame().token[:3].tolist() == ["a", "good", "film"]
    raw = cls(**QUICK).fit(TEXTS, NAMES)
    lists = [text.split() for text in TEXTS]
    of_texts, of_lists = (fit_explainer(raw, X).explain(X).to_frame() for X in (TEXTS, lists))
    pd.testing.assert_frame_equal(of_texts, of_lists)
    np.testing.assert_allclose(of_texts.attribution, expected.to_frame().attribution, atol=1e-6)
    for column in (np.array(TEXTS, dtype=object), pd.Series(TEXTS), pd.DataFrame({"text": TEXTS})):
        pd.testing.assert_frame_equal(fit_explainer(raw, column).explain(column).to_frame(), of_texts)


def test_words_keep_their_names_after_a_step_without_vocabulary():
    pipe = make_pipeline(SequenceVectorizer(), FunctionTransformer(), RNNClassifier(**QUICK)).fit(TEXTS, Y)
    explainer = fit_explainer(pipe, TEXTS)
    assert set(explainer.vocabulary_) == set(" ".join(TEXTS).split())
    assert explainer.explain(TEXTS).to_frame().token[:3].tolist() == ["a", "good", "film"]


def test_lists_of_ids_are_explained():
    ids = [[2, 3, 4], [3], [2, 2], [5, 4]] * 6
    clf = RNNClassifier(**QUICK).fit(ids, Y)
    explainer = fit_explainer(clf, ids)
    assert explainer.get_feature_names_out().tolist() == ["2", "3", "4", "5"]
    more = explainer.explain([[9, 3]])
    assert more.to_frame().token.tolist() == ["9", "3"]
    assert explainer.transform([[9, 3]])[0, [0, 2, 3]].tolist() == [0, 0, 0]
    ragged = RaggedArray.from_sequences(ids)
    np.testing.assert_array_equal(explainer.transform(ragged), explainer.transform(ids))


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.filterwarnings("ignore:at least half of the tokens are unknown")
def test_unseen_words_are_shown_as_written(cls):
    clf = cls(**QUICK).fit(TEXTS, NAMES)
    explainer = fit_explainer(clf, TEXTS)
    frame = explainer.explain(["A Splendid film", "zzz"]).to_frame()
    assert frame.token.tolist() == ["A", "Splendid", "film", "zzz"]
    assert np.isfinite(frame.attribution).all()
    assert "Splendid" in explainer.explain(["A Splendid film"])._repr_html_()
    pipe = make_pipeline(SequenceVectorizer(min_df=5), cls(**QUICK)).fit(TEXTS, NAMES)
    frame = fit_explainer(pipe, TEXTS).explain(["really GOOD"]).to_frame()
    assert frame.token.tolist() == ["really", "GOOD"]


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients", "shapley", "kernel_shap", "lime"])
def test_empty_texts_and_single_words_are_explained(cls, method):
    clf = cls(**QUICK).fit([*TEXTS, "", ""], [*NAMES, "good", "bad"])
    explainer = fit_explainer(clf, TEXTS, method=method, method_params={"n_samples": 8})
    explanations = explainer.explain(["", "good", "", "a good film"])
    assert [len(part) for part in explanations.attributions] == [0, 1, 0, 3]
    assert explanations.completeness_error[[0, 2]].tolist() == [0, 0]
    assert explanations.to_frame()["sample"].tolist() == [1, 3, 3, 3]
    assert not explainer.transform([""]).any()
    assert len(explainer.explain([""]).to_frame()) == 0
    assert "<div" in explainer.explain([""])._repr_html_()


def test_characters_can_be_tokens():
    pipe = make_pipeline(SequenceVectorizer("chars"), CNNClassifier(**QUICK)).fit(TEXTS, NAMES)
    frame = fit_explainer(pipe, TEXTS).explain(["a bad"]).to_frame()
    assert frame.token.tolist() == list("a bad")
    assert frame.position.tolist() == list(range(5))


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_all_recurrent_nets_are_explained(cell, pooling):
    clf = RNNClassifier(cell, pooling=pooling, n_layers=2, **QUICK).fit(TEXTS, NAMES)
    assert is_complete(fit_explainer(clf, TEXTS, method="integrated_gradients").explain(TEXTS[:4]))


def test_words_are_shown_as_written_after_a_nested_pipeline():
    inner = make_pipeline(SequenceVectorizer())
    pipe = make_pipeline(inner, RNNClassifier(hidden_size=4, max_epochs=1, random_state=0))
    pipe.fit(["good film", "bad film"] * 6, [0, 1] * 6)
    frame = CaptumExplainer(pipe).fit(["good"]).explain(["Superb film"]).to_frame()
    assert frame.token.tolist() == ["Superb", "film"]
