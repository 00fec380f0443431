"""skorch nets that are owned by estimators: skorch's training loop over encoded batches."""

from __future__ import annotations

import copy
import dis
import inspect
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import skorch
import torch
from skorch.callbacks import PrintLog
from skorch.utils import TeeGenerator
from torch import Tensor, nn

from sklearn_tree.estimators.batches import EncodedDataset, SplitBatch, count_predictions
from sklearn_tree.estimators.rowwise import RowwiseAdagrad
from sklearn_tree.estimators.user_code import callback_draws
from sklearn_tree.nn.recursive import gains_from_bfloat16
from sklearn_tree.nn.tensors import move_tensors
from sklearn_tree.precision import autocast

if TYPE_CHECKING:
    from skorch import NeuralNet as _Net

    from sklearn_tree.estimators.averaging import AverageState
    from sklearn_tree.estimators.checkpoint import Checkpoint
    from sklearn_tree.estimators.targets import Target
else:
    _Net = object


class StopTraining(KeyboardInterrupt):  # skorch's own `fit` ends the training on a KeyboardInterrupt
    """Raised when a callback ends the training at the end of an epoch."""


class OwnedNetMixin(_Net):
    """Overrides shared by the skorch nets of this package.

    Batches move themselves to a device, losses can be weighted per sample, and the history records epochs
    only. Pickles contain no callbacks, and the optimizer only if ``is_continued``.

    Parameters
    ----------
    *args, **kwargs
        Parameters of skorch's nets.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Precision of matrix products, see :func:`~sklearn_tree.precision.autocast`.
    target : Target, default=None
        Fitted target, which computes the validation score.
    """

    precision = "float32"
    is_continued = False  # whether later calls continue the training, which needs the optimizer's state
    is_interrupted = False  # whether the first fit ended with Ctrl-C
    average_state_: AverageState | None = None  # of a weight average, for the next training
    callbacks: Any
    callbacks_: list

    def __init__(
        self, *args: Any, precision: str = "float32", target: Target | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.precision = precision
        self.target = target

    # Training.

    def train_on(
        self,
        train: EncodedDataset,
        valid: EncodedDataset | None,
        *,
        n_epochs: int,
        callbacks: list,
        bridges: Sequence[tuple[str, Any]] = (),
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Train for some epochs, starting at the learning rate ``lr``.

        Parameters
        ----------
        train : EncodedDataset
            Training samples.
        valid : EncodedDataset or None
            Samples whose loss and score are recorded after each epoch.
        n_epochs : int
            Number of epochs; callbacks may end the training earlier.
        callbacks : list of skorch callbacks
            Used as they are, not copied.
        bridges : sequence of (name, callback), default=()
            Further callbacks, which are removed after training because they hold the training data.
        checkpoint : Checkpoint, default=None
            Restores the training, and saves it after each epoch.
        """
        self.max_epochs = n_epochs
        for group in self.optimizer_.param_groups:  # undo what an earlier schedule has changed
            group["lr"] = group.get("own_lr", self.lr)
            group.pop("initial_lr", None)
        previous, self.callbacks = self.callbacks, callbacks
        try:
            self.initialize_callbacks()
        except BaseException:
            self.callbacks = previous  # invalid callbacks would break copies of the net
            raise
        datasets = {"dataset_train": train, "dataset_valid": valid}
        n_complete, n_done = len(self.history), 0
        interrupt: KeyboardInterrupt | None = None
        try:
            self.callbacks_ += bridges
            self.check_data(train, None)
            batches = self.get_iterator(train.on(torch.device(self.device)), training=True)
            valid_batches = None if valid is None else self.get_iterator(valid, training=False)
            self.notify("on_train_begin", X=train, y=None)
            if checkpoint is not None:
                n_done = checkpoint.restore(self, n_epochs)
                n_complete = len(self.history)
            while n_done < n_epochs:
                self.notify("on_epoch_begin", **datasets)
                self.run_single_epoch(batches, training=True, prefix="train", step_fn=self.train_step)
                self.run_single_epoch(
                    valid_batches, training=False, prefix="valid", step_fn=self.validation_step
                )
                n_complete, n_done = n_complete + 1, n_done + 1
                self.notify("on_epoch_end", **datasets)
                if checkpoint is not None:
                    checkpoint.save(self, n_done, n_epochs)
        except StopTraining:
            if checkpoint is not None:
                checkpoint.save(self, n_done, n_epochs, is_stopped=True)
        except KeyboardInterrupt as error:
            if not n_done:
                raise
            interrupt = error
        finally:
            del self.history[n_complete:]  # drop the incomplete epoch after an error or Ctrl-C
            self.module_.eval()
            self.callbacks_ = [pair for pair in self.callbacks_ if pair not in bridges]
        self.notify("on_train_end", X=train, y=None)
        if interrupt is not None:
            raise interrupt

    def move_to(self, device: torch.device) -> None:
        """Move the module, the loss and the state of the optimizer to a device."""
        self.device = str(device)
        for module in (self.module_, self.criterion_):
            module.to(device)
        for state in self.optimizer_.state.values():
            state.update({name: x.to(device) for name, x in state.items() if isinstance(x, Tensor)})

    def forget_training(self) -> None:
        """Reset the state of the optimizer and of the weight average, as in a pickle."""
        self.initialize_optimizer()
        self.average_state_ = None

    def tables_with_sparse_gradients(self) -> list[nn.Embedding]:
        """Return the embedding tables whose unused rows a step leaves unchanged."""
        if not isinstance(self.optimizer_, RowwiseAdagrad):
            return []
        if any(group["weight_decay"] for group in self.optimizer_.param_groups):
            return []
        return [module for module in self.module_.modules() if isinstance(module, nn.Embedding)]

    def compute(self, function: Callable[[Any], Tensor], batch: Any) -> Tensor:
        """Apply a function to a batch on the device and return its output as float32 or float64."""
        device = self.compute_device
        is_exact = self.precision == "auto" and device.type == "cpu" and not gains_from_bfloat16(self.module_)
        with autocast("float32" if is_exact else self.precision, device):
            output = function(batch.to(device))
        return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output

    @property
    def compute_device(self) -> torch.device:
        """Device of the module."""
        return torch.device(self.device)

    @property
    def _has_batch_callbacks(self) -> bool:
        """Whether a callback may read the events of batches."""
        return any(getattr(callback, "reads_batches", True) for _, callback in self.callbacks_)

    @property
    def _default_callbacks(self) -> list:
        return [("print_log", PrintLog())] if self.verbose else []

    # The following methods are documented by skorch.

    def get_params_for_optimizer(self, prefix: str, named_parameters: Any) -> tuple[tuple, dict]:  # noqa: D102
        (groups, *rest), kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        for group in groups:  # a group with its own learning rate keeps it in later fits
            if "lr" in group:
                group["own_lr"] = group["lr"]
        return (groups, *rest), kwargs

    def infer(self, x: Any, **fit_params: Any) -> Tensor:  # noqa: D102
        if isinstance(x, SplitBatch):
            return torch.cat([self.infer(part, **fit_params) for part in x.parts])
        return self.compute(lambda x: self.module_(x, **fit_params), x)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:  # noqa: D102
        optimizer: Any = self.optimizer_
        if _needs_closure(optimizer.__class__):
            return super().train_step(batch, **fit_params)
        optimizer.zero_grad()
        step = self.train_step_single(batch, **fit_params)
        if self._has_batch_callbacks:
            parameters = TeeGenerator(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=parameters, batch=batch, training=True)
        optimizer.step()
        return step

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:  # noqa: D102
        X, y = batch
        if not self.module_.training:
            self._set_training(True)
        if not isinstance(X, SplitBatch):
            return self.backpropagate(X, y, 1.0, fit_params)
        # Gradients add up, and the graph of a part is freed before the next part is computed.
        steps = [
            self.backpropagate(part, y_part, len(part) / len(X), fit_params, is_last=part is X.parts[-1])
            for part, y_part in zip(X.parts, y.split([*map(count_predictions, X.parts)]), strict=True)
        ]
        losses, outputs = ([step[name] for step in steps] for name in ("loss", "y_pred"))
        return {"loss": torch.stack(losses).sum(), "y_pred": torch.cat(outputs)}

    def backpropagate(
        self, X: Any, y: Tensor, share: float, fit_params: dict, is_last: bool = True
    ) -> dict[str, Tensor]:
        """Compute the gradients of a batch, or of a part that is the given share of its batch."""
        y_pred = self.infer(X, **fit_params)
        loss = self.get_loss(y_pred, y, X=X, training=True)
        if share < 1:
            loss = loss * share
        self.backward(loss)
        return {"loss": loss.detach(), "y_pred": y_pred.detach()}

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of a loss."""
        loss.backward()

    def get_loss(self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False) -> Tensor:  # noqa: D102
        if y_true.device != y_pred.device:
            (y_true,) = move_tensors([y_true], y_pred.device)
        correction = getattr(X, "correction", None)
        if correction is not None:
            y_pred = y_pred + correction.to(y_pred)
        loss = self.weighted_loss(y_pred, y_true, getattr(X, "sample_weight", None))
        n_per_sample = 1.0 if X is None else count_predictions(X) / len(X)
        return loss if n_per_sample == 1.0 else loss * n_per_sample

    def weighted_loss(self, y_pred: Tensor, y_true: Tensor, weight: Tensor | None) -> Tensor:
        """Return the mean loss of some outputs; ``weight`` are the weights of the samples."""
        if y_true.is_floating_point():
            y_true = y_true.to(y_pred.dtype)
        criterion = self.criterion_
        reduction = "mean" if weight is None else "none"
        if getattr(criterion, "reduction", reduction) != reduction:
            criterion.reduction = reduction
        losses = criterion(y_pred, y_true)
        if weight is not None:
            losses = losses.flatten(1).mean(1) if losses.ndim > 1 else losses
            losses = losses * weight.to(losses)
        return losses.mean() if losses.ndim else losses

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one epoch and record its mean loss and duration; for validation, also the score.

        The events of batches are skipped if no callback may read them: they would only add empty batches to
        the history.
        """
        if iterator is None:
            return
        start = time.perf_counter()
        losses, sizes, seen = [], [], []
        for batch in iterator:
            if self._has_batch_callbacks:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            if self._has_batch_callbacks:
                self.notify("on_batch_end", batch=batch, training=training, **step)
            losses.append(step["loss"])
            sizes.append(len(batch[0]))
            if not training:
                seen.append((step["y_pred"].cpu(), batch[1].cpu()))
        name, loss, history = f"{prefix}_loss", self.mean_loss(losses, sizes), self.history
        # The last of the best epochs is close to the end, however many epochs of partial_fit there are.
        earlier = islice(reversed(history), 1, None)
        best = next((row[name] for row in earlier if row.get(f"{name}_best")), None)
        history.record(name, loss)
        history.record(f"{name}_best", best is None or loss < best)
        if seen and self.target is not None:
            outputs, targets = (torch.cat(parts) for parts in zip(*seen, strict=True))
            history.record("valid_score", self.target.score(outputs, targets))
        history.record("dur", history[-1].get("dur", 0.0) + time.perf_counter() - start)

    def mean_loss(self, losses: list[Tensor], sizes: list[int]) -> float:
        """Return the mean loss of the batches of an epoch."""
        return mean_loss(losses, sizes)

    def notify(self, method_name: str, **kwargs: Any) -> None:  # noqa: D102
        try:
            with callback_draws(self.callbacks_):
                super().notify(method_name, **kwargs)
        except KeyboardInterrupt as error:
            if method_name == "on_epoch_end" and _is_raised_by_callback(error):
                raise StopTraining from error
            raise

    def _set_params_callback(self, **params: Any) -> Any:
        # skorch's method fails for a net without callbacks, which is the default here.
        if "callbacks" in params:
            self.callbacks = params.pop("callbacks")
        return super()._set_params_callback(**params) if params else self

    def __getstate__(self) -> dict:
        lean = object.__new__(type(self))
        lean.__dict__.update(self.__dict__)
        for name in ("callbacks_", "optimizer_", "average_state_")[: 1 if self.is_continued else None]:
            if name in lean.__dict__:
                lean.__dict__[name] = None
        lean.__dict__.update(_separate_storages(lean.__dict__))
        return super(OwnedNetMixin, lean).__getstate__()

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        for module in self.module_.modules() if "module_" in self.__dict__ else ():
            if isinstance(module, nn.RNNBase):
                module.flatten_parameters()
        if "callbacks_" in self.__dict__:
            self.callbacks_ = []
            self.initialize_callbacks()
            if not self.is_continued:
                self.initialize_optimizer()


def _separate_storages(state: dict[str, Any]) -> dict[str, Any]:
    """Return copies of the module, and of what refers to its weights, if weights share a storage.

    cuDNN keeps the weights of a recurrent layer in one storage, which a pickle would hold once per weight.
    """
    names = ("module_", "optimizer_", "average_state_")
    state = {name: state[name] for name in names if name in state}
    weights = state["module_"].parameters() if "module_" in state else ()
    if all(weight.untyped_storage().nbytes() == weight.nbytes for weight in weights):
        return {}
    state = copy.deepcopy(state)
    for weight in state["module_"].parameters():
        weight.data = weight.data.clone()
    return state


def mean_loss(losses: list[Tensor], sizes: list[int]) -> float:
    """Return the mean loss over batches, weighted by their sizes, with a single device synchronisation."""
    if not losses:
        return 0.0
    weights = torch.tensor(sizes, dtype=torch.float64)
    return float(torch.stack(losses).cpu().double() @ weights / weights.sum())


def _is_raised_by_callback(error: KeyboardInterrupt) -> bool:
    """Return whether a ``raise`` statement of a callback ends the training, as in skorch's early stopping.

    Ctrl-C interrupts a frame at another instruction, or runs a signal handler, which is not a callback.
    """
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not last.tb_frame.f_code.co_argcount:
        return False
    code = last.tb_frame.f_code
    is_raise = code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    owner = last.tb_frame.f_locals.get(code.co_varnames[0])  # absent if the method deletes it
    return is_raise and callable(getattr(owner, "on_epoch_end", None))


@cache
def _needs_closure(optimizer: Any) -> bool:
    """Return whether an optimizer's steps evaluate the loss themselves, as those of L-BFGS do."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


class ClassifierNet(OwnedNetMixin, skorch.NeuralNetClassifier):
    """A ``skorch.NeuralNetClassifier`` over encoded batches."""


class RegressorNet(OwnedNetMixin, skorch.NeuralNetRegressor):
    """A ``skorch.NeuralNetRegressor`` over encoded batches."""
