"""Vectors that enter the net, for sequences, images and tables."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.explained_net import ExplainedNet


class Inputs:
    """Vectors that enter the net for a batch of samples, and their baselines.

    ``x`` has one row per sample here and one row per node in :class:`TreeInputs`. Explainers stack copies of
    all rows one after the other ("copy-major", as Captum does).

    Parameters
    ----------
    net : ExplainedNet
        The net.
    batch : Batch
        The samples. A dataclass whose tensors have one row per sample.
    x, x0 : Tensor of float, shape (n_rows, ..., size)
        Inputs and their baselines. The axes between the first and the last are the positions.
    removable : Tensor of bool, shape (n_rows, ...)
        Positions that can be removed, which means replaced by their baseline. Padding is not removable.
    lengths : Tensor of int64, shape (n,), default=None
        Number of positions of each sample without padding; None if nothing is padded.
    is_embedded : bool, default=False
        Whether a position is an embedded token or node, whose attribution is a single number: the sum over
        the features of its vector.
    """

    def __init__(
        self,
        *,
        net: ExplainedNet,
        batch: Any,
        x: Tensor,
        x0: Tensor,
        removable: Tensor,
        lengths: Tensor | None = None,
        is_embedded: bool = False,
    ) -> None:
        self.net, self.module, self.batch = net, net.module, batch
        self.x, self.x0, self.removable = x, x0, removable
        self.lengths, self.is_embedded = lengths, is_embedded
        self._copies: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def n_rows(self) -> int:
        """Number of rows of ``x``."""
        return len(self.x)

    @property
    def n_positions(self) -> int:
        """Number of nodes, steps or pixels in one forward pass, padding included."""
        return self.removable.numel()

    @property
    def samples(self) -> Tensor:
        """Sample of each row, Tensor of int64, shape (n_rows,)."""
        return torch.arange(len(self), device=self.x.device)

    def pair_up(self) -> Inputs:
        """Return the inputs of pairs; rows 0 and 1 are those of the first pair."""
        return PairInputs(self)

    # Forward passes.

    def outputs(self, x: Tensor) -> Tensor:
        """Compute the outputs of the net for k copies of the samples.

        Parameters
        ----------
        x : Tensor of float, shape (k * n_rows, ..., size)
            Inputs, one copy of all rows after the other.

        Returns
        -------
        Tensor of float, shape (k * n, n_outputs)

        Raises
        ------
        ValueError
            If the rows are not whole copies, for which Captum would silently return wrong results.
        """
        k = self._count_copies(x)
        if k not in self._copies:
            kept = {1: self._copies[1]} if 1 in self._copies else {}
            self._copies = {**kept, k: self._repeat(k)}  # the last chunk may be smaller
        return self._forward(x, self._copies[k])

    def _count_copies(self, x: Tensor) -> int:
        k, rest = divmod(len(x), self.n_rows)
        if rest or not k:
            raise ValueError(
                f"rows must be whole copies of the {self.n_rows} rows of this batch, got {len(x)} rows"
            )
        return k

    def _repeat(self, k: int) -> Any:
        """Return the batch of k copies, the second argument of :meth:`_forward`."""
        columns = {field.name: getattr(self.batch, field.name) for field in dataclasses.fields(self.batch)}
        tensors = {name: column for name, column in columns.items() if isinstance(column, Tensor)}
        repeated = {name: t.repeat(k, *(1,) * (t.ndim - 1)) for name, t in tensors.items()}
        return dataclasses.replace(self.batch, **repeated)

    def _forward(self, x: Tensor, copies: Any) -> Tensor:
        return self.module.forward_embedded(self.to_items(x), copies)

    def to_items(self, x: Tensor) -> Tensor:
        """Return rows with those of both samples of a pair separate; other rows unchanged."""
        return x

    def from_items(self, x: Tensor) -> Tensor:
        """Undo :meth:`to_items`."""
        return x

    def mix(self, is_present: Tensor) -> Tensor:
        """Return copies of a single sample in which some positions have their baselines.

        Parameters
        ----------
        is_present : Tensor of bool, shape (k, ...)
            For each copy, the positions (or the elements of their vectors) that keep their input.

        Returns
        -------
        Tensor of float, shape (k * n_rows, ..., size)
        """
        n_missing_axes = self.x.ndim - is_present.ndim
        return torch.where(is_present.view(*is_present.shape, *(1,) * n_missing_axes), self.x[0], self.x0[0])

    # Attributions.

    def sum_per_sample(self, rows: Tensor) -> Tensor:
        """Sum rows of shape (n_rows, ...) over each sample, shape (n,)."""
        rows = rows.flatten(1).sum(1) if rows.ndim > 1 else rows
        return rows.new_zeros(len(self)).index_add(0, self.samples, rows)

    def split(self, rows: Tensor) -> list[np.ndarray]:
        """Split numbers into samples and drop the padding.

        Parameters
        ----------
        rows : Tensor of float, shape (n_rows, ...)
            Numbers for each position.

        Returns
        -------
        list of ndarray of float64, length n
        """
        numbers = rows.detach().double().cpu().numpy()
        if self.lengths is None:
            return list(numbers)
        return [part[:n] for part, n in zip(numbers, self.lengths.tolist(), strict=True)]

    def split_positions(self, attributions: Tensor) -> list[np.ndarray]:
        """Split attributions into samples, summed over the features of embedded positions.

        Parameters
        ----------
        attributions : Tensor of float, shape of ``x``, or without the last axis
            Attributions.

        Returns
        -------
        list of ndarray of float64, length n
            Shape (n_positions,) for embedded positions, (..., size) otherwise.
        """
        is_vector = self.is_embedded and attributions.ndim == self.x.ndim
        return self.split(attributions.sum(-1) if is_vector else attributions)

    # Groups of positions of a single sample that are removed together.

    def number_positions(self) -> Tensor:
        """Number the removable positions of a single sample, int64, shape (...); -1 for the others."""
        flags = self.removable[0]
        return torch.where(flags, flags.flatten().cumsum(0).view(flags.shape) - 1, -1)

    def expand(self, groups: Tensor) -> Tensor:
        """Broadcast groups of positions to the shape of a row of ``x``."""
        shape = self.x.shape[1:]
        return groups.view(*groups.shape, *(1,) * (len(shape) - groups.ndim)).expand(shape)

    def spread(self, groups: Tensor, numbers: Tensor) -> Tensor:
        """Distribute the number of each group evenly over its positions.

        Parameters
        ----------
        groups : Tensor of int64
            Groups of a single sample, see :meth:`View.groups`.
        numbers : Tensor of float, shape (n_groups,)
            Number of each group.

        Returns
        -------
        Tensor of float
            ``(1, *groups.shape)`` for embedded positions, otherwise the shape of ``x``. The sum equals the
            sum of ``numbers``.
        """
        if self.is_embedded:  # each position is a group; index -1 selects the appended 0
            return torch.cat([numbers, numbers.new_zeros(1)])[groups].unsqueeze(0)
        full = self.expand(groups)
        counts = torch.bincount(full.flatten() + 1, minlength=len(numbers) + 1)[1:]
        return torch.cat([numbers / counts, numbers.new_zeros(1)])[full].unsqueeze(0)

    def sum_groups(self, groups: Tensor, attributions: np.ndarray) -> np.ndarray:
        """Sum the attributions of a single sample over each group.

        Parameters
        ----------
        groups : Tensor of int64
            Groups of the sample, see :meth:`View.groups`.
        attributions : ndarray of float
            An item of the return value of :meth:`split_positions`.

        Returns
        -------
        ndarray of float, shape (n_groups,)
        """
        numbers = groups.cpu().numpy()
        n_groups = int(numbers.max(initial=-1)) + 1  # the padding of an empty series is a group
        attributions = self._unsplit(attributions)
        shape = numbers.shape + (1,) * (attributions.ndim - numbers.ndim)
        numbers = np.broadcast_to(numbers.reshape(shape), attributions.shape)
        is_grouped = numbers >= 0
        return np.bincount(numbers[is_grouped], weights=attributions[is_grouped], minlength=n_groups)

    def _unsplit(self, attributions: np.ndarray) -> np.ndarray:
        """Return the attributions of a single sample in the order of its positions."""
        return attributions


class PairInputs(Inputs):
    """Vectors that enter the net for pairs of sequences or images.

    The first axis of the positions selects the sample of a pair: ``x`` has the shape (n, 2, ..., size).

    Parameters
    ----------
    items : Inputs
        Inputs of the samples of all pairs, in the order of :class:`~sklearn_tree.nn.PairBatch`.
    """

    def __init__(self, items: Inputs) -> None:
        super().__init__(
            net=items.net,
            batch=items.batch,
            x=self.from_items(items.x),
            x0=self.from_items(items.x0),
            removable=self.from_items(items.removable),
            lengths=items.lengths,
            is_embedded=items.is_embedded,
        )

    def __len__(self) -> int:
        return len(self.batch) // 2

    def to_items(self, x: Tensor) -> Tensor:
        """Return the rows of the samples, shape (n, 2, ...) to (2 * n, ...)."""
        return x.flatten(0, 1)

    def from_items(self, x: Tensor) -> Tensor:
        """Undo :meth:`to_items`."""
        return x.unflatten(0, (-1, 2))

    def first(self) -> Inputs:
        """Return the inputs of the first samples; only their shapes are used."""
        first = copy.copy(self)
        first.x = self.x[:, 0]
        return first

    def split(self, rows: Tensor) -> list[np.ndarray]:
        """Split numbers into pairs, those of both samples one after the other, without padding."""
        parts = super().split(self.to_items(rows))
        return [np.concatenate(pair) for pair in zip(parts[::2], parts[1::2], strict=True)]

    def _unsplit(self, attributions: np.ndarray) -> np.ndarray:
        """Return the attributions of a single pair, shape (2, ...), with zeros in the padding."""
        n_steps = self.x.shape[2]
        padded = np.zeros((2, n_steps, *attributions.shape[1:]))
        n = n_steps if self.lengths is None else int(self.lengths[0])
        for side, part in enumerate((attributions[:n], attributions[n:])):
            padded[side, : len(part)] = part
        return padded
