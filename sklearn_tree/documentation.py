"""Where the pages of the documentation are, for the links in notebooks."""

from __future__ import annotations


class DocumentationLinkMixin:
    """Make scikit-learn's HTML picture of an estimator link to this package's pages."""

    _doc_link_module = "sklearn_tree"
    _doc_link_template = (
        "https://sklearn-tree.readthedocs.io/en/stable/generated/sklearn_tree.{estimator_name}.html"
    )
