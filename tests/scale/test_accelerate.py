"""Training of one net in two processes, with accelerate."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import accelerated_training
import numpy as np
import pytest
from accelerated_training import CASES, CLASSES, N_REPEATS, PARAMS, SEQUENCES, TREES, train
from samples import Y

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.estimators.batches import BatchIterator

pytest.importorskip("accelerate")


@pytest.fixture(scope="module")
def processes(environment, tmp_path_factory):
    """Results of two processes."""
    folder = tmp_path_factory.mktemp("accelerate")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, str(Path(accelerated_training.__file__)), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return [json.loads((folder / f"{i}.json").read_text()) for i in range(2)]


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_losses_and_predictions_of_one(name, processes):
    one = train(name)
    for process in processes:
        np.testing.assert_allclose(process[name]["losses"], one["losses"], atol=1e-5)
        np.testing.assert_allclose(process[name]["predictions"], one["predictions"], atol=1e-5)
    assert processes[0][name] == processes[1][name]
    half = train(name, batch_size=PARAMS["batch_size"] // 2)
    assert np.abs(np.subtract(half["losses"], one["losses"])).max() > 1e-3


def test_processes_validate_the_same_samples(processes):
    rows = [process["validation rows"] for process in processes]
    assert rows[0] == rows[1]
    assert 0 < len(rows[0]) < len(Y) * N_REPEATS


def test_batches_with_fewer_samples_than_processes_are_refused():
    accelerator = SimpleNamespace(process_index=0, num_processes=2)
    net = RecursiveNetClassifier(**PARAMS | {"batch_size": 1})
    with pytest.raises(ValueError, match=r"batch_size must be >= 2, the number of processes .*, got 1"):
        net.make_net(TREES, CLASSES, accelerator)
    net.make_net(TREES, CLASSES)


# Batches.


@pytest.fixture
def dataset():
    """Return 96 texts as a dataset."""
    return CASES["texts"][0].make_net(SEQUENCES, CASES["texts"][2]).get_dataset(SEQUENCES, CASES["texts"][2])


@pytest.mark.parametrize("n_processes", [2, 3, 4])
def test_shares_of_processes_cover_each_batch_once(dataset, n_processes):
    whole = list(BatchIterator(dataset, 10))
    shares = [list(BatchIterator(dataset, 10, share=(i, n_processes))) for i in range(n_processes)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert sum(len(X) for X, _ in parts) == len(batch[0])
        weights = np.concatenate(
            [np.ones(len(X)) if X.sample_weight is None else X.sample_weight.numpy() for X, _ in parts]
        )
        classes = np.concatenate([y.numpy() for _, y in parts])
        assert sorted(classes) == sorted(batch[1].numpy())
        means = [
            np.mean(y.numpy() * (1 if X.sample_weight is None else X.sample_weight.numpy())) for X, y in parts
        ]
        assert np.mean(means) == pytest.approx(batch[1].numpy().mean())
        assert (len(batch[0]) % n_processes == 0) == np.allclose(weights, 1)


def test_a_batch_with_fewer_samples_than_processes_is_skipped(dataset):
    n = len(TREES)
    for share, n_batches in {(0, 1): 2, (0, 2): 1, (1, 2): 1}.items():
        batches = BatchIterator(dataset, n - 1, share=share)
        assert len(batches) == len(list(batches)) == n_batches
