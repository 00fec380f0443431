"""Errors of exports."""

from __future__ import annotations


class NotExportableError(ValueError):
    """A fitted estimator that has no equivalent in the format; the message gives the reason.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetClassifier
    >>> from sklearn_tree.export import NotExportableError, to_torch_export
    >>> trees, y = ["(S it works)", "(S it fails)"] * 20, ["good", "bad"] * 20
    >>> clf = RecursiveNetClassifier(random_state=0).fit(trees, y)
    >>> try:
    ...     to_torch_export(clf, "net.pt2")
    ... except NotExportableError as error:
    ...     print(error)
    to_torch_export requires an RNN or CNN estimator of single samples, ...: use to_onnx
    """
