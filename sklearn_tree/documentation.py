"""Links from the HTML representation of estimators to the documentation."""

from __future__ import annotations


class DocumentationLinkMixin:
    """Make scikit-learn's HTML representation of an estimator link to the documentation of this package."""

    _doc_link_module = "sklearn_tree"
    _doc_link_template = (
        "https://sklearn-tree.readthedocs.io/en/stable/generated/sklearn_tree.{estimator_name}.html"
    )
