"""Base class of all estimators: one ``fit`` that builds, trains and keeps a skorch net."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from skorch.dataset import ValidSplit
from torch.utils.data import Subset

from sklearn_tree.callbacks import CallbackSupportMixin, fit_context, with_callbacks
from sklearn_tree.device import resolve_device
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.estimators.batches import EncodedDataset, SplitBatch, widen_batches
from sklearn_tree.estimators.callbacks import EpochBridge
from sklearn_tree.estimators.checkpoint import Checkpoint
from sklearn_tree.estimators.continuation import restored_on_error
from sklearn_tree.estimators.encoding import EncodingMixin
from sklearn_tree.estimators.identity import identify
from sklearn_tree.estimators.linear_path import fit_linear_path
from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.estimators.net_factory import NetFactoryMixin, naming_net_params
from sklearn_tree.estimators.rowwise import sparse_gradients
from sklearn_tree.estimators.state import NetStateMixin
from sklearn_tree.estimators.threads import limit_for
from sklearn_tree.estimators.training import (
    TrainingPlan,
    check_convergence,
    keep_freed_memory,
    warn_of_interrupt,
)
from sklearn_tree.estimators.user_code import training_draws
from sklearn_tree.kinds import check_finite
from sklearn_tree.nn.compilation import choose_walks
from sklearn_tree.randomness import InjectedGenerators, own_generators
from sklearn_tree.validation import check_arguments

if TYPE_CHECKING:
    from accelerate import Accelerator


class BaseNet(
    NetFactoryMixin,
    EncodingMixin,
    NetStateMixin,
    DocumentationLinkMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base class of all estimators.

    A family (recursive, recurrent, convolutional) names the kinds of samples that it reads in ``_kinds`` and
    its module in ``_module``, and maps its parameters to those of the module in ``_module_params``. The
    mixins for classifiers and regressors choose the target and the class of the skorch net.
    """

    @with_callbacks
    @check_arguments
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> BaseNet:
        """Fit the net.

        Parameters
        ----------
        X : list, Series, array or one-column DataFrame of samples; TreeArray; RaggedArray; or table
            Training samples. Recursive nets read trees of any registered format; recurrent and convolutional
            nets read texts, token sequences and series; convolutional nets also read images. All read tables
            of floats, shape (n_samples, n_features), and a DataFrame or object array of two columns as pairs.
            The guide "What X can be" lists all forms.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples in the loss, which are divided by their mean; None for equal weights.
        X_val, y_val : same as X, y, default=None
            Validation samples. ``history_`` records their loss and score; with ``early_stopping=True`` or
            ``calibrate`` they replace the internal split.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sample (the message gives its row) or a target is invalid, or the training
            diverges: the loss or a weight is infinite or NaN. The estimator then keeps the result of the
            previous fit.
        KeyboardInterrupt
            After Ctrl-C. The estimator then keeps the result of the previous fit. In a first fit, it has the
            complete epochs, if there are any; its weights also include batches of the interrupted epoch.
        """
        self._validate_params()
        return self._fit(X, y, sample_weight, (X_val, y_val), reset=not self._continues_net())

    @with_callbacks
    @check_arguments
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> BaseNet:
        """Train for one epoch on some samples; the first call builds the net.

        It ignores ``lr_schedule``, ``early_stopping`` and ``calibrate``, and uses sample weights as they are.

        Parameters
        ----------
        X : same as in ``fit``
            Samples. The vocabulary is learned in the first call.
        y : array-like, shape (n_samples,)
            Targets.
        classes : array-like, shape (n_classes,), or list of array-like, default=None
            All classes that will ever occur, for several columns one array per column; None uses the classes
            in ``y`` of the first call.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples in the loss.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As in ``fit``.
        """
        return self._partial_fit(X, y, classes, sample_weight)

    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any, nodes: Any = None) -> BaseNet:
        self._validate_params()
        if getattr(self, "class_weight", None) == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported by partial_fit, which sees only a part of the "
                "samples: give the weights as a dict"
            )
        reset = not hasattr(self, "net_")
        return self._fit(X, y, sample_weight, None, reset=reset, classes=classes, nodes=nodes)

    @default_modes()
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple | None,
        *,
        reset: bool,
        classes: Any = None,
        nodes: Any = None,
    ) -> BaseNet:
        """Train a new net or the current one; ``validation`` is None for a single epoch.

        ``nodes`` are the ``NodeLabels`` of recursive nets.
        """
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        device = resolve_device(self.device)
        previous = self._state()
        try:
            if reset:
                self._replace_state({"device_": device})
            else:
                self._check_fixed_params()
            dataset = self._encode_all(X, y, sample_weight, reset=reset, classes=classes, nodes=nodes)
            plan = self._plan(dataset, validation, seed, nodes)
            callbacks = self._make_callbacks(plan.n_epochs, is_whole=validation is not None)
            with (
                nullcontext() if reset else restored_on_error(self.net_),
                fit_context(self, X, y, sample_weight=sample_weight, n_subtasks=plan.n_epochs) as (
                    context,
                    data,
                ),
                naming_net_params(self.net_params),
            ):
                if reset:
                    self.net_ = self._make_net(dataset, plan.n_epochs, callbacks)
                    with own_generators(plan.seed), InjectedGenerators():
                        self.net_.initialize()
                else:
                    self._continue_net(device)
                bridges = [] if context is None else [("sklearn", EpochBridge(self, context, data))]
                if validation is not None and nodes is None:
                    plan.train.correction = fit_linear_path(self.net_, plan.train, plan.seed, is_new=reset)
                self.net_.is_continued = self.warm_start or validation is None
                self.net_.is_interrupted = False
                self._train(plan, callbacks, bridges)
        except BaseException as error:
            is_kept = isinstance(error, KeyboardInterrupt) and not previous and self._has_epochs()
            if is_kept:
                self.net_.is_interrupted = validation is not None
                warn_of_interrupt(self.n_iter_, error)
            else:
                self._replace_state(previous)
            raise
        return self

    def _plan(self, dataset: EncodedDataset, validation: tuple | None, seed: int, nodes: Any) -> TrainingPlan:
        """Return the training and validation samples, the number of epochs and the checkpoint."""
        if validation is None:
            return TrainingPlan(train=dataset, valid=None, n_epochs=1, seed=seed, checkpoint=None)
        dataset, held_out = dataset.normalize(), self._read_held_out(validation, nodes)
        checkpoint = None
        if self.checkpoint_dir is not None:
            checkpoint = Checkpoint(self.checkpoint_dir, identify(self, dataset, held_out, seed), seed)
            seed = checkpoint.seed
        train, valid = self._split(dataset, held_out, seed)
        n_epochs = self._n_epochs(len(train))
        return TrainingPlan(train=train, valid=valid, n_epochs=n_epochs, seed=seed, checkpoint=checkpoint)

    # Training.

    def _train(self, plan: TrainingPlan, callbacks: list, bridges: list) -> None:
        train, net, n_done = plan.train, self.net_, len(self.net_.history)
        keep_freed_memory()
        self._apply_params(net, {"lr": self._resolve("lr"), **self._run_params()})
        # A continued fit draws different random numbers from the previous fits.
        seed = int(np.random.SeedSequence([plan.seed, n_done]).generate_state(1)[0])
        # Sparse gradients are off if callbacks may read the gradients or clipping does.
        is_read = bool(self.callbacks) or self.gradient_clip is not None
        tables = [] if is_read else net.tables_with_sparse_gradients()
        choose_walks(net.module_, int(train.n_positions.sum()) * plan.n_epochs)
        limit = self._thread_limit(train.X)
        try:
            with own_generators(seed), training_draws(net), sparse_gradients(tables), limit:
                net.train_on(
                    train,
                    plan.valid,
                    n_epochs=plan.n_epochs,
                    callbacks=callbacks,
                    bridges=bridges,
                    checkpoint=plan.checkpoint,
                )
        finally:
            if not net.is_continued:  # this also frees the memory of the state
                net.forget_training()
        check_convergence(net, n_done)

    @default_modes()
    def make_net(self, X: Any, y: Any, accelerator: Accelerator | None = None) -> Any:
        """Return the net as a separate, unfitted skorch estimator.

        Parameters
        ----------
        X : same as in ``fit``
            Samples that determine the sizes of the net.
        y : array-like, shape (n_samples,)
            Targets that determine the number of outputs.
        accelerator : accelerate.Accelerator, default=None
            Processes and devices that train the net together; each trains on a share of every batch.

        Returns
        -------
        skorch.NeuralNet
            A net that fits encoded samples (a ``TreeArray`` of ids) and targets (classes as ints >= 0). It
            can be searched with skorch's parameter names (``module__hidden_size``,
            ``optimizer__weight_decay``). It is seeded by ``torch.manual_seed``, ignores sample and class
            weights, and is not calibrated.
        """
        blueprint = type(self)(**self.get_params(deep=False))  # a clone would copy the callbacks
        blueprint._validate_params()
        blueprint.device_ = resolve_device(self.device)
        data = blueprint._encode_all(X, y, None, reset=True)
        n_epochs = blueprint._n_epochs(len(data))
        net = blueprint._make_net(data, n_epochs, blueprint._make_callbacks(n_epochs))
        if self.early_stopping:
            is_stratified = blueprint.target_.strata(data.y.numpy()) is not None
            net.train_split = ValidSplit(float(self.validation_fraction), stratified=is_stratified)
        if accelerator is None:
            return net
        from sklearn_tree.estimators.accelerated import accelerate

        return accelerate(net, accelerator)

    # Prediction.

    def transform(self, X: Any) -> np.ndarray:
        """Return the outputs of the encoder, which are the inputs of the net's last layer.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_out)
            ``hidden_size`` columns; twice as many for bidirectional nets; for residual nets on series and
            images, as many as the last block has filters. Four times as many for pairs: the vectors a and b
            of both samples, abs(a - b) and a * b.
        """
        return self._run(X, "encode")

    @default_modes()
    def _run(self, X: Any, method: str) -> np.ndarray:
        encoded = self._encode(X)
        return self._run_encoded(encoded, getattr(self.net_.module_, method))

    def _run_encoded(self, encoded: Any, function: Callable, *, is_per_sample: bool = True) -> np.ndarray:
        """Apply a function to all samples in batches and concatenate its outputs.

        If the outputs have one row per sample, samples of similar cost share a batch, and the
        rows are returned in the original order.
        """
        net, dataset = self.net_, EncodedDataset(encoded, kind=self.kind_)
        keep_freed_memory()
        self._apply_params(net, self._run_params())
        order = None
        if is_per_sample and len(dataset) > net.batch_size and dataset.cost is not None:
            order = np.argsort(dataset.cost, kind="stable")
        net.module_.eval()
        with torch.no_grad(), self._thread_limit(encoded):
            batches = net.get_iterator(dataset if order is None else Subset(dataset, order.tolist()))
            widen_batches(batches, net.module_, dataset.n_positions)
            parts = (part for X, _ in batches for part in (X.parts if isinstance(X, SplitBatch) else [X]))
            output = torch.cat([net.compute(function, part).cpu() for part in parts]).numpy()
        if order is not None:
            restored = np.empty_like(output)
            restored[order] = output
            output = restored
        if is_per_sample:
            check_finite(output, encoded, self.kind_)
        return output

    def _thread_limit(self, encoded: Any) -> AbstractContextManager:
        n_positions = self.kind_.n_positions(encoded)
        return limit_for(self.net_.module_, n_positions, self.batch_size, self.device_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.target_tags.multi_output = True
        return tags
