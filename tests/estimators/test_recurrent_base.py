"""Parameters of recurrent nets."""

import numpy as np
import pytest
from samples import DENSE, IDS, TABLE, TEXTS, WAVES, Y

from sklearn_tree import RNNClassifier
from sklearn_tree.kinds import find_kind


def module_params(X, sample_weight=None, **params):
    """Return the parameters of the module for some samples."""
    clf = RNNClassifier(max_epochs=1, **params).fit(X, Y)
    return clf._module_params(clf.kind_.encode(X), sample_weight)


def test_parameters_reach_the_net():
    own = {"cell": "gru", "n_layers": 2, "bidirectional": False, "pooling": "mean"}
    own |= {"hidden_size": 5, "embedding_dim": 7, "dropout": 0.25, "word_dropout": 0.5}
    params = RNNClassifier(**own).make_net(TEXTS, Y).get_params()
    for name, value in own.items():
        assert params[f"module__{name}"] == value


@pytest.mark.parametrize("weight", [None, np.arange(24)])
def test_the_memory_of_a_series_is_twice_its_weighted_mean_length(weight):
    lengths = list(map(len, WAVES))
    assert module_params(WAVES, weight)["memory"] == pytest.approx(2 * np.average(lengths, weights=weight))
    assert module_params(DENSE)["memory"] == 2 * DENSE.shape[1]
    for X in (TEXTS, TABLE):  # the control: relevant tokens are near
        assert "memory" not in module_params(X)


@pytest.mark.parametrize(
    ("X", "input_kind", "expected"),
    [
        (TEXTS, "text", "tokens"),
        (IDS, "tokens", "tokens"),
        (IDS, "series", "series"),
        (TABLE, "series", "series"),
        (TABLE, "table", "table"),
        (TABLE.astype(int).tolist(), "tokens", "tokens"),
    ],
)
def test_input_kind_is_the_kind_of_all_samples(X, input_kind, expected):
    clf = RNNClassifier(input_kind=input_kind, max_epochs=1).fit(X, Y)
    assert clf.input_kind_ == expected
    assert np.isfinite(clf.predict_proba(X)).all()
    assert find_kind(X, clf._kinds, input_kind) is type(clf.kind_)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"cell": "child_sum_lstm"}, "'cell' parameter of RNNClassifier .* Got 'child_sum_lstm'"),
        ({"n_layers": 0}, "'n_layers' parameter .* Got 0"),
        ({"bidirectional": "yes"}, "'bidirectional' parameter .* Got 'yes'"),
        ({"pooling": "root"}, "'pooling' parameter .* Got 'root'"),
        ({"input_kind": "image"}, "'input_kind' parameter .* Got 'image'"),
    ],
)
def test_invalid_parameters_are_rejected(params, message):
    with pytest.raises(ValueError, match=message):
        RNNClassifier(**params).fit(TEXTS, Y)
