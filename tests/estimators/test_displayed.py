"""Fitted estimators are displayed in notebooks without long computations, large dumps or warnings."""

import re

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    CNNRegressor,
    NetEncoder,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    ToDevice,
    TreeParser,
    TreeVectorizer,
)

TREES, Y = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 10, ["good", "bad"] * 10
TEXTS = [f"a {word} film w{i}" for i, word in enumerate(Y)]
SERIES = np.random.default_rng(0).standard_normal((20, 12, 2)).astype(np.float32)
NUMBERS = np.arange(20.0)


def fit_rnn():
    return RNNClassifier(max_epochs=1, random_state=0).fit(TEXTS, Y)


FITTED = {
    "RecursiveNetClassifier": lambda: RecursiveNetClassifier(max_epochs=1).fit(TREES, Y),
    "RecursiveNetRegressor": lambda: RecursiveNetRegressor(max_epochs=1).fit(TREES, NUMBERS),
    "RNNClassifier": fit_rnn,
    "RNNRegressor": lambda: RNNRegressor(max_epochs=1).fit(SERIES, NUMBERS),
    "CNNClassifier": lambda: CNNClassifier(max_epochs=1).fit(SERIES, Y),
    "CNNRegressor": lambda: CNNRegressor(max_epochs=1).fit(TEXTS, NUMBERS),
    "NetEncoder": lambda: NetEncoder(RNNClassifier(max_epochs=1)).fit(TEXTS, Y),
    "CaptumExplainer": lambda: CaptumExplainer(fit_rnn(), "shapley").fit(TEXTS),
    "SequenceVectorizer": lambda: SequenceVectorizer().fit([f"w{i} v{i}" for i in range(20_000)]),
    "TreeVectorizer": lambda: TreeVectorizer().fit(TREES),
    "TreeParser": lambda: TreeParser("python").fit(["x = 1"]),
    "ToDevice": lambda: ToDevice("cpu").fit(SERIES),
    "Pipeline": lambda: make_pipeline(SequenceVectorizer(), RNNClassifier(max_epochs=1)).fit(TEXTS, Y),
}


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.filterwarnings("error")
def test_a_fitted_estimator_is_displayed_in_little_html(name):
    html = FITTED[name]()._repr_html_()
    assert name in html
    assert len(html) < 200_000


def test_displaying_an_explainer_does_not_explain_anything(monkeypatch):
    explainer = FITTED["CaptumExplainer"]()
    with monkeypatch.context() as context:
        context.setattr(CaptumExplainer, "_attribute", lambda *_: pytest.fail("samples were explained"))
        html = explainer._repr_html_()
    assert explainer.feature_importances_.shape == (len(explainer.vocabulary_),)  # still computed when read
    if "Fitted attributes" in html:  # scikit-learn >= 1.9
        assert ">feature_importances_<" not in _fitted_part(html)
        assert "vocabulary_" in _fitted_part(html)
        assert ">feature_importances_<" in _fitted_part(explainer._repr_html_())


def _fitted_part(html):
    """Return the table of fitted attributes, with links removed."""
    return re.sub(
        r'<span class="param-doc-description".*?</span>|\s',
        "",
        html.split("Fitted attributes")[1],
        flags=re.S,
    )
