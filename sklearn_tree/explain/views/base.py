"""Base class of the views, the layouts of kinds of samples for explainers."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.containers import as_reusable
from sklearn_tree.drawing import OPACITY, scroll
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.features import ChannelFeatures, ElementFeatures, Features
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.pieces import Pieces, make_pieces
from sklearn_tree.nn.sequence_batch import step_mask
from sklearn_tree.plot.bars import draw_bars
from sklearn_tree.plot.text import write_bars

BASELINES = ("auto", "mean", "unknown", "zero")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Samples before and after encoding.

    Attributes
    ----------
    X : samples
        Samples that the whole estimator accepts.
    encoded : encoded samples
        Samples that batches are built from.
    shown : TreeArray, RaggedArray or ndarray
        Return value of :meth:`View.show`: the encoded samples with labels or tokens.
    texts : list of str, list of tuple of str, or None
        The user's texts, if all samples are texts or pairs of texts.
    """

    X: Any
    encoded: Any
    shown: Any
    texts: list[Any] | None = None


class View:
    """Layout of a kind of samples for explainers.

    A view builds the inputs of the net and their baselines, groups the positions that are removed together,
    names the output columns of ``transform`` and lays out frames and pictures. It has no state.

    The defaults suit sets and sequences of vectors of numbers, encoded as a ``RaggedArray`` or as an array of
    shape (n, n_positions, n_channels). They require

    - a batch that is a dataclass of tensors with one row per sample, among them ``values``, shape
      (n, n_positions, n_channels), and ``lengths``, shape (n,), if samples are padded;
    - a module whose ``embedding(batch)`` standardises the values, so that the mean of the training samples
      becomes 0, and whose ``forward_embedded(x, batch)`` computes the outputs;
    - a kind with the attribute ``n_channels_in_``.

    A view of another kind overrides the methods that differ and is registered with :func:`register_view`.

    Attributes
    ----------
    default_method : str
        Method that "auto" selects.
    is_embedded : bool
        Whether a position is an embedded token or node, see :class:`Inputs`.
    has_subtrees : bool
        Whether the attribution of a position includes those of other positions, so that ``own`` differs.
    limit_percentile : float
        Percentile of the absolute attributions that gets the full colour.
    opacity : float
        Opacity of the strongest colour.
    is_compact : bool
        Whether the pictures of several samples are drawn side by side.
    """

    default_method: str = "occlusion"
    is_embedded: bool = False
    has_subtrees: bool = False
    limit_percentile: float = 95
    opacity: float = OPACITY
    is_compact: bool = False

    # Inputs of the net.

    def inputs(self, net: ExplainedNet, encoded: Any, rows: np.ndarray, baseline: Tensor | str) -> Inputs:
        """Build the inputs of the net for some samples.

        Parameters
        ----------
        net : ExplainedNet
            The net.
        encoded : encoded samples
            All samples.
        rows : ndarray of int, shape (n,)
            Indices of the samples.
        baseline : Tensor or str
            Return value of :meth:`choose_baseline`, an array as a tensor.

        Returns
        -------
        Inputs
        """
        batch: Any = net.kind.batch(encoded, rows).to(net.device)
        with torch.no_grad():
            x = net.embed(batch)
            removable = self.removable(batch, x)
            x0 = torch.where(removable.unsqueeze(-1), self.baselines(net, batch, x, baseline), x)
        return Inputs(
            net=net,
            batch=batch,
            x=x,
            x0=x0,
            removable=removable,
            lengths=self.lengths(batch),
            is_embedded=self.is_embedded,
        )

    def lengths(self, batch: Any) -> Tensor | None:
        """Return the number of positions of each sample, int64, shape (n,); None if nothing is padded."""
        return getattr(batch, "lengths", None)

    def removable(self, batch: Any, x: Tensor) -> Tensor:
        """Return the mask of the positions that can be removed, bool, shape (n, ...): all but padding."""
        lengths = self.lengths(batch)
        if lengths is None:
            return torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)
        return step_mask(lengths, x.shape[1])

    def baselines(self, net: ExplainedNet, batch: Any, x: Tensor, baseline: Tensor | str) -> Tensor:
        """Return the input of each position if it is removed, float, shape of ``x``."""
        if baseline == "mean":  # values are standardised
            return torch.zeros_like(x)
        return net.embed(dataclasses.replace(batch, values=torch.zeros_like(batch.values)))

    def choose_baseline(self, net: ExplainedNet, encoded: Any, name: str) -> np.ndarray | str:
        """Return the baseline of ``fit``.

        Parameters
        ----------
        net : ExplainedNet
            The net.
        encoded : encoded samples
            Samples of ``fit``.
        name : {"auto", "mean", "unknown", "zero"}
            Parameter ``baseline`` of the explainer.

        Returns
        -------
        ndarray of float, shape (embedding_dim,), or str
            Vector of a removed position, or the name of the baseline of numbers.

        Raises
        ------
        ValueError
            If samples of this kind have no such baseline.
        """
        if name == "unknown":
            raise ValueError(f"baseline='unknown' is for words and labels, not for {net.kind.name}")
        return "mean" if name == "auto" else name

    # Groups of positions.

    def groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the positions of a single sample to groups that are removed together.

        Parameters
        ----------
        inputs : Inputs
            A single sample.
        params : mapping
            ``method_params`` of the explainer.

        Returns
        -------
        Tensor of int64
            Group of each position, or of each number of the sample, from 0; -1 if it cannot be removed.
        """
        return inputs.number_positions()

    def batch_groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the positions of all samples of a batch to groups; padding may be in a group."""
        shape = inputs.x.shape[1:-1]
        return torch.arange(int(np.prod(shape)), device=inputs.x.device).view(shape)

    def sliding_window(
        self, inputs: Inputs, params: Mapping[str, Any]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shape of a window that slides over a sample, and its strides."""
        raise NotImplementedError

    def has_length_dependent_windows(self, encoded: Any) -> bool:
        """Return whether the groups of a sample depend on the lengths of other samples in its batch."""
        return False

    def accumulate(self, inputs: Inputs, own: list[np.ndarray]) -> list[np.ndarray]:
        """Return the attributions of each sample, given the attributions of each position's own input."""
        return own

    # Output columns.

    def learn_features(
        self,
        net: ExplainedNet,
        encoded: Any,
        *,
        aggregate: str,
        min_df: int | float,
        max_features: int | None,
    ) -> Features:
        """Choose the output columns of ``transform``.

        Parameters
        ----------
        net : ExplainedNet
            The net.
        encoded : encoded samples
            Samples of ``fit``.
        aggregate, min_df, max_features
            Parameters of the explainer.

        Returns
        -------
        Features
        """
        channels = np.array([f"ch{i}" for i in range(net.estimator.n_channels_in_)], dtype=object)
        if is_ragged(encoded):
            return ChannelFeatures(names=channels, channels=channels, is_mean=aggregate == "mean")
        shape = tuple(encoded.shape[1:])
        names = np.array(self.element_names(shape, channels), dtype=object)
        return ElementFeatures(names=names, channels=channels, shape=shape)

    def element_names(self, shape: tuple[int, ...], channels: np.ndarray) -> list[str]:
        """Return the name of each number of a sample, in row-major order."""
        positions = np.ndindex(*shape[:-1])
        return [f"{'_'.join(map(str, p))}_{channel}" for p in positions for channel in channels]

    # Frames and pictures.

    def read(self, net: ExplainedNet, X: Any) -> Samples:
        """Read samples that the whole estimator accepts."""
        X = as_reusable(X)
        encoded, raw = net.encode(X)
        texts = self.find_texts(X, len(encoded))
        return Samples(X=X, encoded=encoded, shown=self.show(net, encoded, raw), texts=texts)

    def find_texts(self, X: Any, n: int) -> list | None:
        """Return the user's texts, shape (n,); None if the n samples are not texts."""
        return None

    def annotate(self, sample: Any, text: Any, node: int | None) -> Any:
        """Return an item of :meth:`show` with its item of :meth:`find_texts`, or with a marked node."""
        return sample

    def show(self, net: ExplainedNet, encoded: Any, raw: Any) -> Any:
        """Return the samples with the user's labels or tokens.

        Parameters
        ----------
        net : ExplainedNet
            The net.
        encoded, raw : encoded samples, raw samples or None
            Return values of :meth:`ExplainedNet.encode`.

        Returns
        -------
        RaggedArray, TreeArray or ndarray
            Samples with labels or tokens where they are known, otherwise with numbers.
        """
        return net.kind.to_host(encoded)

    def check(self, features: Any, encoded: Any) -> None:
        """Raise ValueError if encoded samples cannot be explained with the output columns of ``fit``."""

    def locate(
        self, samples: Any, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns of a frame that describe each attribution.

        Parameters
        ----------
        samples : samples
            Return value of :meth:`show`.
        attributions : list of ndarray of float
            Attributions of each sample.
        names : ndarray of str
            Names of the channels.

        Returns
        -------
        dict of str to ndarray, shape (n_attributions,)
            Columns by name.
        """
        indices, values = locate_elements(samples, attributions)
        return {"position": indices[0], "channel": names[indices[-1]], "value": values}

    def scaled(self, samples: Any, attributions: list[np.ndarray]) -> np.ndarray:
        """Return the attributions that set the scale of the colours, ndarray of float, shape (n_numbers,).

        Parameters
        ----------
        samples : samples
            Return value of :meth:`show`.
        attributions : list of ndarray of float
            Attributions of each sample.
        """
        return np.concatenate([part.ravel() for part in attributions]) if attributions else np.zeros(0)

    def pieces(
        self, samples: Any, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the pieces of samples that a summary groups by their names.

        Parameters
        ----------
        samples : samples
            Return value of :meth:`show`.
        attributions, own : list of ndarray of float
            See :class:`Explanations`.
        names : ndarray of str
            Names of the channels.

        Returns
        -------
        list of Pieces
            One entry for each kind of piece.
        """
        indices, _ = locate_elements(samples, attributions)
        channels = names[indices[-1]]
        return [make_pieces("channel", channels, attributions)]

    def write(self, sample: Any, attributions: np.ndarray, names: np.ndarray) -> str:
        """Write a sample and its attributions as plain text; the parameters are those of :meth:`draw`."""
        totals = attributions.reshape(len(attributions), -1).sum(axis=1)
        return write_bars([str(i) for i in range(len(totals))], totals)

    def write_markdown(self, sample: Any, attributions: np.ndarray, names: np.ndarray) -> str:
        """Write a sample as Markdown; the parameters are those of :meth:`draw`."""
        return textwrap.indent(self.write(sample, attributions, names), "    ")  # a block of code

    def draw(self, sample: Any, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw a sample as HTML, coloured by its attributions; the caller draws a legend.

        Parameters
        ----------
        sample : sample
            An item of the return value of :meth:`show`.
        attributions : ndarray of float
            Attributions of the sample, at least one.
        names : ndarray of str
            Names of the channels.
        limit : float
            Absolute attribution that gets the full colour.
        """
        return scroll(self.draw_svg(sample, attributions, names, limit))

    def draw_svg(self, sample: Any, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw a sample as one ``<svg>`` element with a size; the parameters are those of :meth:`draw`."""
        totals = attributions.reshape(len(attributions), -1).sum(axis=1)
        return draw_bars([str(i) for i in range(len(totals))], totals, limit=limit)


def is_ragged(encoded: Any) -> bool:
    """Return whether encoded samples may differ in length."""
    return hasattr(encoded, "offsets")


def locate_elements(samples: Any, attributions: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and the value of each number of the samples.

    Parameters
    ----------
    samples : sequence of array-like
        Samples.
    attributions : list of ndarray
        Attributions, of the shapes of the samples.

    Returns
    -------
    indices : ndarray of int, shape (n_axes, n_numbers)
        Position of each number in its sample.
    values : ndarray, shape (n_numbers,)
        The numbers.
    """
    indices = [np.indices(part.shape).reshape(part.ndim, -1) for part in attributions]
    pairs = zip(samples, attributions, strict=True)
    values = [np.broadcast_to(np.asarray(sample), part.shape).ravel() for sample, part in pairs]
    if not indices:
        return np.zeros((3, 0), dtype=int), np.zeros(0)
    return np.concatenate(indices, axis=1), np.concatenate(values)
