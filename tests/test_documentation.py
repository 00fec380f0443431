"""Links from the HTML representation of estimators to the documentation."""

import re
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import sklearn_tree
from sklearn_tree import CaptumExplainer, CNNClassifier, NetEncoder, TreeParser
from sklearn_tree.documentation import DocumentationLinkMixin

API = (Path(__file__).parents[1] / "docs" / "api.rst").read_text()
ESTIMATORS = [
    cls
    for cls in (getattr(sklearn_tree, name) for name in sklearn_tree.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]
ARGUMENTS = {CaptumExplainer: [CNNClassifier()], NetEncoder: [CNNClassifier()], TreeParser: ["json"]}


def find_links(estimator):
    """Return the pages of the documentation of this package to which the HTML representation links."""
    return {*re.findall(r'href="(https://sklearn-tree\.[^"#]*)', estimator._repr_html_())}


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_html_representation_links_to_a_page_of_the_documentation(cls):
    page = f"https://sklearn-tree.readthedocs.io/en/stable/generated/sklearn_tree.{cls.__name__}.html"
    assert page in find_links(cls(*ARGUMENTS.get(cls, ())))
    assert re.search(rf"^   {cls.__name__}$", API, re.M)


def test_estimators_outside_the_package_have_no_link():  # the control of the law above
    class Other(DocumentationLinkMixin, BaseEstimator):
        pass

    assert find_links(Other()) == set()
    Other.__module__ = "sklearn_tree.other"
    assert find_links(Other()) == {
        "https://sklearn-tree.readthedocs.io/en/stable/generated/sklearn_tree.Other.html"
    }
