"""Files of ONNX."""

from __future__ import annotations

import os
from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_tree.estimators.wrapped import split_estimator
from sklearn_tree.export.nets import write_net
from sklearn_tree.export.states import estimator_state
from sklearn_tree.export.step import write_step
from sklearn_tree.files import replacing
from sklearn_tree.serve.metadata import KEY, seal, write_metadata


def to_onnx(estimator: Any, path: str | os.PathLike, step_only: bool = False) -> None:
    """Write a fitted estimator to a file of ONNX.

    :class:`~sklearn_tree.serve.OnnxClassifier` and :class:`~sklearn_tree.serve.OnnxRegressor` open the file
    and read the same samples as the estimator. Any other runtime of ONNX can compute the graph, whose inputs
    are encoded samples; the number of samples and their sizes may differ from those in ``fit``.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator of this package, or a pipeline or search that ends in one. Steps before it must be
        :class:`SequenceVectorizer`, :class:`TreeVectorizer` or :class:`TreeParser` without functions.
    path : str or path
        File, which is replaced only after everything has been written.
    step_only : bool, default=False
        Whether to write the computation of one level of trees instead of the whole net, as a graph without
        loops. The caller runs it level by level. The inputs and outputs are those of
        :func:`sklearn_tree.export.step.write_step`.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator does not end in a net of this package.
    NotExportableError
        If a part of the estimator cannot be exported; the message gives the reason.
    ImportError
        If the package onnx is not installed.

    Warns
    -----
    UserWarning
        If the estimator knows pretrained vectors of words outside its vocabulary, which are not written.

    Notes
    -----
    Recurrent and convolutional nets that were trained in double precision are written in single precision,
    because ONNX Runtime has no such layers in double precision. Their inputs are standardized in double
    precision all the same.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_tree import RecursiveNetClassifier
    >>> from sklearn_tree.export import to_onnx
    >>> from sklearn_tree.serve import OnnxClassifier
    >>> trees, y = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 20, ["good", "bad"] * 20
    >>> clf = RecursiveNetClassifier(random_state=0).fit(trees, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(clf, f"{folder}/net.onnx")
    ...     scorer = OnnxClassifier(f"{folder}/net.onnx")
    >>> scorer.predict(["(S (NP she) (VP works))"]).tolist()
    ['good']
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError('to_onnx requires onnx: pip install "sklearn-tree[export]"') from error
    check_is_fitted(estimator)
    steps, net = split_estimator(estimator, with_transformed_targets=False)
    check_is_fitted(net)
    metadata = write_metadata(estimator_state(net, steps))
    module = net.net_.module_
    model = (write_step(module) if step_only else write_net(module)).to_model()
    onnx.helper.set_model_props(model, {KEY: metadata})
    content = seal(model.SerializeToString())
    with replacing(path) as temporary:
        temporary.write_bytes(content)
