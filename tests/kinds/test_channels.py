"""Reading, statistics and state that series and images share."""

import json
import warnings

import numpy as np
import pytest
import torch

from sklearn_tree import RaggedArray
from sklearn_tree.kinds import Images, Series

rng = np.random.RandomState(0)
CASES = {
    "dense series": (Series, rng.rand(5, 7, 2)),
    "ragged series": (Series, RaggedArray.from_sequences([rng.rand(3 + i, 2) for i in range(5)])),
    "images": (Images, rng.rand(5, 4, 3, 2).astype(np.float32)),
}


def as_rows(sample):
    return np.asarray(sample).reshape(-1, 2)


@pytest.mark.parametrize(("cls", "X"), CASES.values(), ids=CASES)
def test_statistics_are_those_of_all_steps_or_pixels_of_a_channel(cls, X):
    kind = cls()
    params = kind.module_params(kind.fit(X), None)
    rows = np.concatenate([as_rows(sample) for sample in X])
    np.testing.assert_allclose(params["value_shift"], rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(params["value_scale"], rows.std(axis=0), rtol=1e-6)
    assert (params["n_channels"], params.get("is_image", False)) == (2, cls is Images)
    weighted = kind.module_params(kind.encode(X), np.array([1.0, 0, 0, 0, 0]))
    assert not np.allclose(weighted["value_shift"], params["value_shift"])  # the control


@pytest.mark.parametrize(("cls", "X"), CASES.values(), ids=CASES)
def test_a_restored_kind_refuses_another_number_of_channels(cls, X):
    kind = cls()
    kind.fit(X)
    restored = cls.from_state(json.loads(json.dumps(kind.to_state())))
    assert len(restored.encode(X)) == 5
    wider = [np.repeat(np.asarray(sample), 2, axis=-1) for sample in X]
    with pytest.raises(ValueError, match="X must have 2 channels, as in fit, got 4"):
        restored.encode(wider)
    assert cls().fit(wider) is not None  # the control


WALK = np.cumsum(rng.randn(5, 60, 2), axis=1)
CHANNELS_LAST = {"series": (Series, WALK), "images": (Images, rng.rand(5, 8, 9, 3))}
swapped = pytest.mark.parametrize(("cls", "X"), CHANNELS_LAST.values(), ids=CHANNELS_LAST)
CONTAINERS = [np.asarray, torch.tensor, list, lambda X: [torch.tensor(x) for x in X]]


@swapped
@pytest.mark.parametrize("make", CONTAINERS)
def test_channels_first_are_read_as_the_same_samples(cls, X, make):
    kind, expected = cls("Reader", channels="first"), cls("Reader")
    first = make(np.moveaxis(X, -1, 1).copy())
    encoded, reference = kind.fit(first), expected.fit(make(X))
    if isinstance(reference, RaggedArray):
        assert encoded == reference
    else:
        np.testing.assert_array_equal(np.asarray(encoded), np.asarray(reference))
    restored = cls.from_state(json.loads(json.dumps(kind.to_state())), "Reader")
    for reader in (kind, restored):
        assert reader.read(first).shape == reference.shape
        with pytest.raises(ValueError, match="channels, as in fit, got"):  # the control
            reader.read(make(X))


@swapped
def test_arrays_with_channels_first_are_not_copied(cls, X):
    first = np.moveaxis(X, -1, 1).copy()
    for array in (first, torch.tensor(first)):
        encoded = cls("Reader", channels="first").fit(array)
        array[0, 0, 0] = 7
        assert (encoded[0, 0, ..., 0] == 7).all()


@swapped
@pytest.mark.parametrize("channels", ["first", "last"])
def test_a_warning_names_the_channels_if_they_seem_to_be_on_the_other_axis(cls, X, channels):
    X, other = np.moveaxis(X, -1, 1), {"first": "last", "last": "first"}[channels]
    X = X if channels == "last" else np.moveaxis(X, 1, -1)
    for make in (np.asarray, torch.tensor):
        with pytest.warns(UserWarning, match=f"seem to be {other}: .* pass channels='{other}' to Reader"):
            cls("Reader", channels=channels).fit(make(X))


@pytest.mark.parametrize(
    ("cls", "X"),
    [
        *CHANNELS_LAST.values(),
        (Series, rng.randn(5, 3, 300)),  # word vectors: neighbouring channels are not correlated
        (Series, WALK.swapaxes(1, 2)[:, :, :15]),  # not many more channels than steps
        (Series, np.zeros((5, 1, 100))),
        (Images, rng.rand(5, 3, 8, 3)),
        (Images, rng.rand(5, 4, 1, 8)),
        (Images, rng.rand(5, 8, 9)),
        (Images, rng.rand(5, 8, 9, 12)),
    ],
)
def test_plausible_channels_give_no_warning(cls, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(cls("Reader").fit(X)) == 5
