"""The package as a whole: lazy names and documented defaults."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

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
)
from sklearn_tree.datasets import load_gum, make_listops, make_negation
from sklearn_tree.plot import plot_image, plot_importances, plot_series, plot_tokens, plot_tree


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, sklearn_tree; "
        "heavy = ('numpy', 'torch', 'sklearn', 'skorch', 'pandas', 'captum', 'matplotlib'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_estimators_import_neither_captum_nor_matplotlib():
    code = (
        "import sys; from sklearn_tree import RecursiveNetClassifier; "
        "print([m for m in ('captum', 'matplotlib', 'nltk') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_all_public_names_are_there_and_listed():
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
        plot_image,
        plot_importances,
        plot_series,
        plot_tokens,
        make_negation,
        plot_tree,
    ],
)
def test_documented_defaults_are_those_of_the_signature(public):
    text = inspect.getdoc(public)
    section = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
    documented = dict(re.findall(r"^(\w+(?:, \w+)*) : .*default=([^\s,]+)", section, re.M))
    assert documented
    for name, parameter in inspect.signature(public).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            continue
        assert name in documented, f"{name} has no documented default"
        assert documented[name] == repr(parameter.default).replace("'", '"'), name


@pytest.mark.parametrize(
    "cls", [CNNClassifier, RNNRegressor, RecursiveNetClassifier, TreeVectorizer, SequenceVectorizer, ToDevice]
)
def test_the_picture_in_a_notebook_links_to_a_page_that_the_docs_have(cls):
    page = f"sklearn_tree.{cls.__name__}.html"
    assert f'href="https://sklearn-tree.readthedocs.io/en/stable/generated/{page}"' in cls()._repr_html_()
    listed = (Path(__file__).parents[1] / "docs" / "api.rst").read_text()
    assert re.search(rf"^   {cls.__name__}$", listed, re.M)
