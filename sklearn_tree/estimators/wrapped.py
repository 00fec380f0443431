"""Nets inside pipelines, searches and other estimators."""

from __future__ import annotations

from typing import Any

from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_tree.containers import as_reusable
from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.validation import is_fitted

# Attribute that holds the estimator whose predictions a wrapper returns. Other wrappers are refused, because
# they may predict something else.
_INNER_ESTIMATOR = {
    GridSearchCV.__base__: "best_estimator_",  # the base class of all searches is private
    FrozenEstimator: "estimator",
    TransformedTargetRegressor: "regressor_",
}
_NAMED_PARTS = ("named_transformers_", "named_transformers", "named_estimators_")


def split_estimator(estimator: Any, *, with_transformed_targets: bool = True) -> tuple[list[Any], BaseNet]:
    """Split a fitted estimator into the steps before its net and the net.

    Parameters
    ----------
    estimator : estimator
        Fitted net, or fitted pipeline, search or frozen estimator that ends in a net.
    with_transformed_targets : bool, default=True
        Whether the net may be in a ``TransformedTargetRegressor``, whose predictions are not those of the
        net.

    Returns
    -------
    steps : list of fitted transformers
        The steps, including those of nested pipelines.
    net : BaseNet
        The fitted net.

    Raises
    ------
    TypeError
        If the estimator does not end in a net of this package. The message names a net inside it.
    """
    steps, last = _split(estimator, with_transformed_targets)
    if isinstance(last, BaseNet):
        return steps, last
    path = _find_net(estimator, with_transformed_targets)
    hint = "" if path is None else f"; pass the net inside, {path}, and the samples that it reads"
    raise TypeError(
        "estimator must be a net of sklearn_tree, or a pipeline or refitted search that ends in one, got "
        f"{type(last).__name__}{hint}"
    )


def find_net(estimator: Any) -> BaseNet | None:
    """Return the net in which a fitted estimator ends; None if it ends in another estimator."""
    last = _split(estimator)[1]
    return last if isinstance(last, BaseNet) else None


def apply_steps(steps: list[Any], X: Any) -> tuple[Any, Any]:
    """Transform samples by the steps before a net.

    Parameters
    ----------
    steps : list of fitted transformers
        Return value of :func:`split_estimator`.
    X : samples
        Samples that the first step accepts.

    Returns
    -------
    X : samples
        Samples that the net accepts.
    raw : TreeArray, RaggedArray or None
        Trees or texts that the last vectorizer reads; None without a vectorizer.
    """
    X, raw = as_reusable(X), None
    for step in steps:
        raw = step.read(X) if isinstance(step, BaseVectorizer) else raw
        X = as_reusable(step.transform(X))
    return X, raw


def _split(estimator: Any, with_transformed_targets: bool = True) -> tuple[list[Any], Any]:
    """Return the steps before the last estimator in pipelines and wrappers, and the last estimator."""
    steps: list[Any] = []
    while True:
        if isinstance(estimator, Pipeline):
            steps += _flatten([step for _, step in estimator.steps[:-1]])
            estimator = estimator.steps[-1][1]
        elif isinstance(estimator, TransformedTargetRegressor) and not with_transformed_targets:
            return steps, estimator
        elif (name := _inner_name(estimator)) is not None:
            estimator = getattr(estimator, name)
        else:
            return steps, estimator


def _inner_name(wrapper: Any) -> str | None:
    """Return the name of the attribute that holds the fitted inner estimator of a known wrapper."""
    name = next((name for known, name in _INNER_ESTIMATOR.items() if isinstance(wrapper, known)), "")
    inner = getattr(wrapper, name, None)
    return None if inner is None or not is_fitted(inner) else name


def _flatten(steps: list[Any]) -> list[Any]:
    """Return the transformers, with nested pipelines replaced by their steps."""
    flat, pending = [], steps[::-1]
    while pending:
        step = pending.pop()
        if isinstance(step, Pipeline):
            pending += [inner for _, inner in step.steps][::-1]
        elif step is not None and step != "passthrough":
            flat.append(step)
    return flat


def _find_net(estimator: Any, with_transformed_targets: bool) -> str | None:
    """Return a Python expression for the first fitted part that ends in a net; None if there is none."""
    pending = [("pipe" if isinstance(estimator, Pipeline) else "estimator", estimator)]
    for path, part in pending:  # parts of the part are appended
        last = _split(part, with_transformed_targets)[1]
        if isinstance(last, BaseNet) and is_fitted(last):
            return path
        pending += [(path + suffix, inner) for suffix, inner in _list_parts(part)]
    return None


def _list_parts(estimator: Any) -> list[tuple[str, Any]]:
    """Return the estimators inside an estimator, each with the expression that selects it."""
    if isinstance(estimator, Pipeline):
        return [(f"[{i}]", step) for i, (_, step) in enumerate(estimator.steps)]
    if (name := _inner_name(estimator)) is not None:
        return [(f".{name}", getattr(estimator, name))]
    name = next((name for name in _NAMED_PARTS if hasattr(estimator, name)), None)
    if name is None:
        return []
    return [(f".{name}[{key!r}]", part) for key, part in getattr(estimator, name).items()]
