"""Methods of attribution, and their registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
from torch import Tensor

from sklearn_tree.explain.coalitions import coalition_values
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.request import Attributions, ExplainedBatch, Request
from sklearn_tree.kinds import Kind
from sklearn_tree.validation import NON_NEGATIVE, POSITIVE_INT


def accept(net: ExplainedNet) -> None:
    """Accept every net."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """Method of attribution.

    Attributes
    ----------
    name : str
        Name in ``CaptumExplainer(method=name)``.
    attribute : callable
        Computes the attributions of the positions of an :class:`ExplainedBatch`. It returns a tensor of the
        shape of ``batch.inputs.x``, for embedded positions also without the last axis, or a list with one
        array per sample.
    kinds : tuple of Kind subclasses, default=(Kind,)
        Kinds of samples that the method explains, their subclasses and pairs of them included. Several
        methods may share a name if their kinds differ; the one for the nearest base class of a kind is
        chosen.
    is_stochastic : bool, default=False
        Whether the method draws random numbers. Samples are then explained one by one, so that the draws of a
        sample do not depend on the others.
    has_windows : bool, default=False
        Whether the method removes windows. Samples are then explained one by one if their windows depend on
        the lengths of the others.
    gradient : callable, default=None
        ``gradient(batch, x, x0)`` computes the attributions of whole copies of the rows for other inputs,
        which lets ``noise_tunnel`` average them; None if the method is not a gradient.
    params : tuple of str, default=()
        Names that the method reads from ``method_params``.
    n_evaluations : callable, default=None
        ``n_evaluations(n_groups, params)`` returns how often the net is evaluated for samples with these
        numbers of groups, ndarray of int, shape (n,); None if the number is small.
    complete : {"own", "attributions"} or None, default="own"
        Numbers that the completeness error sums and compares with ``f(x) - f(baseline)``; None for no
        completeness error.
    evaluate : callable, default=coalition_values
        ``evaluate(batch, groups, coalitions)`` computes the explained function of a single sample without
        some of its groups, which are removed as the method removes them. The default replaces them by their
        baselines, see :func:`~sklearn_tree.explain.coalitions.coalition_values`. The metrics call it.
    refuse_nodes : str, default=None
        Reason why the method does not explain single nodes; None if it does.
    refuse : callable, default=accept
        Returns the reason why a net cannot be explained by this method, or None.
    """

    name: str
    attribute: Callable[[Any], Any]
    kinds: tuple[type[Kind], ...] = (Kind,)
    is_stochastic: bool = False
    has_windows: bool = False
    gradient: Callable[[ExplainedBatch, Tensor, Tensor], Tensor] | None = None
    params: tuple[str, ...] = ()
    n_evaluations: Callable[[np.ndarray, Mapping[str, Any]], np.ndarray] | None = None
    complete: Literal["own", "attributions"] | None = "own"
    evaluate: Callable[[ExplainedBatch, Tensor, np.ndarray], np.ndarray] = coalition_values
    refuse_nodes: str | None = None
    refuse: Callable[[ExplainedNet], str | None] = accept

    def chunks(self, request: Request) -> list[np.ndarray]:
        """Return indices of the samples that :meth:`run` explains together."""
        has_windows = self.has_windows and request.view.has_length_dependent_windows(request.encoded)
        return request.chunks(one_by_one=self.is_stochastic or has_windows)

    def run(self, request: Request, rows: np.ndarray) -> Attributions:
        """Explain some samples of a request."""
        batch = request.batch(rows)
        inputs = batch.inputs
        found = self.attribute(batch) if inputs.n_rows else inputs.x.sum(-1)  # trees may have no labels
        own = found if isinstance(found, list) else inputs.split_positions(found)
        return Attributions(
            rows=rows,
            attributions=request.view.accumulate(inputs, own),
            own=own,
            values=batch.values.cpu().numpy(),
            baseline_values=batch.baseline_values.cpu().numpy(),
            targets=batch.objective.names,
        ).times(batch.objective.unit)


_POSITIVE_INTS = ("n_samples", "stride", "window")
_METHODS: dict[str, dict[type[Kind], Method]] = {}
_WRAPPERS: dict[str, Callable[[Method], Method]] = {}


def register_method(method: Method) -> Method:
    """Make a method available to ``CaptumExplainer`` and return it.

    Parameters
    ----------
    method : Method
        The method. It replaces a method with the same name and kind.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> from sklearn_tree.explain.methods import Method, register_method
    >>> def subtract_baseline(batch):
    ...     return batch.inputs.x - batch.inputs.x0
    >>> method = register_method(Method(name="difference_from_baseline", attribute=subtract_baseline))
    >>> net = RNNClassifier(random_state=0).fit([[0.0, 1.0], [1.0, 0.0]] * 10, [0, 1] * 10)
    >>> CaptumExplainer(net, "difference_from_baseline").fit([[0.0, 1.0]]).transform([[0.0, 1.0]]).shape
    (1, 2)
    """
    methods = _METHODS.setdefault(method.name, {})
    for kind in method.kinds:
        methods[kind] = method
    return method


def register_wrapper(name: str, wrap: Callable[[Method], Method]) -> None:
    """Make a wrapper of methods available as ``"name(inner)"``.

    Parameters
    ----------
    name : str
        Name of the wrapper.
    wrap : callable
        Returns the wrapped method.
    """
    _WRAPPERS[name] = wrap


def find_method(name: str, net: ExplainedNet) -> Method:
    """Find a method that explains a net.

    Parameters
    ----------
    name : str
        Name of a method, or ``"noise_tunnel(inner)"``.
    net : ExplainedNet
        The net.

    Raises
    ------
    ValueError
        If the method is unknown or refuses the net; the message gives the reason.
    """
    method = _look_up(name, _kind_of(net))
    reason = method.refuse(net)
    if reason is not None:
        estimator, kind = type(net.estimator).__name__, net.kind.name
        raise ValueError(
            f"method must be one of {method_names(net)} for {estimator} on {kind}, got {name!r}: {reason}"
        )
    return method


def method_names(net: ExplainedNet) -> list[str]:
    """Return the names of the methods that explain a net, sorted; one example for each wrapper."""
    kind = _kind_of(net)
    names = [*_METHODS, *(f"{wrapper}(saliency)" for wrapper in _WRAPPERS)]
    return sorted(name for name in names if _look_up(name, kind).refuse(net) is None)


def check_params(params: Mapping[str, Any]) -> None:
    """Check the parameters of methods.

    Parameters
    ----------
    params : mapping of str to any
        ``method_params`` of the explainer.

    Raises
    ------
    ValueError
        If no method has a parameter of that name, or its value is invalid.
    """
    methods = [method for by_kind in _METHODS.values() for method in by_kind.values()]
    known = {name for method in methods for name in method.params}
    for name, value in params.items():
        if name not in known:
            raise ValueError(f"method_params must hold only {sorted(known)}, got {name!r}")
        if name in _POSITIVE_INTS and not POSITIVE_INT.is_satisfied_by(value):
            raise ValueError(f"method_params[{name!r}] must be an int >= 1, got {value!r}")
    stdevs = params.get("stdevs", 0)
    if not NON_NEGATIVE.is_satisfied_by(stdevs):
        raise ValueError(f"method_params['stdevs'] must be a number >= 0, got {stdevs!r}")
    window, stride = params.get("window"), params.get("stride", 1)
    if window and stride > window:
        raise ValueError(f"method_params['stride'] must be at most the window, {window}, got {stride!r}")


def refused_method(
    name: str, refuse: Callable[[ExplainedNet], str], kinds: tuple[type[Kind], ...] = (Kind,)
) -> Method:
    """Return a method that refuses every net.

    Parameters
    ----------
    name : str
        Name of the method.
    refuse : callable
        Returns the reason.
    kinds : tuple of Kind subclasses, default=(Kind,)
        Kinds of samples that the method refuses.
    """

    def attribute(batch: ExplainedBatch) -> Tensor:
        raise ValueError(f"{name}: {refuse(batch.inputs.net)}")

    return Method(name=name, attribute=attribute, kinds=kinds, refuse=refuse)


def _kind_of(net: ExplainedNet) -> type[Kind]:
    """Return the kind of the samples, for pairs that of both samples."""
    return type(net.kind.item_kind or net.kind)


def _look_up(name: str, kind: type[Kind]) -> Method:
    match = re.fullmatch(r"(\w+)\((\w+)\)", name.replace(" ", ""))
    if match and match[1] in _WRAPPERS:
        return _WRAPPERS[match[1]](_look_up(match[2], kind))
    methods = _METHODS.get(name, {})
    method = next((methods[base] for base in kind.__mro__ if base in methods), None)
    if method is not None:
        return method
    names = sorted({known.name for known in methods})
    if names:
        return refused_method(name, lambda net: f"it is for {' and '.join(names)} only")
    return refused_method(name, lambda net: _explain_unknown(name, net))


def _explain_unknown(name: str, net: ExplainedNet) -> str:
    """Return why an unknown name is refused: the nearest name, and why that is refused if it is."""
    reason, known = "no such method is registered", [*_METHODS, *method_names(net)]
    spelling = "_".join(re.findall("[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+", name)).lower().replace("-", "_")
    nearest = next(iter(get_close_matches(spelling, known, n=1)), None)
    if nearest is None:
        return reason
    refusal = _look_up(nearest, _kind_of(net)).refuse(net)
    return f"{reason}; did you mean {nearest!r}?" + (f" It is refused too: {refusal}" if refusal else "")
