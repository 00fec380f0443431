"""Convolutions over texts with a table of filter products, one row per distinct word and filter column.

The output of a filter of width ``k`` at a step is a sum of ``k`` products of a word's vector and a column of
the filter. A batch of texts has far fewer distinct words than steps, so each distinct word is multiplied
once, and the outputs are sums of rows of the table of products.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.gemm import linear_without_bias


def convolve_words(
    filters: Sequence[Any], vectors: Tensor, words: Tensor, ends: Tensor | None, *, take_max: bool
) -> Tensor:
    """Convolve texts with filters of several widths.

    Parameters
    ----------
    filters : sequence of Conv2d with kernels of height 1
        Filters; the same number for each width.
    vectors : Tensor of float, shape (n_words, size)
        Vectors of the distinct words.
    words : Tensor of int64, shape (n, n_steps)
        Row of ``vectors`` of each word; ignored in the padding.
    ends : Tensor of int64, shape (n,), or None
        Number of words of each text; None if nothing is padded.
    take_max : bool
        Whether to return the maximum over the steps of each text instead of all steps.

    Returns
    -------
    Tensor of float, shape (n, n_steps, n_all_filters) or (n, n_all_filters)
        Equal to convolutions with zeros outside the texts. Arbitrary in the padding and for empty texts.
    """
    widths = [int(conv.kernel_size[1]) for conv in filters]
    columns = torch.cat([conv.weight.squeeze(2).permute(2, 0, 1).flatten(0, 1) for conv in filters])
    padding = len(vectors)  # the last row is zero
    table = linear_without_bias(F.pad(vectors, (0, 0, 0, 1)), columns)
    table = table.view(-1, filters[0].out_channels)  # one row per word and column
    rows = list(_find_rows(words, ends, padding, widths))
    bias = torch.cat([conv.bias for conv in filters if conv.bias is not None])
    if take_max:
        return _MaxOfSums.apply(table, *rows) + bias
    return torch.cat([sum_rows(table, group) for group in rows], dim=2) + bias


def _find_rows(words: Tensor, ends: Tensor | None, padding: int, widths: list[int]) -> Iterator[Tensor]:
    """Yield the rows of the table that the filters of each width sum, int64, shape (n, n_steps, width)."""
    n_steps, is_padding = words.shape[1], None
    if ends is not None:
        is_padding = torch.arange(n_steps) >= ends.unsqueeze(1)
        words = words.masked_fill(is_padding, padding)
    before, after, first = (max(widths) - 1) // 2, max(widths) // 2, 0
    padded = F.pad(words, (before, after), value=padding) * sum(widths)
    for width in widths:
        start = before - (width - 1) // 2
        rows = padded[:, start : start + n_steps + width - 1].unfold(1, width, 1)
        rows = rows + torch.arange(first, first + width)
        if is_padding is not None:  # padding repeats the first step, which does not change the maximum
            rows = torch.where(is_padding.unsqueeze(2), rows[:, :1], rows)
        yield rows
        first += width


def sum_rows(table: Tensor, rows: Tensor) -> Tensor:
    """Sum rows of a table.

    Parameters
    ----------
    table : Tensor of float, shape (n_rows, size)
        Table.
    rows : Tensor of int64, shape (n, n_steps, k)
        Rows of each sum.

    Returns
    -------
    Tensor of float, shape (n, n_steps, size)
    """
    return F.embedding_bag(rows.flatten(0, 1), table, mode="sum").view(*rows.shape[:2], -1)


class _MaxOfSums(torch.autograd.Function):
    """Maximum over the steps of sums of rows; the gradient flows to the rows of the maxima only."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, *rows: Tensor) -> Tensor:
        maxima, max_rows = [], []
        for group in rows:
            sums = sum_rows(table, group)
            maxima.append(sums.amax(1))
            if ctx.needs_input_grad[0]:
                max_rows.append(group.gather(1, _find_steps(sums, maxima[-1], group.shape[2])))
        ctx.save_for_backward(*max_rows)
        ctx.shape = table.shape
        return torch.cat(maxima, dim=1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        size = ctx.shape[1]
        flat = grad.new_zeros(ctx.shape).view(-1)
        for rows, part in zip(ctx.saved_tensors, grad.split(size, dim=1), strict=True):
            entries = rows * size + torch.arange(size).unsqueeze(1)
            flat.scatter_add_(0, entries.flatten(), part.unsqueeze(2).expand(rows.shape).flatten())
        return flat.view(ctx.shape), *(None for _ in ctx.saved_tensors)


def _find_steps(sums: Tensor, maxima: Tensor, n: int) -> Tensor:
    """Find the last step of each maximum; twenty times as fast as argmax, which finds the first.

    Parameters
    ----------
    sums : Tensor of float, shape (n_texts, n_steps, size)
        Sums of all steps; overwritten.
    maxima : Tensor of float, shape (n_texts, size)
        Maxima over the steps.
    n : int
        Length of the last axis, over which the steps are repeated.

    Returns
    -------
    Tensor of int64, shape (n_texts, size, n)
    """
    steps = torch.arange(sums.shape[1], dtype=sums.dtype).unsqueeze(1)
    last = torch.add(steps, sums.sub_(maxima.unsqueeze(1)), alpha=1e30).amax(1)  # other steps are negative
    return last.nan_to_num(0.0).long().unsqueeze(2).expand(-1, -1, n)
