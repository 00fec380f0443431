"""What all estimators share: one fit that builds, trains and keeps a skorch net."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted
from skorch.callbacks import EarlyStopping, GradientNormClipping, LRScheduler
from skorch.dataset import ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import Subset

from sklearn_tree.callbacks import CallbackSupportMixin, fit_context, with_callbacks
from sklearn_tree.device import resolve_device
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset, SplitBatch
from sklearn_tree.estimators.callbacks import EpochBridge
from sklearn_tree.estimators.rowwise import RowwiseAdagrad, sparse_gradients
from sklearn_tree.estimators.threads import at_most, threads_for
from sklearn_tree.estimators.training import (
    LR_SCHEDULES,
    OPTIMIZERS,
    keep_freed_memory,
    optimizer_params,
    seeded,
    split_off_validation,
    warn_of_divergence,
)
from sklearn_tree.validation import Hidden, Interval, StrOptions

if TYPE_CHECKING:
    import pandas as pd

_POSITIVE_INT = Interval(Integral, 1, None, closed="left")
# With max_epochs=None a fit has so many epochs, or as many as make so many batches.
_FEWEST_EPOCHS, _FEWEST_BATCHES = 10, 100
_OWNED = {"batch_size", "callbacks", "dataset", "lr", "max_epochs", "module", "precision", "train_split"}
_SHARE = Interval(Real, 0.0, 1.0, closed="left")

SHARED_CONSTRAINTS: dict = {
    "hidden_size": [_POSITIVE_INT],
    "dropout": [_SHARE],
    "embedding_dim": [_POSITIVE_INT],
    "word_dropout": [_SHARE],
    "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
    "lr": [Interval(Real, 0.0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0.0, None, closed="left")],
    "lr_schedule": [StrOptions(set(LR_SCHEDULES)), None],
    "gradient_clip": [Interval(Real, 0.0, None, closed="neither"), None],
    "max_epochs": [_POSITIVE_INT, None],
    "batch_size": [_POSITIVE_INT],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0.0, 1.0, closed="neither")],
    "patience": [_POSITIVE_INT],
    "warm_start": ["boolean"],
    "device": [str, Hidden(torch.device)],
    "precision": [StrOptions({"auto", "bfloat16", "float32"})],
    "random_state": ["random_state"],
    "callbacks": [list, tuple, None],
    "net_params": [dict, None],
    "verbose": ["verbose"],
}


class BaseNet(
    DocumentationLinkMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base class of all estimators.

    A family (trees, sequences, images) says how X is encoded and which module it builds:
    ``_encode``, ``_module`` and ``_module_params``. A task (classification, regression) says the
    same of y: ``_encode_y``, ``_task_params``, ``_net_class``, ``_criterion`` and ``_strata``.
    """

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> BaseNet:
        """Fit the net.

        Parameters
        ----------
        X : list, Series, array or one-column DataFrame of samples; TreeArray; RaggedArray; or table
            Training samples. Recursive nets take trees of any registered format, recurrent and
            convolutional nets texts, token sequences and series, convolutional nets images; all
            take tables of floats, shape (n_samples, n_features). The user guide lists all forms.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples in the loss; None for equal ones.
        X_val, y_val : same as X, y, default=None
            Validation samples. Their loss and score are in ``history_``; with
            ``early_stopping=True`` they are used instead of an internal split.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sample (the message gives its row) or a target is invalid.
        """
        self._validate_params()
        keep = self.warm_start and hasattr(self, "net_")
        return self._fit(X, y, sample_weight, (X_val, y_val), reset=not keep)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> BaseNet:
        """Train for one epoch on some samples; the first call builds the net.

        ``lr_schedule`` and ``early_stopping`` play no part here, and weights count as they are
        instead of relative to their average.

        Parameters
        ----------
        X : same as in ``fit``
            Samples. The vocabulary is that of the first call.
        y : array-like, shape (n_samples,)
            Targets.
        classes : array-like, shape (n_classes,), default=None
            All classes that will ever occur; None takes those of the first call's ``y``.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples in the loss.

        Returns
        -------
        self
            The fitted estimator.
        """
        self._validate_params()
        if getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                "class_weight='balanced' is not for partial_fit, which sees a part of the samples: "
                "give the weights as a dict"
            )
        first = not hasattr(self, "net_")
        return self._fit(X, y, sample_weight, None, reset=first, classes=classes)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple | None,
        *,
        reset: bool,
        classes: Any = None,
    ) -> BaseNet:
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.device_ = resolve_device(self.device)
        if reset:
            self.__dict__.pop("net_", None)  # a fit that fails leaves no half-fitted estimator
        encoded, target, weight = self._encode_all(X, y, sample_weight, reset=reset, classes=classes)
        if weight is not None and validation is not None:
            weight = weight / weight.mean()
        train, valid = self._split(encoded, target, weight, validation, seed)
        epochs = 1 if validation is None else self._n_epochs(len(train))
        with fit_context(self, X, y, sample_weight=sample_weight, n_subtasks=epochs) as (context, data):
            bridge = None if context is None else EpochBridge(self, context, data)
            if reset:
                self.net_ = self._make_net(encoded, weight)
                with seeded(seed, self.device_):
                    self.net_.initialize()
            self._n_features_out = self.net_.module_.head.in_features
            # Each later call goes on with other numbers than the calls before.
            done = len(self.net_.history)
            with seeded(int(np.random.SeedSequence([seed, done]).generate_state(1)[0]), self.device_):
                try:
                    self._train(train, valid, epochs, bridge, whole=validation is not None)
                except BaseException:
                    if reset:
                        del self.net_
                    raise
            self.n_iter_ = len(self.net_.history)
        return self

    def _encode_all(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, classes: Any = None
    ) -> tuple[Any, np.ndarray, np.ndarray | None]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        encoded = self._encode(X, reset=reset)
        target = self._encode_y(y, reset=reset, classes=classes)
        check_consistent_length(encoded, target)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, encoded, ensure_non_negative=True)
            if not sample_weight.any():
                raise ValueError("sample_weight must not be all zero: there is nothing to learn from")
        weight = self._weigh(target, sample_weight)
        return encoded, self._scale_y(target, weight, reset=reset), weight

    def _scale_y(self, target: np.ndarray, weight: np.ndarray | None, *, reset: bool) -> np.ndarray:
        return target

    def _weigh(self, target: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        return sample_weight

    def _split(
        self, encoded: Any, target: np.ndarray, weight: Any, validation: tuple | None, seed: int
    ) -> tuple[EncodedDataset, EncodedDataset | None]:
        X_val, y_val = validation or (None, None)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together")
        if X_val is not None:
            target_val = self._scale_y(self._encode_y(y_val, reset=False), None, reset=False)
            held_out = self._encode(X_val, reset=False), target_val
            check_consistent_length(*held_out)
            return EncodedDataset(encoded, target, weight), EncodedDataset(*held_out)
        if not self.early_stopping or validation is None:
            return EncodedDataset(encoded, target, weight), None
        train, valid = split_off_validation(
            len(encoded), self._strata(target), self.validation_fraction, seed
        )
        parts = [
            EncodedDataset(encoded[rows], target[rows], None if weight is None else weight[rows])
            for rows in (train, valid)
        ]
        return parts[0], parts[1]

    def _make_net(self, encoded: Any, weight: Any = None) -> Any:
        params = {
            "module": self._module,
            **{f"module__{name}": p for name, p in self._module_params(encoded, weight).items()},
            **self._task_params(),
            "criterion": self._criterion,
            **optimizer_params(self.optimizer, self.weight_decay, self.device_),
            "lr": self.lr,
            "max_epochs": self._n_epochs(len(encoded)),
            "batch_size": self.batch_size,
            "dataset": EncodedDataset,
            "iterator_train": BatchIterator,
            "iterator_train__shuffle": True,
            "iterator_valid": BatchIterator,
            **self._iterator_params(),
            "train_split": None,
            "callbacks": self._make_callbacks(self._n_epochs(len(encoded))),
            "device": str(self.device_),
            "precision": self.precision,
            "verbose": int(self.verbose),
        }
        extra = self.net_params or {}
        owned = sorted(_OWNED & set(extra))
        if owned:
            raise ValueError(f"net_params must not hold {owned}: the estimator sets them itself")
        if "optimizer__foreach" in extra:
            params.pop("optimizer__fused", None)  # torch takes one of the two
        return self._net_class(**{**params, **extra})

    def _iterator_params(self) -> dict[str, Any]:
        return {}

    def _set_iterators(self) -> None:
        for name, value in self._iterator_params().items():
            if name not in (self.net_params or {}):
                setattr(self.net_, name, value)

    def _n_epochs(self, n_samples: int) -> int:
        if self.max_epochs is not None:
            return self.max_epochs
        n_batches = -(-n_samples // self.batch_size)
        return max(_FEWEST_EPOCHS, -(-_FEWEST_BATCHES // n_batches))

    def _make_callbacks(self, epochs: int, whole: bool = True) -> list:
        """Return skorch callbacks, for a whole training or for one epoch of ``partial_fit``."""
        callbacks: list = []
        if self.gradient_clip is not None:
            callbacks.append(("gradient_clip", GradientNormClipping(self.gradient_clip)))
        if self.lr_schedule is not None and whole:
            # last_epoch=-1: every fit begins the schedule anew, also one that goes on
            schedule = LRScheduler(**LR_SCHEDULES[self.lr_schedule](epochs), last_epoch=-1)
            callbacks.append(("lr_schedule", schedule))
        if self.early_stopping and whole:
            stop = EarlyStopping(monitor="valid_loss", patience=self.patience, load_best=True)
            callbacks.append(("early_stopping", stop))
        return callbacks + [copy.deepcopy(callback) for callback in self.callbacks or ()]

    def _train(
        self, train: EncodedDataset, valid: EncodedDataset | None, epochs: int, bridge: Any, *, whole: bool
    ) -> None:
        net, done = self.net_, len(self.net_.history)
        keep_freed_memory()
        net.train_split = None if valid is None else predefined_split(valid)
        net.lr, net.batch_size, net.max_epochs = self.lr, self.batch_size, epochs
        net.precision = self.precision
        self._set_iterators()
        net.stopped_by_callback_ = False
        for group in net.optimizer_.param_groups:  # where a schedule left it
            group["lr"] = self.lr
            group.pop("initial_lr", None)
        net.callbacks = self._make_callbacks(epochs, whole)
        net.initialize_callbacks()
        if bridge is not None:
            net.callbacks_.append(("sklearn", bridge))
        try:
            with sparse_gradients(self._rowwise_tables()), self._few_threads(train.X):
                net.partial_fit(train.on(self.device_), None)
        finally:  # no training data stays on the net
            net.train_split = None
            net.callbacks_ = [pair for pair in net.callbacks_ if pair[1] is not bridge]
            net.module_.eval()
        if len(net.history) - done < epochs and not net.stopped_by_callback_:
            raise KeyboardInterrupt  # skorch swallows the user's
        warn_of_divergence(net.history[done:, "train_loss"])

    def _rowwise_tables(self) -> list[nn.Embedding]:
        """Return the embeddings whose unused rows stay where they are, if nobody else reads gradients."""
        optimizer = self.net_.optimizer_
        if not isinstance(optimizer, RowwiseAdagrad) or self.callbacks or self.gradient_clip is not None:
            return []
        if any(group["weight_decay"] for group in optimizer.param_groups):
            return []
        return [module for module in self.net_.module_.modules() if isinstance(module, nn.Embedding)]

    def make_net(self, X: Any, y: Any) -> Any:
        """Return the same net as a skorch estimator of its own, not fitted.

        Parameters
        ----------
        X : same as in ``fit``
            Samples that the sizes are taken from.
        y : array-like, shape (n_samples,)
            Targets, likewise.

        Returns
        -------
        skorch.NeuralNet
            It fits encoded samples (a ``TreeArray`` of ids) and targets (class numbers from 0),
            and goes into a grid search with skorch's names (``module__hidden_size``,
            ``optimizer__weight_decay``). Its seed is torch's own (``torch.manual_seed``), and it
            weighs neither samples nor classes.
        """
        blueprint = clone(self)
        blueprint._validate_params()
        blueprint.device_ = resolve_device(self.device)
        encoded, _, weight = blueprint._encode_all(X, y, None, reset=True)
        net = blueprint._make_net(encoded, weight)
        if self.early_stopping:
            stratified = blueprint._strata(np.zeros(0)) is not None
            net.train_split = ValidSplit(float(self.validation_fraction), stratified=stratified)
        return net

    def transform(self, X: Any) -> np.ndarray:
        """Return the encoder's vectors, what the net knows of a sample before it decides.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_out)
            ``hidden_size`` columns, twice as many for bidirectional recurrent nets.
        """
        return self._run(X, "encode")

    def _precision(self, X: Any) -> torch.dtype:
        """Doubles train in doubles where the device has them, all else in floats."""
        is_double = str(getattr(X, "dtype", "")).endswith("float64")
        return torch.float64 if is_double and self.device_.type != "mps" else torch.float32

    def _run(self, X: Any, method: str) -> np.ndarray:
        check_is_fitted(self, "net_")
        return self._run_encoded(self._encode(X, reset=False), getattr(self.net_.module_, method))

    def _run_encoded(self, encoded: Any, function: Callable, *, per_sample: bool = True) -> np.ndarray:
        """Run a function of a batch on all; what has a row per sample runs in the cheapest order."""
        net, dataset = self.net_, EncodedDataset(encoded)
        keep_freed_memory()
        self._set_iterators()  # the limit of memory may be another than in fit
        order = None
        if per_sample and dataset.cost is not None and len(dataset) > net.batch_size:
            order = np.argsort(dataset.cost, kind="stable")
        net.module_.eval()
        with torch.no_grad(), self._few_threads(encoded):
            batches = net.get_iterator(dataset if order is None else Subset(dataset, order.tolist()))
            parts = (part for X, _ in batches for part in (X.parts if isinstance(X, SplitBatch) else [X]))
            output = torch.cat([net.computed(function, part).cpu() for part in parts]).numpy()
        if order is None:
            return output
        restored = np.empty_like(output)
        restored[order] = output
        return restored

    def _few_threads(self, encoded: Any) -> AbstractContextManager:
        n = threads_for(self.net_.module_, encoded, self.batch_size) if self.device_.type == "cpu" else None
        return at_most(n)

    @property
    def history_(self) -> pd.DataFrame:
        """One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s."""
        import pandas as pd

        check_is_fitted(self, "net_")
        names = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss"}
        names |= {"valid_score": "valid_score", "dur": "duration_s"}
        columns = {new: [row.get(old) for row in self.net_.history] for old, new in names.items()}
        dtypes = {name: int if name == "epoch" else float for name in columns}
        return pd.DataFrame(columns).astype(dtypes)
