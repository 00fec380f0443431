"""Importances are computed when they are first read, from the first samples of ``fit``."""

import pickle
from contextlib import contextmanager

import numpy as np
import pytest
from explain_helpers import QUICK, TEXTS, Y, each_kind, fit_example, fit_explainer
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch.nn.modules.module import register_module_forward_pre_hook

from sklearn_tree import CaptumExplainer, RNNClassifier
from sklearn_tree.explain.fitted import N_FOR_IMPORTANCES


@contextmanager
def recorded_calls():
    """Record the modules that are called in the block."""
    calls = []
    hook = register_module_forward_pre_hook(lambda module, args: calls.append(module))
    try:
        yield calls
    finally:
        hook.remove()


@each_kind
def test_only_the_first_access_to_the_importances_calls_the_net(kind):
    net, X = fit_example(kind)
    with recorded_calls() as calls:
        explainer = fit_explainer(net, X, method="saliency")
        explainer.get_feature_names_out()
        assert not calls
        importances = explainer.feature_importances_
        n_calls = len(calls)
        assert n_calls > 0  # the control
        assert explainer.feature_importances_ is importances
        assert len(calls) == n_calls
    np.testing.assert_allclose(importances, np.abs(explainer.transform(X)).mean(axis=0), rtol=1e-4, atol=1e-6)


@pytest.fixture
def explainer():
    clf = RNNClassifier(**QUICK).fit(TEXTS, Y)
    return CaptumExplainer(clf, "shapley", method_params={"n_samples": 2}, random_state=0)


def test_a_pickle_before_the_first_access_has_the_same_importances(explainer):
    unread = pickle.dumps(explainer.fit(TEXTS))
    importances = explainer.feature_importances_
    for pickled in (unread, pickle.dumps(explainer)):
        np.testing.assert_array_equal(pickle.loads(pickled).feature_importances_, importances)
    assert len(pickle.dumps(explainer)) < len(unread)  # samples are dropped


def test_a_second_fit_forgets_the_importances(explainer):
    first = explainer.fit(TEXTS).feature_importances_
    assert explainer.fit(TEXTS[:1]).feature_importances_.shape == (3,)
    np.testing.assert_array_equal(explainer.fit(TEXTS).feature_importances_, first)
    assert not hasattr(clone(explainer), "feature_importances_")
    with pytest.raises(NotFittedError, match="CaptumExplainer"):
        clone(explainer).feature_importances_  # noqa: B018


def test_importances_come_from_the_first_samples_only(explainer):
    X = (TEXTS * N_FOR_IMPORTANCES)[:N_FOR_IMPORTANCES] + ["bad"] * 200
    explainer.set_params(method="saliency")
    importances = explainer.fit(X).feature_importances_
    columns = np.abs(explainer.transform(X))
    np.testing.assert_allclose(importances, columns[:N_FOR_IMPORTANCES].mean(axis=0), rtol=1e-4)
    assert not np.allclose(importances, columns.mean(axis=0), rtol=1e-2)  # the control
