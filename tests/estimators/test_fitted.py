"""Fitted attributes."""

from samples import tree_classifier


def test_history_has_one_row_per_epoch(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=3).fit(X, y)
    assert clf.history_.columns.tolist() == ["epoch", "train_loss", "valid_loss", "valid_score", "duration_s"]
    assert clf.history_.epoch.tolist() == [1, 2, 3]
    assert clf.history_.train_loss.is_monotonic_decreasing
    assert clf.history_.valid_loss.isna().all()
    assert (clf.history_.duration_s > 0).all()
    assert clf.n_iter_ == 3
