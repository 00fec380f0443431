"""Base class of the kinds of targets."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.utils.validation import check_array
from torch import Tensor

from sklearn_tree.containers import refuse_unreadable, to_numpy
from sklearn_tree.estimators.objective import Objective
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.missing import first_missing, without_nullable_types


class Target:
    """Base class of the kinds of targets: how y becomes numbers and outputs become predictions.

    An instance holds what was learned from the training targets.

    Attributes
    ----------
    name : str
        Name of the kind, for error messages.
    criterion : type of nn.Module
        Loss of the net's outputs and the encoded targets.
    """

    name: ClassVar[str]
    criterion: ClassVar[type[torch.nn.Module]]
    _fitted: ClassVar[tuple[str, ...]]  # attributes that ``fit`` sets

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the net."""
        raise NotImplementedError

    @property
    def criterion_params(self) -> dict[str, Any]:
        """Parameters of the loss."""
        return {}

    def fit(
        self, y: np.ndarray, *, classes: Any = None, sample_weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Learn the encoding from the training targets and return the encoded targets.

        Parameters
        ----------
        y : array-like, shape (n_samples,) or (n_samples, n_columns)
            Training targets.
        classes : array-like, default=None
            All classes that will ever occur; None uses the classes in ``y``.
        sample_weight : ndarray of float, shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        ndarray
            Encoded targets.
        """
        raise NotImplementedError

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Encode targets as ``fit`` does."""
        raise NotImplementedError

    def accepts(self, target: type[Target]) -> bool:
        """Return whether later targets of the given kind can be encoded."""
        return target is type(self)

    def check_classes(self, classes: Any) -> None:
        """Raise ValueError if the classes differ from those of the first call of ``partial_fit``."""

    def strata(self, encoded: np.ndarray) -> np.ndarray | None:
        """Return the classes that a split keeps in proportion; None if the target has none."""
        return None

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return the predictions from the net's outputs, shape (n, n_outputs)."""
        raise NotImplementedError

    def score(self, outputs: Tensor, encoded: Tensor) -> float:
        """Return the validation score: the accuracy averaged over outputs, or R squared."""
        raise NotImplementedError

    def explained(self, outputs: Tensor, target: Any, output: str) -> Objective:
        """Choose the number to explain for each sample.

        Parameters
        ----------
        outputs : Tensor of float, shape (n, n_outputs)
            Outputs of the net.
        target : "predicted", class, int or tuple
            Class to explain, or the index of a label or column; for several columns of classes
            ``(output, class)``.
        output : {"margin", "logit", "probability"}
            Function of the target's output.

        Raises
        ------
        ValueError
            If the target does not exist.
        """
        raise NotImplementedError

    def predictions(self, outputs: np.ndarray, names: np.ndarray, target: Any) -> Predictions:
        """Return the predictions of the explained outputs.

        Parameters
        ----------
        outputs : ndarray of float, shape (n, n_outputs)
            Outputs of the net.
        names : ndarray, shape (n,)
            ``names`` of the :class:`Objective`.
        target : "predicted", class, int or tuple
            See :meth:`explained`.
        """
        raise NotImplementedError

    def to_state(self) -> dict[str, Any]:
        """Return the fitted attributes by name, arrays and plain values, and the name of the kind."""
        return {"name": self.name, **{name: getattr(self, name) for name in self._fitted}}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild the fitted target from the return value of :meth:`to_state`."""
        target = cls()
        vars(target).update({name: state[name] for name in cls._fitted})
        return target

    @property
    def units(self) -> np.ndarray:
        """Units of the explained outputs, see :class:`Objective`, float, shape (n_outputs,)."""
        return np.ones(self.n_outputs)

    def offset(self, names: np.ndarray) -> np.ndarray:
        """Return the prediction minus the explained number, float, shape (n,)."""
        return np.zeros(len(names))


def check_y(y: Any) -> np.ndarray:
    """Return the targets as an array, or raise an error that names the first row without a target."""
    refuse_unreadable(y, "y")
    try:
        array = to_numpy(y)
    except ValueError as error:
        raise ValueError(f"y must have rows of equal length: {error}") from error
    if array.dtype.kind == "U" and not hasattr(y, "dtype"):  # numpy has made strings of all types in a list
        objects = np.array(y, dtype=object)
        y = y if all(isinstance(label, str) for label in objects.flat) else objects
        array = to_numpy(y)
    if array.ndim == 0:
        raise TypeError(f"y must be array-like, with one entry per sample, got {type(y).__name__}")
    if len(array) and (row := first_missing(array)) is not None:
        place = row if array.ndim == 1 else f"{row}, {first_missing(array[row])}"
        raise ValueError(f"y[{place}] is missing: drop samples without a target")
    if array.dtype.kind == "T":  # numpy's StringDType, which scikit-learn does not know
        y = np.array(array.tolist())
    return check_array(without_nullable_types(y), ensure_2d=False, dtype=None, input_name="y")


def check_length(y: Any, X: Any, names: tuple[str, str] = ("y", "X")) -> None:
    """Raise ValueError if the targets and the samples differ in number."""
    if len(y) != len(X):
        raise ValueError(
            f"{names[0]} must have one entry per sample of {names[1]}, got {len(y)} for {len(X)} samples"
        )
