"""Line charts of losses and scores over the epochs of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_history(estimator: Any, ax: Axes | None = None) -> Axes:
    """Draw the losses of a fitted estimator over its epochs, and its validation score if it has one.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator with the attribute ``history_``.
    ax : matplotlib Axes, default=None
        Axes to draw on; None creates a figure.

    Returns
    -------
    matplotlib Axes
        The axes of the losses. The score has its own axis on the right.

    Raises
    ------
    ImportError
        If matplotlib is not installed (``pip install matplotlib``).
    TypeError
        If ``estimator`` has no ``history_``.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetClassifier
    >>> from sklearn_tree.plot import plot_history
    >>> clf = RecursiveNetClassifier(max_epochs=3).fit(["(S a)", "(S b)"], [0, 1])
    >>> plot_history(clf).get_xlabel()
    'epoch'
    """
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError("plot_history requires matplotlib: pip install matplotlib") from error
    if not hasattr(type(estimator), "history_"):
        raise TypeError(f"estimator must have the attribute history_, got {type(estimator).__name__}")
    history = estimator.history_
    if ax is None:
        ax = plt.subplots(figsize=(6, 3.5), layout="constrained")[1]
    for name, style in (("train_loss", "-"), ("valid_loss", "--")):
        if history[name].notna().any():
            ax.plot(history["epoch"], history[name], style, color="C0", label=name)
    ax.set(xlabel="epoch", ylabel="loss")
    lines = list(ax.get_lines())
    if history["valid_score"].notna().any():
        right = ax.twinx()
        lines += right.plot(history["epoch"], history["valid_score"], color="C1", label="valid_score")
        right.set_ylabel("score")
    ax.legend(handles=lines)
    return ax
