"""Transformers whose input or output is not a table."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_tree import (
    RNNClassifier,
    SequenceVectorizer,
    ToDevice,
    TreeArray,
    TreeParser,
    TreeVectorizer,
)

STEPS = [TreeParser("brackets"), TreeVectorizer(), SequenceVectorizer()]
TEXTS = ["(S a)", "(S b)"]


@pytest.mark.parametrize("transformer", [TreeParser("json"), TreeVectorizer(), SequenceVectorizer()])
def test_tags_declare_columns_of_texts(transformer):
    tags = get_tags(transformer)
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.no_validation


def test_set_output_reaches_the_other_steps_of_a_pipeline():
    pipeline = make_pipeline(TreeParser("brackets"), TreeVectorizer()).set_output(transform="pandas")
    assert isinstance(pipeline.fit_transform(["(S a)"]), TreeArray)
    count = FunctionTransformer(lambda array: array.sizes[:, None], feature_names_out=lambda *_: ["n"])
    pipeline = make_pipeline(TreeParser("brackets"), count).set_output(transform="pandas")
    assert isinstance(pipeline.fit_transform(["(S a)"]), pd.DataFrame)  # the control


@pytest.mark.skipif(
    not importlib.util.find_spec("sklearn.callback"), reason="scikit-learn >= 1.9 has callbacks"
)
def test_progress_bars_reach_every_transformer_of_a_pipeline(capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    trees, texts = ["(S a)", "(S b)"], ["a", "b"]
    for steps, X in (([TreeParser("brackets"), TreeVectorizer()], trees), ([SequenceVectorizer()], texts)):
        make_pipeline(*steps, ToDevice("cpu")).set_callbacks(ProgressBar()).fit(X)  # a warning is an error
        shown = capsys.readouterr().out
        assert all(type(step).__name__ in shown for step in [*steps, ToDevice()])
    with pytest.warns(UserWarning, match="FunctionTransformer does not support callbacks"):  # the control
        make_pipeline(FunctionTransformer(), ToDevice("cpu")).set_callbacks(ProgressBar()).fit([[0.0]])


@pytest.mark.parametrize("step", STEPS)
def test_the_column_is_recorded_and_compared_as_in_scikit_learn(step):
    step, frame = clone(step), pd.DataFrame({"text": TEXTS})
    assert step.fit(frame).n_features_in_ == 1
    assert step.feature_names_in_.tolist() == step.get_feature_names_out().tolist() == ["text"]
    step.transform(frame)
    step.transform(frame["text"])
    with pytest.raises(ValueError, match="feature names should match"):
        step.transform(frame.rename(columns={"text": "other"}))
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        step.get_feature_names_out(["other"])
    step.fit(np.array(TEXTS, dtype=object)[:, None])
    assert step.n_features_in_ == 1
    assert step.get_feature_names_out().tolist() == ["x0"]
    assert not hasattr(step, "feature_names_in_")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("container", [list, pd.Series])
def test_columns_without_a_second_axis_have_no_features(step, container):  # the control of the law above
    step = clone(step).fit(pd.DataFrame({"text": TEXTS})).fit(container(TEXTS))
    assert not hasattr(step, "n_features_in_")
    assert not hasattr(step, "feature_names_in_")
    assert step.get_feature_names_out().tolist() == ["x0"]
    assert step.get_feature_names_out(["text"]).tolist() == ["text"]


@pytest.mark.parametrize("step", STEPS)
def test_the_output_is_not_converted_to_a_frame(step):
    expected = clone(step).fit_transform(TEXTS)
    with config_context(transform_output="pandas"):
        assert clone(step).fit_transform(TEXTS) == expected


def test_texts_reach_a_column_transformer_through_a_net():
    X, y = pd.DataFrame({"text": ["good film", "bad film"] * 6, "n": range(12)}), [1, 0] * 6
    net = RNNClassifier(hidden_size=2, embedding_dim=2, max_epochs=1, random_state=0)
    text = make_pipeline(SequenceVectorizer(), net)
    columns = ColumnTransformer([("text", text, "text"), ("n", "passthrough", ["n"])])
    names = columns.set_output(transform="pandas").fit_transform(X, y).columns.tolist()
    assert names == columns.get_feature_names_out().tolist()
    assert names[0].startswith("text__rnnclassifier")
    assert names[-1] == "n__n"
    with pytest.raises(ValueError, match="should be 2D"):  # the control: sequences are not columns of a table
        ColumnTransformer([("text", SequenceVectorizer(), "text")]).fit_transform(X)
