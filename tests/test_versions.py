"""Versions in pickles."""

import copy
import pickle
import warnings

import pytest
import sklearn
from samples import ESTIMATORS, TABLE, TEXTS, TUPLES, Y, quick
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import sklearn_tree
from sklearn_tree import CaptumExplainer, NetEncoder, SequenceVectorizer, ToDevice, TreeParser, TreeVectorizer
from sklearn_tree.versions import VersionMixin, VersionWarning


def make(cls):
    """Return a fitted instance of a public class."""
    if cls in ESTIMATORS:
        return quick(cls).fit(TABLE, Y)
    if cls is CaptumExplainer:
        return CaptumExplainer(quick(sklearn_tree.RNNClassifier)).fit(TABLE, Y)
    if cls is NetEncoder:
        return NetEncoder(quick(sklearn_tree.RNNClassifier), cv=2).fit(TABLE, Y)
    made = TreeParser("right") if cls is TreeParser else cls()
    return made.fit({TreeVectorizer: TUPLES, ToDevice: TABLE}.get(cls, TEXTS))


PUBLIC = [*ESTIMATORS, CaptumExplainer, NetEncoder, SequenceVectorizer, ToDevice, TreeParser, TreeVectorizer]
VERSIONS = {"_sklearn_version": sklearn.__version__, "_sklearn_tree_version": sklearn_tree.__version__}


def test_every_public_class_with_parameters_stores_its_versions():
    exported = [getattr(sklearn_tree, name) for name in sklearn_tree.__all__]
    assert {cls for cls in exported if hasattr(cls, "get_params")} == set(PUBLIC)
    assert all(issubclass(cls, VersionMixin) for cls in PUBLIC)


def warnings_of_loading(estimator, **versions):
    """Return the warnings of loading an estimator whose pickle has other versions; None removes a version."""
    state = {**estimator.__getstate__(), **versions}
    for name in [name for name, version in versions.items() if version is None]:
        del state[name]
    loaded = object.__new__(type(estimator))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded.__setstate__(state)
    assert vars(loaded).keys() == vars(estimator).keys()
    return [(type(warning.message), str(warning.message)) for warning in caught]


@pytest.mark.parametrize("cls", PUBLIC)
def test_a_pickle_of_another_version_warns(cls):
    estimator = make(cls)
    assert estimator.__getstate__().items() >= VERSIONS.items()
    assert not vars(estimator).keys() & VERSIONS.keys()
    [(category, message)] = warnings_of_loading(estimator, _sklearn_tree_version="0.0.1")
    assert category is VersionWarning
    assert message.startswith(
        f"{cls.__name__} was pickled with sklearn_tree 0.0.1 and is loaded with version"
    )
    [(category, message)] = warnings_of_loading(estimator, _sklearn_version="1.2")
    assert category is InconsistentVersionWarning
    assert f"unpickle estimator {cls.__name__} from version 1.2 when using version" in message
    assert len(warnings_of_loading(estimator, **dict.fromkeys(VERSIONS))) == 2
    assert "sklearn_tree unknown" in warnings_of_loading(estimator, _sklearn_tree_version=None)[0][1]


@pytest.mark.parametrize("cls", PUBLIC)
def test_a_pickle_of_the_same_version_does_not_warn(cls):  # the control: a warning would be an error
    estimator = make(cls)
    assert warnings_of_loading(estimator) == []
    for copied in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator), clone(estimator)):
        assert not vars(copied).keys() & VERSIONS.keys()
        assert repr(copied) == repr(estimator)


def test_the_warning_reaches_the_caller_of_pickle(monkeypatch):
    data = pickle.dumps(TreeVectorizer())
    monkeypatch.setattr(sklearn_tree, "__version__", "99.0")
    with pytest.warns(VersionWarning, match="is loaded with version 99.0"):
        pickle.loads(data)
