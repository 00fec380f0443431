"""scikit-learn's callbacks around a fit."""

import pytest

from sklearn_tree.callbacks import fit_context


class Context:
    """Context that records its calls."""

    def __init__(self):
        self.calls = []

    def call_on_fit_task_begin(self, estimator, **data):
        self.calls.append(("begin", estimator, data))

    def call_on_fit_task_end(self, estimator, reconstruction_attributes, **data):
        self.calls.append(("end", estimator, data))


class Estimator:
    """Estimator with the interface that scikit-learn gives to supporters of callbacks."""

    def _init_callback_context(self, max_subtasks):
        self.context, self.max_subtasks = Context(), max_subtasks
        return self.context


@pytest.mark.parametrize("sample_weight", [None, [1.0]])
def test_the_beginning_and_the_end_of_a_fit_are_reported_with_its_data(sample_weight):
    estimator, X, y = Estimator(), [[0.0]], [1]
    with fit_context(estimator, X, y, sample_weight=sample_weight, n_subtasks=3) as (context, data):
        assert context is estimator.context
        assert estimator.max_subtasks == 3
        assert [name for name, *_ in context.calls] == ["begin"]
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    assert data == {"X": X, "y": y, "metadata": metadata}
    assert context.calls == [("begin", estimator, data), ("end", estimator, data)]


def test_a_failed_fit_does_not_call_the_end_hook():
    estimator = Estimator()
    with pytest.raises(ValueError, match="failed"), fit_context(estimator, [[0.0]]):
        raise ValueError("failed")
    assert [name for name, *_ in estimator.context.calls] == ["begin"]


def test_without_support_for_callbacks_the_context_is_none():
    with fit_context(object(), [[0.0]], [1]) as (context, data):
        assert context is None
        assert data == {"X": [[0.0]], "y": [1], "metadata": None}
