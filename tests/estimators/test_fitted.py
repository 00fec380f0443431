"""Fitted attributes."""

import numpy as np
import pytest
from samples import CONTAINERS, Y, quick, tree_classifier
from sklearn.exceptions import NotFittedError

ATTRIBUTES = ("n_features_in_", "feature_names_in_", "n_channels_in_", "vectorizer_")


def test_history_has_one_row_per_epoch(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=3).fit(X, y)
    assert clf.history_.columns.tolist() == ["epoch", "train_loss", "valid_loss", "valid_score", "duration_s"]
    assert clf.history_.epoch.tolist() == [1, 2, 3]
    assert clf.history_.train_loss.is_monotonic_decreasing
    assert clf.history_.valid_loss.isna().all()
    assert (clf.history_.duration_s > 0).all()
    assert clf.n_iter_ == 3


@pytest.mark.parametrize("name", CONTAINERS)
def test_fitted_attributes_exist_only_where_they_have_a_meaning(name):
    sample = CONTAINERS[name]
    net = quick(sample.readers[0], max_epochs=1, **sample.params)
    assert not any(hasattr(net, attribute) for attribute in ATTRIBUTES)
    net.fit(sample.X, Y)
    assert net.input_kind_ == sample.kind
    is_raw = sample.kind in ("trees", "tokens") and not name.startswith("ids") and "encoded" not in name
    has_names = name.endswith("DataFrame") or (name.endswith("Arrow table") and sample.kind != "trees")
    expected = {
        "n_features_in_": sample.kind == "table" or has_names or name.endswith("column"),
        "feature_names_in_": has_names,
        "n_channels_in_": sample.kind in ("series", "images"),
        "vectorizer_": is_raw,
    }
    assert {attribute: hasattr(net, attribute) for attribute in ATTRIBUTES} == expected


def test_vectorizer_raises_a_helpful_error_after_a_fit_on_a_table():
    clf = tree_classifier(max_epochs=1).fit(np.ones((4, 2)), [0, 1, 0, 1])
    with pytest.raises(
        AttributeError, match="RecursiveNetClassifier fits a vectorizer on raw trees and texts only"
    ):
        _ = clf.vectorizer_


def test_the_history_of_an_unfitted_estimator_is_an_error():
    with pytest.raises(NotFittedError):
        _ = tree_classifier().history_


def test_history_has_fixed_dtypes(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=1).fit(X, y)
    assert clf.history_.dtypes.tolist() == [np.int64] + [np.float64] * 4
