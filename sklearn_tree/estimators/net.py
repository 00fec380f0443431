"""The skorch nets that estimators own: skorch's loop over whole encoded batches."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import skorch
import torch
from skorch.callbacks import PrintLog
from skorch.utils import TeeGenerator
from torch import Tensor

from sklearn_tree.estimators.batches import SplitBatch
from sklearn_tree.precision import autocast


class OwnedNetMixin:
    """What the nets of this package do otherwise than skorch's.

    Batches are objects that move themselves to a device, losses can be weighted per sample, the
    history keeps epochs only, and pickles hold neither optimizer nor callbacks.

    Parameters
    ----------
    *args, **kwargs
        Those of skorch's nets.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        What factors of products are rounded to, see :func:`~sklearn_tree.device.autocast`.
    """

    stopped_by_callback_ = False
    precision = "float32"

    def __init__(self, *args: Any, precision: str = "float32", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.precision = precision

    def computed(self, function: Callable[[Any], Tensor], batch: Any) -> Tensor:
        """Return what a function of the module says of a batch, on the device, at least in floats."""
        device = torch.device(self.device)  # type: ignore[attr-defined]
        with autocast(self.precision, device):
            output = function(batch.to(device))
        return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output

    @property
    def _default_callbacks(self) -> list:
        return [("print_log", PrintLog())] if self.verbose else []  # type: ignore[attr-defined]

    # skorch documents these.
    def infer(self, x: Any, **fit_params: Any) -> Tensor:  # noqa: D102
        if isinstance(x, SplitBatch):
            return torch.cat([self.infer(part, **fit_params) for part in x.parts])
        return self.computed(lambda x: self.module_(x, **fit_params), x)  # type: ignore[attr-defined]

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:  # noqa: D102
        optimizer = self.optimizer_  # type: ignore[attr-defined]
        if _needs_closure(type(optimizer)):  # type: ignore[arg-type]
            return super().train_step(batch, **fit_params)  # type: ignore[misc]
        optimizer.zero_grad()
        step = self.train_step_single(batch, **fit_params)
        if self.callbacks_:
            parameters = TeeGenerator(self.get_all_learnable_params())  # type: ignore[attr-defined]
            self.notify("on_grad_computed", named_parameters=parameters, batch=batch, training=True)
        optimizer.step()
        return step

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:  # noqa: D102
        X, y = batch
        if not self.module_.training:  # type: ignore[attr-defined]
            self._set_training(True)  # type: ignore[attr-defined]
        if not isinstance(X, SplitBatch):
            return self._pull_back(X, y, 1.0, fit_params)
        # Gradients add up, and no part's graph outlives it.
        steps = [
            self._pull_back(part, y_part, len(part) / len(X), fit_params)
            for part, y_part in zip(X.parts, y.split([len(part) for part in X.parts]), strict=True)
        ]
        losses, outputs = ([step[name] for step in steps] for name in ("loss", "y_pred"))
        return {"loss": torch.stack(losses).sum(), "y_pred": torch.cat(outputs)}

    def _pull_back(self, X: Any, y: Tensor, share: float, fit_params: dict) -> dict[str, Tensor]:
        """Compute the gradients of a batch, or of a share of one."""
        y_pred = self.infer(X, **fit_params)
        loss = self.get_loss(y_pred, y, X=X, training=True)
        if share < 1:
            loss = loss * share
        loss.backward()
        return {"loss": loss.detach(), "y_pred": y_pred.detach()}

    def get_loss(self, y_pred: Tensor, y_true: Any, X: Any = None, *args: Any, **kwargs: Any) -> Tensor:  # noqa: D102
        y_true = y_true.to(y_pred.device)
        if y_true.is_floating_point():
            y_true = y_true.to(y_pred.dtype)
        weight, criterion = getattr(X, "sample_weight", None), self.criterion_  # type: ignore[attr-defined]
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
        """Run one pass and record its mean loss, and for validation its score and duration.

        Without callbacks nobody is told of batches: all that skorch's net does then is to begin a batch in
        the history, into which callbacks alone write.
        """
        if iterator is None:
            return
        start = time.perf_counter()
        losses, sizes, seen = [], [], []
        for batch in iterator:
            if self.callbacks_:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            if self.callbacks_:
                self.notify("on_batch_end", batch=batch, training=training, **step)
            losses.append(step["loss"])
            sizes.append(len(batch[0]))
            if not training:
                seen.append((step["y_pred"].cpu(), batch[1].cpu()))
        name, loss = f"{prefix}_loss", mean_loss(losses, sizes)
        earlier = [row[name] for row in self.history[:-1] if name in row]  # type: ignore[attr-defined]
        self.history.record(name, loss)  # type: ignore[attr-defined]
        self.history.record(f"{name}_best", all(loss < other for other in earlier))  # type: ignore[attr-defined]
        if seen:
            y_pred, y_true = (torch.cat(parts) for parts in zip(*seen, strict=True))
            self.history.record("valid_score", self.score_of(y_pred, y_true))  # type: ignore[attr-defined]
        rows = self.history[-1]  # type: ignore[attr-defined]
        self.history.record("dur", rows.get("dur", 0.0) + time.perf_counter() - start)  # type: ignore[attr-defined]

    def notify(self, method_name: str, **kwargs: Any) -> None:  # noqa: D102
        try:
            super().notify(method_name, **kwargs)  # type: ignore[misc]
        except KeyboardInterrupt:  # how skorch's callbacks stop a training
            self.stopped_by_callback_ = method_name == "on_epoch_end"
            raise

    def _set_params_callback(self, **params: Any) -> Any:
        # skorch's stumbles over a net without any callback, as ours are by default.
        if "callbacks" in params:
            self.callbacks = params.pop("callbacks")
        return super()._set_params_callback(**params) if params else self  # type: ignore[misc]

    def __getstate__(self) -> dict:
        # Only what prediction needs: training again makes a new optimizer and new callbacks.
        lean = object.__new__(type(self))
        lean.__dict__.update(self.__dict__)
        for name in ("optimizer_", "callbacks_"):
            if name in lean.__dict__:
                lean.__dict__[name] = None
        return super(OwnedNetMixin, lean).__getstate__()  # type: ignore[return-value]

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)  # type: ignore[misc]
        if "callbacks_" in self.__dict__:
            self.callbacks_: list = []
            self.initialize_callbacks()  # type: ignore[attr-defined]
            self.initialize_optimizer()  # type: ignore[attr-defined]


def mean_loss(losses: list[Tensor], sizes: list[int]) -> float:
    """Average the losses of batches of some sizes; one synchronisation with the device."""
    if not losses:
        return 0.0
    weights = torch.tensor(sizes, dtype=torch.float64)
    return float(torch.stack(losses).cpu().double() @ weights / weights.sum())


@cache
def _needs_closure(optimizer: type[torch.optim.Optimizer]) -> bool:
    """Whether steps of an optimizer compute the loss themselves, as those of L-BFGS do."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


class ClassifierNet(OwnedNetMixin, skorch.NeuralNetClassifier):
    """A ``skorch.NeuralNetClassifier`` over encoded batches."""

    def score_of(self, y_pred: Tensor, y_true: Tensor) -> float:
        """Share of right labels.

        ``y_true`` holds class numbers, shape (n,) or (n, n_outputs), or floats 0 and 1, shape
        (n, n_labels); ``y_pred`` the logits of all classes.
        """
        if y_true.is_floating_point():
            return float(((y_pred > 0) == (y_true > 0)).double().mean())
        if y_true.ndim == 1:
            return float((y_pred.argmax(1) == y_true).double().mean())
        heads = y_pred.split(self.criterion_.n_classes, dim=1)  # type: ignore[attr-defined]
        right = [head.argmax(1) == y for head, y in zip(heads, y_true.T, strict=True)]
        return float(torch.stack(right).double().mean())


class RegressorNet(OwnedNetMixin, skorch.NeuralNetRegressor):
    """A ``skorch.NeuralNetRegressor`` over encoded batches."""

    @staticmethod
    def score_of(y_pred: Tensor, y_true: Tensor) -> float:
        """R squared of predictions against targets, both of shape (n, n_outputs), averaged."""
        y_true = y_true.reshape(y_pred.shape).double()
        residual = ((y_true - y_pred.double()) ** 2).sum(0)
        total = ((y_true - y_true.mean(0)) ** 2).sum(0)
        return float((1 - residual / total.clamp(min=torch.finfo(torch.float64).tiny)).mean())
