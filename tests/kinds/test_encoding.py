"""Samples that a vectorizer has encoded."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from samples import BRACKETS, IDS, TEXTS, object_array

from sklearn_tree import TreeVectorizer
from sklearn_tree.kinds import NotEncodedError, Tokens, Trees


def read(kind, fitted_on, X):
    """Return the warnings of reading samples after a fit on others."""
    fitted = kind("Reader")
    fitted.fit(fitted_on)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.read(X)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("kind", "fitted_on", "X", "n", "row"),
    [
        (Tokens, TEXTS, ["it works", "it xx", "", "xx yy it", "it really xx"], 2, 1),
        (Tokens, TEXTS, [["xx"], ["it"]], 1, 0),
        (Trees, BRACKETS, ["(S it)", "(S xx)", "(Q (R xx) it)", "(S (NP it) (VP xx))"], 2, 1),
    ],
)
def test_samples_of_which_at_least_half_is_unknown_are_counted_in_one_warning(kind, fitted_on, X, n, row):
    (message,) = read(kind, fitted_on, X)
    assert f"unknown in {n} of {len(X)} samples, the first of which is X[{row}]" in message


@pytest.mark.parametrize(
    ("kind", "fitted_on", "X"),
    [
        (Tokens, TEXTS, TEXTS),
        (Tokens, TEXTS, ["", "it really xx"]),
        (Tokens, IDS, [[1, 1], [99]]),
        (Tokens, TEXTS, ["xx", *["it works"] * 10]),
        (Trees, BRACKETS, ["(S (NP it) (VP xx))"]),
        (
            Trees,
            TreeVectorizer().fit_transform(BRACKETS),
            TreeVectorizer().fit(BRACKETS).transform(["(x y)"]),
        ),
    ],
)
def test_known_samples_empty_samples_ids_and_rare_exceptions_give_no_warning(kind, fitted_on, X):
    assert read(kind, fitted_on, X) == []


def test_raw_samples_after_a_fit_on_ids_are_a_special_error():
    for kind, encoded, raw in (
        (Tokens, IDS, TEXTS),
        (Trees, TreeVectorizer().fit_transform(BRACKETS), BRACKETS),
    ):
        with pytest.raises(NotEncodedError, match=r"as in fit, got (texts|raw trees)"):
            read(kind, encoded, raw)
        with pytest.raises(ValueError, match=r"as in fit, got (token ids|encoded trees)") as caught:
            read(kind, raw, encoded)
        assert caught.type is ValueError  # the control


@pytest.mark.parametrize(("kind", "samples"), [(Tokens, TEXTS), (Trees, BRACKETS), (Tokens, IDS)])
def test_the_column_of_a_frame_is_compared_with_that_of_fit(kind, samples):
    frame = pd.DataFrame({"x": samples})
    fitted = kind("Reader")
    fitted.fit(frame)
    restored = kind.from_state(fitted.to_state(), "Reader")
    for one in (fitted, restored):
        assert (one.n_features_in_, one.feature_names_in_.tolist()) == (1, ["x"])
        assert len(one.read(frame)) == len(one.read(samples)) == len(samples)
        with pytest.raises(
            ValueError, match="The feature names should match those that were passed during fit"
        ):
            one.read(frame.rename(columns={"x": "y"}))
        warns = pytest.warns(UserWarning, match="X does not have valid feature names, but Reader was fitted")
        with (
            warns,
            pytest.raises(ValueError, match="X has 2 features, but Reader is expecting 1 features as input"),
        ):
            one.read(two_columns(samples))
    fitted.fit(samples)
    assert not hasattr(fitted, "n_features_in_")
    assert len(fitted.read(frame.rename(columns={"x": "y"}))) == len(samples)  # the control


def two_columns(samples):
    """Return an object array of two equal columns."""
    array = np.empty((len(samples), 2), dtype=object)
    for i, sample in enumerate(samples):
        array[i, 0] = array[i, 1] = sample
    return array


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_texts_and_trees_are_named(missing):
    for kind, X, remedy in (
        (Tokens, TEXTS, 'fill it, e.g. with X.fillna("")'),
        (Tokens, [["a"]], 'fill it, e.g. with X.fillna("")'),
        (Trees, BRACKETS, "leave the row out"),
    ):
        for make in (list, object_array):
            with pytest.raises(ValueError, match=re.escape(f"X[1] is missing ({missing}): {remedy}")):
                kind().fit(make([X[0], missing, X[0]]))
    assert len(TreeVectorizer("json").fit_transform([{"a": 1}, None])) == 2  # the control: null
