"""Code of the page about several processes and machines."""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from samples import BRACKETS, TEXTS, Y
from sklearn.model_selection import GridSearchCV

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, TreeArray

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.rst").read_text()
BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", PAGE, re.M)
]
PRELUDE = f"""
from sklearn_tree import RNNClassifier
trees, texts, y = {BRACKETS}, {TEXTS}, {Y.tolist()}
texts_train, y_train, texts_val, y_val = texts[8:], y[8:], texts[:8], y[:8]
"""


def block_with(text):
    """Return the only block with a text."""
    (block,) = (block for block in BLOCKS if text in block)
    return block


def start(folder, code):
    """Start a script in a new process."""
    script = folder / "script.py"
    script.write_text(PRELUDE + code)
    return subprocess.Popen([sys.executable, str(script)], cwd=folder, stderr=subprocess.PIPE, text=True)


def finish(*processes):
    """Wait for processes, all of which must succeed."""
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


def test_all_blocks_are_valid_python():
    assert len(BLOCKS) > 8
    for block in BLOCKS:
        ast.parse(block)


def test_a_search_runs_on_dask(dask_client):
    block, n_clusters = re.subn(r"cluster = LocalCluster\(.*?\)", "", block_with("LocalCluster(n"))
    assert n_clusters == 1
    names = {
        "GridSearchCV": GridSearchCV,
        "clf": RecursiveNetClassifier(max_epochs=2, random_state=0),
        "cluster": dask_client.cluster,
        "trees": TreeArray.from_trees(BRACKETS),
        "y": Y,
    }
    exec(block, names)
    assert names["search"].predict(names["trees"]).shape == Y.shape


@pytest.mark.filterwarnings("ignore::FutureWarning")  # optuna calls what it deprecates
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_search_is_pruned():
    optuna = pytest.importorskip("optuna")
    pytest.importorskip("optuna_integration")
    names = {"RNNClassifier": RNNClassifier, "texts": TEXTS, "y": Y}
    exec(block_with("OptunaSearchCV("), names)
    states = [trial.state for trial in names["search"].trials_]
    assert len(states) == 20
    assert optuna.trial.TrialState.PRUNED in states


def test_two_processes_share_a_study_and_prune_its_trials(environment, tmp_path):
    optuna = pytest.importorskip("optuna")
    pytest.importorskip("optuna_integration")
    code = block_with("JournalStorage(").replace(
        "def objective(trial):\n", "def objective(trial):\n    trial.set_user_attr('process', os.getpid())\n"
    )
    finish(*(start(tmp_path, "import os\n" + code) for _ in range(2)))
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
    study = optuna.load_study(study_name="texts", storage=optuna.storages.JournalStorage(backend))
    assert len(study.trials) == 20
    assert len({trial.user_attrs["process"] for trial in study.trials}) == 2
    pruned = study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    complete = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    assert len(pruned) + len(complete) == 20
    assert pruned
    assert all(len(trial.intermediate_values) == 8 for trial in complete)
    assert any(len(trial.intermediate_values) < 8 for trial in pruned)


def test_a_script_trains_a_net_with_an_accelerator(environment, tmp_path):
    pytest.importorskip("accelerate")
    code = block_with("Accelerator()").replace("Accelerator()", "Accelerator(cpu=True)")
    finish(start(tmp_path, f"import numpy as np\ny = np.array(y)\n{code}\nassert len(net.history) > 1\n"))
    assert (tmp_path / "net.pt").exists()
