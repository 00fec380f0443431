"""Execution of requests: chunks, modes, threads, random generators and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.explain.cost import check_cost
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods import Method
from sklearn_tree.explain.request import Attributions, Request
from sklearn_tree.randomness import own_generators


def run(method: Method, request: Request, verbose: int) -> Attributions:
    """Explain all samples of a request.

    Parameters
    ----------
    method : Method
        Method of attribution.
    request : Request
        The samples and the settings.
    verbose : int
        1 shows a progress bar.
    """
    n = len(request.encoded)
    found = Attributions.allocate(n)
    with isolate(request.net, request.encoded, request.seed), progress_bar(n, verbose) as advance:
        check_cost(method, request)
        for rows in method.chunks(request):
            found.insert(method.run(request, rows))
            advance(len(rows))
    return found


@contextmanager
def isolate(net: ExplainedNet, encoded: Any, seed: int) -> Iterator[None]:
    """Limit torch's threads inside the block, set its modes and seed its generators; restore them afterwards.

    Convolutions on a GPU compute in full precision. Recurrent layers do not use cuDNN, which computes no
    gradients of theirs in evaluation mode.

    Parameters
    ----------
    net : ExplainedNet
        The net.
    encoded : encoded samples
        Samples that are computed in the block.
    seed : int
        Seed of the generators.
    """
    with ExitStack() as stack:
        stack.enter_context(default_modes())
        stack.enter_context(net.limit_threads(encoded))
        stack.enter_context(own_generators(seed))
        if net.device.type == "cuda":
            is_recurrent = any(isinstance(module, nn.RNNBase) for module in net.module.modules())
            stack.enter_context(torch.backends.cudnn.flags(enabled=not is_recurrent, allow_tf32=False))
        yield


@contextmanager
def progress_bar(n: int, verbose: int) -> Iterator[Callable[[int], Any]]:
    """Show a progress bar inside the block if ``verbose``, and yield the function that advances it.

    Parameters
    ----------
    n : int
        Number of samples.
    verbose : int
        0 shows nothing.
    """
    if not verbose:
        yield lambda n_done: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n, desc="explaining", unit="sample") as bar:
        yield bar.update
