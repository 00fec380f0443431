"""Pretrained vectors in all estimators: ``embeddings``, ``freeze_embeddings`` and ``embedding_lr``."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from samples import ESTIMATORS, REGRESSORS, outputs, quick
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from vectors_helpers import FakeKeyedVectors, FakeModel, FakeVocab

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    TreeVectorizer,
    predict_nodes,
)

RNG = np.random.RandomState(0)
DIM = 5
GOOD = ["good", "great", "fine", "lovely", "superb"]
BAD = ["bad", "awful", "poor", "dull", "horrid"]
TABLE = {
    **{word: RNG.randn(DIM) * 0.1 + np.eye(DIM)[0] * 2 for word in GOOD},
    **{word: RNG.randn(DIM) * 0.1 - np.eye(DIM)[0] * 2 for word in BAD},
    "it": RNG.randn(DIM),
}
# The last words of both lists do not occur in training.
Y = np.arange(32) % 2
PAIRS = [(GOOD if y else BAD)[i // 2 % 3] for i, y in enumerate(Y)]
TEXTS = [f"it is {word}" for word in PAIRS]
TREES = [f"(S (NP it) (VP is {word}))" for word in PAIRS]
UNSEEN = ["superb", "horrid"]


def is_recursive(cls):
    return cls.__name__.startswith("Recursive")


def samples(cls):
    return TREES if is_recursive(cls) else TEXTS


def sample(cls, word):
    return f"(S (NP it) (VP is {word}))" if is_recursive(cls) else f"it is {word}"


def fit(cls, **params):
    y = Y * 1.0 if cls in REGRESSORS else Y
    return quick(cls, **{"embeddings": TABLE, "max_epochs": 4, "lr": 0.02, **params}).fit(samples(cls), y)


def table(estimator):
    return estimator.net_.module_.embedding.labels.weight.detach().numpy()


@pytest.fixture(params=ESTIMATORS, ids=lambda cls: cls.__name__)
def cls(request):
    return request.param


def test_the_table_starts_with_the_vectors(cls):
    fitted = fit(cls, freeze_embeddings=True)
    vocabulary = fitted.vectorizer_.vocabulary_
    for word in ("it", "good", "dull"):
        if word in vocabulary:
            assert np.allclose(table(fitted)[vocabulary[word]], TABLE[word])
    assert not table(fitted)[:2].any()  # padding and unknown words


def test_words_without_a_vector_start_at_random_with_the_deviation_of_the_vectors():
    words = [f"w{i}" for i in range(500)]
    vectors = {"it": np.r_[3.0, -3.0, np.zeros(48)]}
    for cls in (RNNClassifier, RecursiveNetClassifier):
        X = [" ".join(["it", *words])] if cls is RNNClassifier else [("S", "it", *words)]
        fitted = quick(cls, embeddings=vectors, freeze_embeddings=True).fit(X * 2, [0, 1])
        rest = np.delete(table(fitted), [0, 1, fitted.vectorizer_.vocabulary_["it"]], axis=0)
        assert rest.std() == pytest.approx(vectors["it"].std(), rel=0.03)
        assert len(np.unique(rest, axis=0)) == len(rest)


def test_frozen_vectors_are_kept_and_others_are_trained(cls):
    frozen, trained = fit(cls, freeze_embeddings=True), fit(cls)
    start = frozen.vectorizer_.vocabulary_["good"]
    assert np.allclose(table(frozen)[start], TABLE["good"])
    assert not np.allclose(table(trained)[start], TABLE["good"])  # the control


def test_a_word_seen_at_prediction_only_has_its_vector(cls):
    fitted = fit(cls, freeze_embeddings=True)
    assert not set(UNSEEN) & set(fitted.vectorizer_.vocabulary_)
    known = fit(cls, freeze_embeddings=True, embeddings={**TABLE, "great": TABLE["superb"]})
    same = known.fit(samples(cls), Y * 1.0 if cls in REGRESSORS else Y)
    one, two = (outputs(same, [sample(cls, word)]) for word in ("superb", "great"))
    assert np.allclose(one, two, atol=1e-6)  # equal vectors, of which only one is in the table
    assert not np.allclose(two, outputs(same, [sample(cls, "horrid")]), atol=1e-6)  # the control


def test_classes_of_unseen_words_are_predicted_from_their_vectors():
    for cls in (RecursiveNetClassifier, RNNClassifier, CNNClassifier):
        X = [sample(cls, word) for word in UNSEEN]
        assert fit(cls, max_epochs=20).predict(X).tolist() == [1, 0]


def test_an_unseen_word_has_the_vector_that_it_has_in_the_table():
    for cls, batch in ((RNNClassifier, "labels"), (RecursiveNetClassifier, "labels")):
        fitted = fit(cls, freeze_embeddings=True)
        encoded = fitted.kind_.read([sample(cls, "Superb")])
        x = fitted.net_.module_.embedding(fitted.kind_.batch(encoded, np.array([0])))
        vectors = x.detach().numpy().reshape(-1, DIM)
        assert any(np.allclose(vector, TABLE["superb"]) for vector in vectors)
        assert getattr(fitted.kind_.batch(encoded, np.array([0])), batch).max() == len(table(fitted))


def test_predictions_do_not_depend_on_the_other_samples(cls):
    fitted = fit(cls)
    X = [sample(cls, word) for word in [*UNSEEN, "good", "zzz", "great superb"]]
    separate = np.concatenate([outputs(fitted, [x]) for x in X])
    assert np.allclose(outputs(fitted, X), separate, atol=1e-6)


def test_predictions_change_nothing():
    for cls in (RecursiveNetClassifier, RNNClassifier):
        fitted = fit(cls)
        before = pickle.dumps(fitted)
        fitted.predict([sample(cls, word) for word in UNSEEN])
        assert pickle.dumps(fitted) == before


def test_unseen_words_are_warned_of_only_if_they_have_no_vector():
    fitted = fit(RNNClassifier)
    fitted.predict(["superb horrid"])
    with pytest.warns(UserWarning, match="at least half of the tokens are unknown"):
        fitted.predict(["zzz zzzz"])


@pytest.mark.parametrize("make", [FakeKeyedVectors, FakeVocab, lambda t: (list(t), np.array([*t.values()]))])
def test_all_sources_give_the_same_bits(make):
    for cls in (RecursiveNetClassifier, CNNClassifier):
        X = [sample(cls, word) for word in UNSEEN]
        table32 = {word: vector.astype(np.float32) for word, vector in TABLE.items()}
        expected = fit(cls, embeddings=table32).predict_proba(X)
        assert np.array_equal(fit(cls, embeddings=make(table32)).predict_proba(X), expected)


def test_a_model_is_called_once_in_fit_and_once_in_predict():
    model = FakeModel(TABLE)
    fitted = fit(RNNClassifier, embeddings=model)
    assert [len(call) for call in model.calls] == [len(fitted.vectorizer_.vocabulary_) - 2]
    fitted.predict(["superb superb it zzz"])
    assert [sorted(call) for call in model.calls[1:]] == [["superb", "zzz"]]


def test_the_size_follows_the_vectors_unless_another_is_given():
    assert table(fit(RNNClassifier, embedding_dim=DIM)).shape[1] == DIM
    assert table(fit(RNNClassifier, embeddings=None)).shape[1] == 64
    with pytest.raises(ValueError, match=f"embedding_dim must be None or {DIM}, .* got 64"):
        fit(RNNClassifier, embedding_dim=64)


def test_ids_and_numbers_have_no_words():
    for cls, step, X in (
        (RecursiveNetClassifier, TreeVectorizer(), TREES),
        (RNNClassifier, SequenceVectorizer(), TEXTS),
    ):
        with pytest.raises(ValueError, match=rf"without words: {cls.__name__} finds .* without a vectorizer"):
            make_pipeline(step, quick(cls, embeddings=TABLE)).fit(X, Y)
    with pytest.raises(ValueError, match="embeddings must be None for X of the kind 'table'"):
        quick(CNNClassifier, embeddings=TABLE).fit(RNG.rand(32, 3), Y)


def test_pickles_load_and_know_unseen_words(cls):
    fitted = fit(cls)
    X = [sample(cls, word) for word in UNSEEN]
    loaded = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(outputs(loaded, X), outputs(fitted, X))


def test_pickles_of_models_with_named_vectors_hold_no_source(tmp_path):
    words = [*TABLE, *(f"w{i}" for i in range(5000))]
    vectors = np.vstack([np.array([*TABLE.values()]), RNG.randn(5000, DIM)])
    path = tmp_path / "vectors.txt"
    np.savetxt(path, np.c_[np.array(words, dtype=object), vectors], fmt="%s")
    named = len(pickle.dumps(fit(RNNClassifier, embeddings=str(path))))
    assert named < len(pickle.dumps(fit(RNNClassifier, embeddings=TABLE))) + 1000
    assert named + 100_000 < len(pickle.dumps(fit(RNNClassifier, embeddings=(words, vectors))))  # the control


def test_a_model_without_its_file_knows_trained_words_and_reports_the_file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("".join(f"{word} {' '.join(map(str, v))}\n" for word, v in TABLE.items()))
    fitted = fit(RNNClassifier, embeddings=path)
    path.unlink()
    assert fitted.predict(["it is good"]).shape == (1,)
    with pytest.raises(ValueError, match=r"vectors.txt', which does not exist"):
        fitted.predict(["it is superb"])


def test_embeddings_are_cloned_and_searched():
    assert clone(quick(RNNClassifier, embeddings=TABLE)).embeddings.keys() == TABLE.keys()
    grid = {"embeddings": [None, TABLE], "freeze_embeddings": [False, True]}
    search = GridSearchCV(quick(RNNClassifier), grid, cv=2).fit(TEXTS, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_training_continues_with_the_same_vectors_only():
    fitted = fit(RNNClassifier, warm_start=True, freeze_embeddings=True)
    before = table(fitted).copy()
    fitted.fit(TEXTS, Y)
    assert np.array_equal(table(fitted), before)
    fitted.set_params(freeze_embeddings=False).fit(TEXTS, Y)
    assert not np.array_equal(table(fitted), before)
    for other in (None, dict(TABLE)):
        with pytest.raises(ValueError, match="embeddings must stay the same object or name"):
            fitted.set_params(embeddings=other).fit(TEXTS, Y)
    pickle.loads(pickle.dumps(fitted.set_params(embeddings=TABLE))).fit(TEXTS, Y)


def test_partial_fit_reads_new_words_with_vectors_and_trains_the_rest():
    for cls in (RecursiveNetClassifier, CNNClassifier):
        net = quick(cls, embeddings=TABLE, word_dropout=0.3).partial_fit(samples(cls), Y)
        before = net.net_.module_.head.weight.detach().clone()
        net.partial_fit([sample(cls, word) for word in UNSEEN], [1, 0])
        assert not torch.equal(net.net_.module_.head.weight, before)


def test_make_net_starts_from_the_vectors():
    net = quick(RNNClassifier, embeddings=TABLE, freeze_embeddings=True).make_net(TEXTS, Y)
    ids = SequenceVectorizer().fit(TEXTS)
    net.fit(ids.transform(TEXTS), Y)
    weight = net.module_.embedding.labels.weight.detach().numpy()
    assert np.allclose(weight[ids.vocabulary_["good"]], TABLE["good"])


def test_the_learning_rate_of_the_table_is_its_own():
    small, large = (fit(RNNClassifier, embedding_lr=lr, lr_schedule="cosine") for lr in (1e-9, 0.1))
    good = small.vectorizer_.vocabulary_["good"]
    assert np.allclose(table(small)[good], TABLE["good"], atol=1e-6)
    assert not np.allclose(table(large)[good], TABLE["good"], atol=0.01)  # the control
    same, default = fit(RNNClassifier, embedding_lr=0.02), fit(RNNClassifier)
    assert np.allclose(table(same), table(default), atol=1e-6)


def test_the_learning_rate_of_the_table_may_change_when_training_continues():
    fitted = fit(RNNClassifier, embedding_lr=0.01, warm_start=True)
    before = table(fitted).copy()
    fitted.set_params(embedding_lr=1e-9).fit(TEXTS, Y)
    assert np.allclose(table(fitted), before, atol=1e-5)
    fitted.set_params(embedding_lr=None).fit(TEXTS, Y)
    assert not np.allclose(table(fitted), before, atol=1e-3)


def test_groups_of_net_params_keep_their_learning_rate():
    groups = [("embedding.*", {"lr": 0.0})]
    fitted = fit(RNNClassifier, net_params={"optimizer__param_groups": groups}, weight_decay=0.0)
    assert np.allclose(table(fitted)[fitted.vectorizer_.vocabulary_["good"]], TABLE["good"])


def test_the_learning_rate_of_the_table_joins_the_groups_of_net_params():
    groups = {"optimizer__param_groups": [("head.*", {"lr": 1e-9})]}
    fitted = fit(RNNClassifier, embedding_lr=1e-9, net_params=groups, weight_decay=0.0, warm_start=True)
    good = fitted.vectorizer_.vocabulary_["good"]
    head = fitted.net_.module_.head.weight.detach().clone()
    for expected in (1e-9, 0.1):
        fitted.set_params(embedding_lr=expected).fit(TEXTS, Y)
        rates = [group["lr"] for group in fitted.net_.optimizer_.param_groups]
        assert rates == [expected, 1e-9, fitted.net_.lr]
        assert torch.allclose(fitted.net_.module_.head.weight, head, atol=1e-6)
        assert np.allclose(table(fitted)[good], TABLE["good"], atol=1e-6) == (expected == 1e-9)


def test_frozen_vectors_train_with_sparse_gradients_and_clipping(cls):
    for params in ({"optimizer": "adagrad", "weight_decay": 0.0}, {"gradient_clip": 1.0}):
        fitted = fit(cls, freeze_embeddings=True, **params)
        assert np.isfinite(outputs(fitted, samples(cls)[:2])).all()


def test_unseen_words_are_explained():
    for cls in (RecursiveNetClassifier, RNNClassifier, CNNClassifier):
        fitted = fit(cls, max_epochs=20)
        X = [sample(cls, word) for word in (*UNSEEN, "good")]
        for method in ("auto", "integrated_gradients"):
            explainer = CaptumExplainer(fitted, method=method).fit(X)  # X holds new words
            assert explainer.transform(X).shape[0] == 3
            frame = explainer.explain(X).to_frame()
            top = frame[frame["token"] == "superb"]
            assert len(top) == 1
            assert abs(top["attribution"].iloc[0]) > 1e-3


def test_nodes_with_unseen_words_are_predicted():
    X = [sample(RecursiveNetClassifier, word) for word in UNSEEN]
    fitted = fit(RecursiveNetClassifier, max_epochs=20)
    nodes = predict_nodes(fitted, X)
    assert nodes[nodes["depth"] == 0]["prediction"].tolist() == fitted.predict(X).tolist() == [1, 0]
    assert set(UNSEEN) <= set(nodes["label"])


def test_validation_samples_may_hold_unseen_words():
    net = quick(CNNClassifier, embeddings=TABLE)
    net.fit(TEXTS, Y, X_val=["it is superb", "it is horrid"], y_val=[1, 0])
    assert np.isfinite(net.history_["valid_loss"]).all()


def test_lists_of_vectors_are_series_of_unequal_length():
    X = [np.array([TABLE[word] for word in ("it", word, *["it"] * (i % 3))]) for i, word in enumerate(PAIRS)]
    for cls in (RNNClassifier, CNNClassifier):
        fitted = quick(cls, max_epochs=20).fit(X, Y)
        assert fitted.input_kind_ == "series"
        assert fitted.score(X, Y) == 1


@pytest.mark.filterwarnings("ignore:at least half")
@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_pairs_share_pretrained_vectors(cls):
    pairs = pd.DataFrame({"first": ["red car", "blue bus"] * 6, "second": ["car", "car"] * 6})
    vectors = {word: np.random.RandomState(i).randn(5) for i, word in enumerate(["red", "car", "bus", "van"])}
    params = {"embeddings": vectors, "freeze_embeddings": True, "embedding_lr": 0.001}
    clf = quick(cls, **params).fit(pairs, [1, 0] * 6)
    table = clf.net_.module_.net.embedding.labels.weight.detach().numpy()
    assert any(np.allclose(row, vectors["car"], atol=1e-6) for row in table)
    new, unknown = (pd.DataFrame({"first": [f"red {w}"], "second": ["car"]}) for w in ("van", "zebra"))
    assert not np.allclose(clf.predict_proba(new), clf.predict_proba(unknown))  # a new word has its vector
