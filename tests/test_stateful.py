"""Random sequences of calls: an answer changes only if its cause has changed, and errors are documented ones.

The environment variable SKLEARN_TREE_STEPS sets the number of steps per family, by default 400.
"""

import copy
import os
import pickle

import numpy as np
import pytest
import skorch
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from samples import CLASSIFIERS, REGRESSORS, outputs
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_tree import CaptumExplainer

N_STEPS = int(os.environ.get("SKLEARN_TREE_STEPS", "400"))
STEPS_PER_RUN = 50

TREES = [
    ("S", "it", "works"),
    ("S", "it", ("VP", "fails")),
    ("S", "works"),
    ("it",),
    ("S", ("S", "fails")),
] * 2
TEXTS = ["it works", "it really fails", "works", "", "fails , fails"] * 2
LABELS = np.array(["no", "yes"] * 5)
NUMBERS = np.linspace(-1.0, 1.0, 10)
SMALL = {"hidden_size": 3, "embedding_dim": 3, "max_epochs": 2, "batch_size": 4, "random_state": 0}

# Valid values of parameters, and whether a continued training accepts a change.
VALID = {
    "lr": (0.01, 0.1),
    "dropout": (0.0, 0.5),
    "weight_decay": (0.0, 0.1),
    "optimizer": ("adamw", "sgd", "adagrad"),
    "gradient_clip": (None, 1.0),
    "lr_schedule": (None, "cosine"),
    "early_stopping": (False, True),
    "warm_start": (False, True),
    "batch_size": (4, 100),
    "max_epochs": (1, 2),
    "random_state": (0, 1),
    "hidden_size": (3, 4),
}
INVALID = {
    "lr": (0, True, "fast"),
    "dropout": (1.0, None),
    "optimizer": ("sgdd", print),
    "hidden_size": (0, 2.0, True),
    "callbacks": (["x"],),
    "device": ("gpu",),
    "max_epochs": (0,),
    "net_params": ({"unknown": 1}, {"lr": 1.0}),
}
METHODS = st.sampled_from(["fit", "partial_fit"])
ROWS = st.sampled_from([np.arange(10), np.arange(10)[::-1].copy(), np.arange(6)])
BAD_Y = {"short": lambda y: y[:2], "missing": lambda y: [*y[:-1], None], "scalar": lambda y: 3}


class Interrupt(skorch.callbacks.Callback):
    """Callback that raises in a given batch of a training."""

    def __init__(self, batch):
        self.batch = batch

    def on_batch_end(self, net, **kwargs):
        self.batch -= 1
        if self.batch < 0:
            raise KeyboardInterrupt


def freeze(params):
    """Return parameters as a hashable value."""
    return tuple(sorted((name, repr(value)) for name, value in params.items() if name != "callbacks"))


class FamilyMachine(RuleBasedStateMachine):
    """One estimator, and a model of it: its parameters and the trainings that its state stems from.

    Every answer is recorded with its causes. The record is shared by all runs, so estimators that reach the
    same state on different ways must give the same bits.
    """

    family: tuple
    answers: dict
    n_steps = 0

    @initialize(is_classifier=st.booleans())
    def create(self, is_classifier):
        cls = self.family[not is_classifier]
        self.X = TREES if cls.__name__.startswith("Recursive") else TEXTS
        self.y = LABELS if is_classifier else NUMBERS
        self.net, self.params = cls(**SMALL), cls(**SMALL).get_params()
        self.invalid, self.causes, self.built = set(), (), {}

    # Changes of parameters.

    def change(self, **params):
        self.net.set_params(**params)
        self.params.update(params)

    @rule(data=st.data(), name=st.sampled_from(sorted(VALID)))
    def set_valid(self, data, name):
        self.change(**{name: data.draw(st.sampled_from(VALID[name]))})
        self.invalid.discard(name)

    @precondition(lambda self: not self.invalid)
    @rule(data=st.data(), name=st.sampled_from(sorted(INVALID)), method=METHODS, rows=ROWS)
    def train_with_invalid(self, data, name, method, rows):
        self.change(**{name: data.draw(st.sampled_from(INVALID[name]))})
        self.invalid.add(name)
        self.fit(method, rows)
        if data.draw(st.booleans()):
            self.repair()

    @precondition(lambda self: self.invalid)
    @rule()
    def repair(self):
        defaults = {**type(self.net)().get_params(), **SMALL}
        self.change(**{name: defaults[name] for name in self.invalid})
        self.invalid = set()

    @rule(name=st.sampled_from(["hidden", "max_epoch"]))
    def set_unknown(self, name):
        with pytest.raises(ValueError, match="Invalid parameter"):
            self.net.set_params(**{name: 1})

    # Trainings.

    def is_continued(self, method):
        return bool(self.causes) and (method == "partial_fit" or self.params["warm_start"])

    def train(self, method, rows, y=None):
        """Train on some rows and update the model; return the error of a training that fails."""
        must_stay = self.is_continued(method) and self.built["hidden_size"] != self.params["hidden_size"]
        is_refused = bool(self.invalid) or y is not None or must_stay
        targets = self.y[rows] if y is None else y(self.y[rows])
        try:
            getattr(self.net, method)([self.X[i] for i in rows], targets)
        except (ValueError, TypeError) as error:
            if not is_refused and "diverged" not in str(error):
                raise
            return error
        assert not is_refused
        if not self.is_continued(method):
            self.causes, self.built = (), dict(self.params)
        has_callbacks = bool(self.params["callbacks"])
        self.causes += ((type(self.net), method, rows.tobytes(), freeze(self.params), has_callbacks),)
        return None

    @rule(method=METHODS, rows=ROWS)
    def fit(self, method, rows):
        self.train(method, rows)

    @rule(method=METHODS, rows=ROWS, bad=st.sampled_from(sorted(BAD_Y)))
    def fit_bad_targets(self, method, rows, bad):
        assert self.train(method, rows, BAD_Y[bad]) is not None

    @precondition(lambda self: "callbacks" not in self.invalid)
    @rule(method=METHODS, rows=ROWS, batch=st.integers(0, 7))
    def interrupt(self, method, rows, batch):
        self.change(callbacks=[Interrupt(batch)])
        try:
            self.train(method, rows)
        except KeyboardInterrupt:
            assert not self.invalid
            if not self.causes and hasattr(self.net, "net_"):  # a first fit holds the complete epochs
                self.causes = ((type(self.net), method, rows.tobytes(), freeze(self.params), batch),)
                self.built = dict(self.params)
        self.change(callbacks=None)

    # Copies.

    @rule(is_kept=st.sampled_from([False, False, True]))
    def clone(self, is_kept):
        cloned = clone(self.net)
        with pytest.raises(NotFittedError):
            cloned.predict(self.X)
        if is_kept:
            self.net, self.causes = cloned, ()

    @rule(duplicate=st.sampled_from([copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]))
    def copy(self, duplicate):
        self.net = duplicate(self.net)

    # Answers.

    def check(self, question, answer):
        """Compare an answer with the one that the same causes gave before; its batch size is a cause, too."""
        key = (question, self.causes, self.params["batch_size"])
        expected = self.answers.setdefault(key, answer)
        assert answer == expected, f"another answer to {key}"

    @precondition(lambda self: self.causes)
    @rule(method=st.sampled_from(["occlusion", "saliency"]))
    def explain(self, method):
        explainer = CaptumExplainer(self.net, method, random_state=0).fit(self.X[:3])
        assert explainer.estimator_ is self.net
        self.check(method, explainer.transform(self.X[:3]).tobytes())

    @precondition(lambda self: not self.causes)
    @rule()
    def explain_unfitted(self):
        with pytest.raises(ValueError, match="requires y to be passed"):
            CaptumExplainer(self.net).fit(self.X)

    @precondition(lambda self: self.causes)
    @rule()
    def predict_on_another_kind(self):
        with pytest.raises(ValueError, match="X must be of the kind"):
            self.net.predict(np.ones((2, 3)))

    @invariant()
    def answers_follow_from_their_causes(self):
        type(self).n_steps += 1
        assert repr(self.net.get_params()) == repr(self.params)
        if not self.causes:
            for method in (self.net.predict, self.net.transform):
                with pytest.raises(NotFittedError):
                    method(self.X)
            return
        answer = [
            outputs(self.net, self.X),
            self.net.transform(self.X),
            self.net.net_.history[:, "train_loss"],
        ]
        self.check("predict", [np.asarray(part).tobytes() for part in answer])
        assert self.net.n_iter_ > 0


@pytest.mark.slow
@pytest.mark.parametrize("family", list(zip(CLASSIFIERS, REGRESSORS)), ids=lambda family: family[0].__name__)
def test_answers_follow_from_their_causes(family):
    machine = type(f"{family[0].__name__}Machine", (FamilyMachine,), {"family": family, "answers": {}})
    steps = settings(
        phases=[Phase.explicit, Phase.generate],
        max_examples=max(1, N_STEPS // STEPS_PER_RUN),
        stateful_step_count=STEPS_PER_RUN,
    )
    run_state_machine_as_test(machine, settings=steps)
    assert len(machine.answers) > N_STEPS // 100  # the control: nets were fitted
