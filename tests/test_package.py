"""Package: lazy imports, public names and documented defaults."""

import inspect
import re
import subprocess
import sys

import pytest

import sklearn_tree
from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    ToDevice,
    TreeParser,
    TreeVectorizer,
    nearest_change,
)
from sklearn_tree.datasets import load_gum, make_listops, make_negation
from sklearn_tree.plot import plot_image, plot_importances, plot_series, plot_tokens, plot_tree


def imported_modules(statement, names):
    """Return the modules among ``names`` that a new interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*[name for name in {names!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return out.stdout.split()


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("numpy", "torch", "sklearn", "skorch", "pandas", "captum", "matplotlib")
    assert imported_modules("import sklearn_tree", heavy) == []
    assert imported_modules("from sklearn_tree import Tree", heavy) == ["numpy"]


def test_estimators_import_neither_captum_nor_matplotlib():
    names = ("captum", "matplotlib", "nltk")
    assert imported_modules("from sklearn_tree import RecursiveNetClassifier", names) == []


def test_all_public_names_can_be_imported_and_are_listed():
    assert set(sklearn_tree.__all__) <= set(dir(sklearn_tree))
    for name in sklearn_tree.__all__:
        assert getattr(sklearn_tree, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sklearn_tree.nothing


@pytest.mark.parametrize(
    "public",
    [
        RecursiveNetClassifier,
        RecursiveNetRegressor,
        RNNClassifier,
        RNNRegressor,
        CNNClassifier,
        CNNRegressor,
        SequenceVectorizer,
        ToDevice,
        TreeParser,
        TreeVectorizer,
        load_gum,
        make_listops,
        nearest_change,
        plot_image,
        plot_importances,
        plot_series,
        plot_tokens,
        make_negation,
        plot_tree,
    ],
)
def test_documented_defaults_equal_those_of_the_signature(public):
    text = inspect.getdoc(public)
    section = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
    documented = dict(re.findall(r"^(\w+(?:, \w+)*) : .*default=([^\s,]+)", section, re.M))
    assert documented
    for name, parameter in inspect.signature(public).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            continue
        assert name in documented, f"{name} has no documented default"
        assert documented[name] == repr(parameter.default).replace("'", '"'), name
