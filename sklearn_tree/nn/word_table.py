"""Convolutions over texts by a table: what all filters answer to each distinct word of a batch.

A filter of width ``k`` answers at a place with a sum of ``k`` products, each of one word's vector and
one column of the filter. A batch of texts has far fewer distinct words than places, so each distinct
word is multiplied once, and the answers are sums of rows of that table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.gemm import bucket, product


def answers(
    filters: Sequence[Any], vectors: Tensor, words: Tensor, ends: Tensor | None, *, largest: bool
) -> Tensor:
    """Compute what filters of several widths answer.

    Parameters
    ----------
    filters : sequence of Conv2d of kernels (1, any)
        The filters, the same number of each width.
    vectors : Tensor of float, shape (n_words, size)
        The vectors of the distinct words.
    words : Tensor of int64, shape (n, n_steps)
        The row of ``vectors`` of each word; what stands behind the ends does not matter.
    ends : Tensor of int64, shape (n,), or None
        Number of words of each text; None for ``n_steps``.
    largest : bool
        Whether to return the largest answer of each filter instead of all.

    Returns
    -------
    Tensor of float, shape (n, n_steps, n_all_filters) or (n, n_all_filters)
        Arbitrary behind the ends and for empty texts; elsewhere as of a convolution with zeros
        outside the texts.
    """
    widths = [int(conv.kernel_size[1]) for conv in filters]
    columns = torch.cat([conv.weight.squeeze(2).permute(2, 0, 1).flatten(0, 1) for conv in filters])
    nothing, n_rows = len(vectors), bucket(len(vectors) + 1)  # behind the vectors are rows of zeros
    table = product(F.pad(vectors, (0, 0, 0, n_rows - nothing)), columns)
    table = table.view(-1, filters[0].out_channels)  # a row for each word and column
    rows = list(_rows_of_sums(words, ends, nothing, widths))
    bias = torch.cat([conv.bias for conv in filters if conv.bias is not None])
    if largest:
        return _LargestSums.apply(table, *rows) + bias
    return torch.cat([sums(table, places) for places in rows], dim=2) + bias


def _rows_of_sums(words: Tensor, ends: Tensor | None, nothing: int, widths: list[int]) -> Iterator[Tensor]:
    """Yield which rows of the table each filter of each width adds up, int64, shape (n, n_steps, width)."""
    n_steps, behind = words.shape[1], None
    if ends is not None:
        behind = torch.arange(n_steps) >= ends.unsqueeze(1)
        words = words.masked_fill(behind, nothing)
    before, after, first = (max(widths) - 1) // 2, max(widths) // 2, 0
    padded = F.pad(words, (before, after), value=nothing) * sum(widths)
    for width in widths:
        start = before - (width - 1) // 2
        rows = padded[:, start : start + n_steps + width - 1].unfold(1, width, 1)
        rows = rows + torch.arange(first, first + width)
        if behind is not None:  # the first place once more: what is largest stays so
            rows = torch.where(behind.unsqueeze(2), rows[:, :1], rows)
        yield rows
        first += width


def sums(table: Tensor, rows: Tensor) -> Tensor:
    """Add up rows of a table.

    Parameters
    ----------
    table : Tensor of float, shape (n_rows, size)
        The table.
    rows : Tensor of int64, shape (n, n_steps, k)
        The rows of each sum.

    Returns
    -------
    Tensor of float, shape (n, n_steps, size)
    """
    return F.embedding_bag(rows.flatten(0, 1), table, mode="sum").view(*rows.shape[:2], -1)


class _LargestSums(torch.autograd.Function):
    """The largest of a text's sums, of each width; they alone get a gradient."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, *rows: Tensor) -> Tensor:
        largest, chosen = [], []
        for places in rows:
            found = sums(table, places)
            largest.append(found.amax(1))
            if ctx.needs_input_grad[0]:
                chosen.append(places.gather(1, _where(found, largest[-1], places.shape[2])))
        ctx.save_for_backward(*chosen)
        ctx.shape = table.shape
        return torch.cat(largest, dim=1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        size = ctx.shape[1]
        flat = grad.new_zeros(ctx.shape).view(-1)
        for rows, part in zip(ctx.saved_tensors, grad.split(size, dim=1), strict=True):
            entries = rows * size + torch.arange(size).unsqueeze(1)
            flat.scatter_add_(0, entries.flatten(), part.unsqueeze(2).expand(rows.shape).flatten())
        return flat.view(ctx.shape), *(None for _ in ctx.saved_tensors)


def _where(found: Tensor, largest: Tensor, n: int) -> Tensor:
    """Return a step that has the largest number, int64, shape (n_texts, size, n), the last axis repeated.

    The last of the steps that have it: argmax would give the first, and take twenty times as long.
    Overwrites ``found``.
    """
    steps = torch.arange(found.shape[1], dtype=found.dtype).unsqueeze(1)
    at = torch.add(steps, found.sub_(largest.unsqueeze(1)), alpha=1e30).amax(1)  # what is not largest, sinks
    return at.nan_to_num(0.0).long().unsqueeze(2).expand(-1, -1, n)
