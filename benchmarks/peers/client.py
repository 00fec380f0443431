"""Clients of the peers: nets of other libraries, each in a separate process."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from workloads import Workload

    from sklearn_tree.nn import RecursiveNet

HERE = Path(__file__).parent


class PeerSpec(NamedTuple):
    """Script of a peer, its virtual environment and the cells that it implements."""

    script: str
    venv: str
    cells: tuple[str, ...]


BOTH_CELLS = ("nary_lstm", "child_sum_lstm")
PEERS = {
    "torchfold": PeerSpec("torchfold_peer.py", "fold", BOTH_CELLS),
    "pytorch-tree-lstm": PeerSpec("tree_lstm_peer.py", "fold", ("child_sum_lstm",)),
    "dynet": PeerSpec("dynet_peer.py", "dynet", BOTH_CELLS),
    "dgl": PeerSpec("dgl_peer.py", "dgl", BOTH_CELLS),
    "keras": PeerSpec("keras_peer.py", "keras", ()),
}


def installed_peers(venvs: Path) -> list[str]:
    """Return the names of the peers that ``install.py`` has installed in a folder."""
    return [name for name, spec in PEERS.items() if (venvs / spec.venv / "packages.txt").exists()]


def write_workload(path: Path, work: Workload, net: RecursiveNet, lr: float) -> None:
    """Write the trees and the initial weights for all peers."""
    cell = net.encoder.cell
    modules = {"embedding": net.embedding.labels, "W": cell.W, "U": cell.U, "U_k": cell.U_k}
    columns = {name: module.weight for name, module in modules.items() if module is not None}
    columns |= {"b": cell.W.bias, "head_w": net.head.weight, "head_b": net.head.bias}
    np.savez(
        path,
        labels=work.X.labels.astype(np.int64),
        parents=work.X.parents.astype(np.int64),
        offsets=work.X.offsets,
        y=work.y.astype(np.int64),
        cell=work.params["cell"],
        lr=lr,
        **{name: weight.detach().float().cpu().numpy() for name, weight in columns.items()},
    )


class Peer:
    """Peer that works on a file of :func:`write_workload`; every command starts from the weights in the file.

    Parameters
    ----------
    name : str
        Key of ``PEERS``.
    venvs : Path
        Folder with the environments made by ``install.py``.
    file : Path
        Workload file.
    batch_size, n_threads : int
        Number of trees in a batch and of threads (``dynet`` always uses one).
    """

    def __init__(self, name: str, venvs: Path, file: Path, batch_size: int, n_threads: int) -> None:
        spec = PEERS[name]
        self.name = name
        self._process = subprocess.Popen(
            [venvs / spec.venv / "bin" / "python", HERE / spec.script, file, str(batch_size), str(n_threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(n_threads)},
        )

    def logits(self, n: int) -> np.ndarray:
        """Return the logits of the first ``n`` trees, shape (n, n_classes)."""
        return self._array("logits", n)

    def steps(self, k: int) -> np.ndarray:
        """Return the logits of the first batch after Adagrad steps on the first ``k`` batches."""
        return self._array("steps", k)

    def fit(self) -> float:
        """Return the seconds of one training epoch."""
        return self._ask("fit")["seconds"]

    def predict(self) -> float:
        """Return the seconds of predicting all trees."""
        return self._ask("predict")["seconds"]

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.communicate("quit\n")

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _array(self, command: str, number: int) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "logits.npy"
            self._ask(f"{command} {number} {path}")
            return np.load(path)

    def _ask(self, command: str) -> dict:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(command + "\n")
            stdin.flush()
            reply = stdout.readline()
        except BrokenPipeError:
            reply = ""
        if not reply:
            raise RuntimeError(f"{self.name} ended with exit status {self._process.wait()}")
        return json.loads(reply)
