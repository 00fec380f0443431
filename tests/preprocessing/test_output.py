"""Transformers whose input or output is not a table."""

import importlib.util

import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_tree import SequenceVectorizer, ToDevice, TreeArray, TreeParser, TreeVectorizer


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
