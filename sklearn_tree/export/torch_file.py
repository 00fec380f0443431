"""Files of torch.export."""

from __future__ import annotations

import os
from typing import Any

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.export import Dim

from sklearn_tree.estimators.wrapped import split_estimator
from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.files import replacing
from sklearn_tree.nn import ConvolutionalNet, ImageBatch, RecurrentNet, SequenceBatch
from sklearn_tree.trees.flat import N_RESERVED_IDS
from sklearn_tree.validation import POSITIVE_INT

_MAX_SAMPLES = 2**20  # of a batch


def to_torch_export(estimator: Any, path: str | os.PathLike, *, n_steps: int | None = None) -> None:
    """Write the net of a fitted RNN or CNN estimator as a program of ``torch.export``.

    ``torch.export.load(path).module()`` maps encoded samples to logits. Its arguments are, for tokens, ids of
    int64, shape (n, n_steps); for series, float64, shape (n, n_steps, n_channels); for tables, float64, shape
    (n, n_columns), each followed by the number of steps of each sample, int64, shape (n,); and for images,
    float64, shape (n, height, width, n_channels). The number of samples may differ from call to call. The
    file has neither the vocabulary nor the classes, see :func:`to_onnx` for a file that has.

    Parameters
    ----------
    estimator : estimator
        Fitted RNN or CNN estimator, or a pipeline or search that ends in one. Earlier steps are not written.
    path : str or path
        File, usually with the suffix ".pt2", which is replaced only after everything has been written.
    n_steps : int, default=None
        Number of steps of all samples, padding included. It is required for recurrent nets of texts and
        series, because torch cannot export recurrent layers for several lengths. None allows any number of
        steps.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator does not end in a net of this package.
    ValueError
        If ``n_steps`` is not an int >= 1, None for a recurrent net, or an int for images or tables.
    NotExportableError
        If the net is recursive or reads pairs, or torch cannot export it.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from sklearn_tree import CNNClassifier
    >>> from sklearn_tree.export import to_torch_export
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> clf = CNNClassifier(random_state=0).fit(texts, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_torch_export(clf, f"{folder}/net.pt2")
    ...     program = torch.export.load(f"{folder}/net.pt2").module()
    >>> ids = torch.tensor([row.tolist() for row in clf.vectorizer_.transform(["a good film"])])
    >>> program(ids, torch.tensor([3])).argmax(1).tolist(), clf.predict(["a good film"]).tolist()
    ([1], [1])
    """
    check_is_fitted(estimator)
    net = split_estimator(estimator, with_transformed_targets=False)[1]
    check_is_fitted(net)
    module = net.net_.module_
    if type(module) not in (RecurrentNet, ConvolutionalNet):
        raise NotExportableError(
            "to_torch_export requires an RNN or CNN estimator of single samples, got "
            f"{type(net).__name__} for {net.input_kind_}: use to_onnx"
        )
    if n_steps is not None and not POSITIVE_INT.is_satisfied_by(n_steps):
        raise ValueError(f"n_steps must be an int >= 1 or None, got {n_steps!r}")
    is_table = getattr(module.embedding, "values", None) is not None
    if n_steps is not None and (is_table or getattr(module.encoder, "is_image", False)):
        raise ValueError(f"n_steps must be None for samples of the kind {net.input_kind_!r}, got {n_steps}")
    if n_steps is None and type(module) is RecurrentNet and not is_table:
        raise ValueError(
            "n_steps must be an int for a recurrent net, got None: torch exports recurrent layers for a "
            "fixed number of steps"
        )
    program = _export(module, n_steps)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.export.save(program, file)


class _SequenceProgram(nn.Module):
    """Logits of sequences as a function of tensors."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """Compute the logits, shape (n, n_outputs)."""
        labels, values = (None, steps) if steps.is_floating_point() else (steps, None)
        if steps.ndim == 2 and values is not None:
            labels = torch.arange(N_RESERVED_IDS, N_RESERVED_IDS + steps.shape[1]).expand(steps.shape)
        return _compute_logits(self.net, SequenceBatch(lengths, labels, values))


class _ImageProgram(nn.Module):
    """Logits of images as a function of a tensor."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, values: Tensor) -> Tensor:
        """Compute the logits, shape (n, n_outputs)."""
        return _compute_logits(self.net, ImageBatch(values))


def _compute_logits(net: Any, batch: Any) -> Tensor:
    """Compute the logits of a batch without the tables of distinct words, which torch cannot export."""
    return net.forward_embedded(net.embed(batch), batch)


def _export(net: Any, n_steps: int | None) -> Any:
    is_image = type(net) is ConvolutionalNet and net.encoder.is_image
    arguments, sizes = _example(net, n_steps or 12, is_image=is_image)
    free = Dim.AUTO if n_steps is None else None
    n = Dim("n", min=1, max=_MAX_SAMPLES)
    is_table = arguments[0].ndim == 2 and arguments[0].is_floating_point()
    axes = {0: n} if is_table else {0: n, **dict.fromkeys(range(1, sizes + 1), free)}
    shapes = (axes,) if is_image else (axes, {0: n})
    program = (_ImageProgram if is_image else _SequenceProgram)(net).eval()
    try:
        with torch.no_grad():
            return torch.export.export(program, arguments, dynamic_shapes=shapes)
    except Exception as error:  # of many classes
        raise NotExportableError(f"torch cannot export the net: {error}") from error


def _example(net: Any, n_steps: int, *, is_image: bool) -> tuple[tuple[Tensor, ...], int]:
    """Return arguments of a program, and the number of their axes whose size may change besides the first."""
    device = net.head.weight.device
    if is_image:
        image = (3, 20, 24, len(net.embedding.standardize.shift))
        return (torch.zeros(image, dtype=torch.float64, device=device),), 2
    if not hasattr(net.embedding, "labels"):
        shape = (3, n_steps, len(net.embedding.standardize.shift))
        steps = torch.zeros(shape, dtype=torch.float64, device=device)
    elif net.embedding.values is None:
        steps = torch.zeros((3, n_steps), dtype=torch.int64, device=device)
    else:
        n_steps = net.embedding.labels.num_embeddings - N_RESERVED_IDS
        steps = torch.zeros((3, n_steps), dtype=torch.float64, device=device)
    return (steps, torch.tensor([n_steps, 1, n_steps], device=device)), 1
