"""scikit-learn's callbacks during the epochs of a fit."""

import numpy as np
import pytest
import skorch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9 has callbacks")


class Recorder:
    """Callback that scores the estimator after each epoch."""

    def __init__(self, stop_at=None):
        self.scores, self.stop_at = [], stop_at

    def setup(self, estimator, context):
        self.torn_down = False

    def teardown(self, estimator, context):
        self.torn_down = True

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) == self.stop_at


def classifier(**params):
    return RecursiveNetClassifier(random_state=0, **{"max_epochs": 8, **params})


def test_each_epoch_is_reported_with_an_estimator_that_can_predict(small_trees):
    trees, y = small_trees
    recorder = Recorder()
    clf = classifier().set_callbacks(recorder).fit(trees, y)
    assert len(recorder.scores) == 8
    assert recorder.scores[-1] == 1.0 > recorder.scores[0]
    assert recorder.torn_down
    plain = classifier().fit(trees, y)
    np.testing.assert_array_equal(clf.predict_proba(trees), plain.predict_proba(trees))


def test_a_callback_that_returns_true_ends_the_training(small_trees):
    trees, y = small_trees
    clf = classifier().set_callbacks(Recorder(stop_at=2)).fit(trees, y)
    assert clf.n_iter_ == 2


def test_callbacks_are_torn_down_after_partial_fit(small_trees):
    trees, y = small_trees
    recorder = Recorder()
    classifier().set_callbacks(recorder).partial_fit(trees, y)
    assert recorder.torn_down
    assert len(recorder.scores) == 1


def test_the_net_does_not_keep_the_bridge(small_trees):
    trees, y = small_trees
    clf = classifier().set_callbacks(Recorder()).fit(trees, y)
    assert "sklearn" not in dict(clf.net_.callbacks_)
    assert clf.net_.train_split is None


def test_an_outer_search_passes_progress_bars_to_the_net(small_trees, capsys):
    pytest.importorskip("rich")
    trees, y = small_trees
    pipe = make_pipeline(TreeVectorizer(), classifier())
    search = GridSearchCV(pipe, {"recursivenetclassifier__hidden_size": [4, 8]}, cv=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(trees, y)
    assert "RecursiveNetClassifier" in capsys.readouterr().out


def test_a_scoring_monitor_receives_each_epoch(small_trees):
    trees, y = small_trees
    monitor = callback.ScoringMonitor(scoring="accuracy")
    clf = classifier().set_callbacks(monitor).fit(trees, y)
    assert clf.n_iter_ == 8
    epochs = monitor.get_logs().data_as_pandas.query("task_name == 'epoch'")
    assert len(epochs) == 8
    assert epochs.accuracy.iloc[-1] == 1.0


def test_a_failed_fit_reports_no_end_and_tears_callbacks_down(small_trees):
    trees, y = small_trees
    ended = []

    class FailingRecorder(Recorder):
        def on_fit_task_end(self, estimator, context):
            ended.append(context.task_name)
            raise RuntimeError("failed")

    recorder = FailingRecorder()
    clf = classifier().set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="failed"):
        clf.fit(trees, y)
    assert ended == ["epoch"]  # not "fit"
    assert recorder.torn_down
    assert not hasattr(clf, "net_")


def test_the_bridge_is_forgotten_after_a_continued_training_that_fails(small_trees):
    trees, y = small_trees
    clf = classifier(max_epochs=1, warm_start=True).set_callbacks(Recorder()).fit(trees, y)

    class Fail(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        clf.set_params(callbacks=[Fail()]).fit(trees, y)
    assert "sklearn" not in dict(clf.net_.callbacks_)


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_stopped_training_equals_a_short_one(small_trees, stop_at):
    trees, y = small_trees
    stopped = classifier().set_callbacks(Recorder(stop_at)).fit(trees, y)
    short = classifier(max_epochs=stop_at).fit(trees, y)
    np.testing.assert_array_equal(stopped.predict_proba(trees), short.predict_proba(trees))


def test_callbacks_see_the_data_of_the_fit(small_trees):
    trees, y = small_trees
    seen = []

    class Spy(Recorder):
        def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
            seen.append((context.task_name, X is trees, y))

    classifier(max_epochs=2).set_callbacks(Spy()).fit(trees, y)
    assert [task for task, _, _ in seen] == ["fit", "epoch", "epoch"]
    assert all(is_same and targets is y for _, is_same, targets in seen)
