"""Reading, statistics and state that series and images share."""

import json

import numpy as np
import pytest

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
