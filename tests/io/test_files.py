"""Files of save and load."""

import pickle
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from io_cases import CASES, all_outputs
from samples import BRACKETS, TABLE, TEXTS, Y, outputs, quick
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EpochScoring
from test_persistence import make_cases
from user_cells import SoftSumCell

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    TreeParser,
    TreeVectorizer,
    load,
    save,
)

TESTS = Path(__file__).parent.parent
PARAMS = {
    "bfloat16": {"precision": "bfloat16"},
    "early stopping": {"early_stopping": True, "max_epochs": 3},
    "calibrated": {"calibrate": "temperature"},
    "random state": {"random_state": np.random.RandomState(3)},
    "class weight": {"class_weight": {0: 1.0, 1: 2.5}},
    "optimizer": {"optimizer": torch.optim.SGD, "lr": 0.1},
    "net_params": {"optimizer": "sgd", "net_params": {"optimizer__momentum": 0.5}},
    "vectors": {"embeddings": (["works", "fails", "new"], np.eye(3, 5))},
    "tensor of vectors": {"embeddings": (["works", "fails", "new"], torch.eye(3, 5))},
    "mapping of vectors": {"embeddings": {"works": np.ones(4), "fails": np.zeros(4)}},
    "frozen vectors": {"embeddings": {"works": np.ones(4)}, "freeze_embeddings": True},
    "linear path": {"linear_path": True},
    "gru": {"cell": "gru", "n_layers": 2, "pooling": "max"},
}
LOAD_ALL = """
import sys
from pathlib import Path
import numpy as np, torch
from io_cases import CASES, all_outputs
import sklearn_tree
torch.set_num_threads(1)
for i, (name, (cls, X, y)) in enumerate(CASES.items()):
    net = sklearn_tree.load(Path(sys.argv[1]) / f"{i}.safetensors", device="cpu")
    assert type(net) is cls
    with np.load(Path(sys.argv[1]) / f"{i}.npz") as expected:
        for k, part in enumerate(all_outputs(net, X)):
            np.testing.assert_array_equal(part, expected[f"arr_{k}"])
print(len(CASES), "loaded")
"""


def run(code, *arguments):
    """Run code in a new process and return its output."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    path = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=path)
    assert not done.returncode, done.stderr
    return done.stdout


def saved(estimator, tmp_path, **options):
    """Save an estimator and load it again."""
    save(estimator, tmp_path / "file")
    return load(tmp_path / "file", **{"device": "cpu", **options})


@pytest.mark.slow
def test_all_kinds_and_targets_predict_the_same_in_another_process(tmp_path):
    for i, (cls, X, y) in enumerate(CASES.values()):
        net = quick(cls).fit(X, y)
        save(net, tmp_path / f"{i}.safetensors")
        np.savez(tmp_path / f"{i}.npz", *all_outputs(net, X))
    assert f"{len(CASES)} loaded" in run(LOAD_ALL, tmp_path)


def test_all_public_objects_can_be_saved(tmp_path):
    for name, (item, results_of) in make_cases().items():
        if name == "TreeNode":  # a tuple
            continue
        loaded = saved(item, tmp_path)
        assert type(loaded) is type(item)
        for expected, result in zip(results_of(item), results_of(loaded), strict=True):
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", PARAMS)
def test_parameters_survive(name, tmp_path):
    net = quick(RNNClassifier, **PARAMS[name]).fit(TEXTS, Y)
    loaded = saved(net, tmp_path)
    for X in (TEXTS, ["it is new"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unknown words
            np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert loaded.history_.equals(net.history_)
    changed = {"random_state", "embeddings", "device"}
    params, others = net.get_params(), loaded.get_params()
    assert {k: v for k, v in params.items() if k not in changed} == {
        k: v for k, v in others.items() if k not in changed
    }


@pytest.mark.parametrize("params", [{}, {"weight_averaging": "ema"}])
def test_training_goes_on_with_the_same_bits(params, tmp_path):
    net = quick(RNNClassifier, warm_start=True, **params).fit(TEXTS, Y)
    loaded = saved(net, tmp_path)
    for other in (net, loaded):
        other.fit(TEXTS, Y)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), net.predict_proba(TEXTS))
    assert len(loaded.history_) == 4


def test_a_random_state_draws_the_same_numbers(tmp_path):
    net = quick(RNNClassifier, random_state=np.random.RandomState(5)).fit(TEXTS, Y)
    loaded = saved(net, tmp_path)
    assert loaded.random_state.randint(2**31) == net.random_state.randint(2**31)


def test_doubles_stay_doubles(tmp_path):
    net = quick(CNNClassifier).fit(TABLE, Y)
    loaded = saved(net, tmp_path)
    assert {weight.dtype for weight in loaded.net_.module_.parameters()} == {torch.float64}
    np.testing.assert_array_equal(loaded.predict_proba(TABLE), net.predict_proba(TABLE))


def test_pipelines_of_our_steps(tmp_path):
    pipe = make_pipeline(TreeParser("json"), TreeVectorizer(), quick(RecursiveNetClassifier))
    X = [f'{{"it": ["{"works" if y else "fails"}"]}}' for y in Y]
    loaded = saved(pipe.fit(X, Y), tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(X), pipe.predict_proba(X))
    with pytest.raises(TypeError, match=r"StandardScaler.*skops\.io\.dump"):
        save(make_pipeline(StandardScaler(), quick(RNNClassifier)).fit(TABLE, Y), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_unfitted_estimators_can_be_saved(tmp_path):
    loaded = saved(quick(RNNClassifier, lr=0.125), tmp_path)
    assert loaded.lr == 0.125
    assert not hasattr(loaded, "net_")


def test_a_cell_of_the_user_must_be_passed(tmp_path):
    net = quick(RecursiveNetClassifier, cell=SoftSumCell).fit(BRACKETS, Y)
    with pytest.raises(ValueError, match=r"cell 'SoftSumCell', which must be in cells, got \[\]"):
        saved(net, tmp_path)
    loaded = saved(net, tmp_path, cells=[SoftSumCell])
    np.testing.assert_array_equal(loaded.predict_proba(BRACKETS), net.predict_proba(BRACKETS))


def test_callbacks_are_left_out_with_a_warning(tmp_path):
    scoring = EpochScoring("accuracy", name="accuracy")
    net = quick(RNNClassifier, callbacks=[scoring]).fit(TEXTS, Y)
    with pytest.warns(UserWarning, match="the callbacks of RNNClassifier are not saved"):
        loaded = saved(net, tmp_path)
    assert loaded.callbacks is None
    assert net.callbacks == [scoring]
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), net.predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SequenceVectorizer(tokenizer=str.split), r"SequenceVectorizer\['tokenizer'\]"),
        (
            lambda: quick(RNNClassifier, net_params={"a": {1, 2}}),
            r"net_params'\]\['a'\] cannot be saved.*set",
        ),
        (lambda: type("Mine", (RNNClassifier,), {})(), "Mine cannot be saved"),
        (lambda: RNNClassifier, "cannot be saved"),
        (lambda: np.array(["2020"], "datetime64[Y]"), "must hold numbers or str"),
    ],
)
def test_objects_that_cannot_be_saved_are_named(make, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save(make(), tmp_path / "file")
    assert not [*tmp_path.iterdir()]


def test_paths_are_not_saved(tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("works 1 2\nfails 2 1\n")
    net = quick(RNNClassifier, embeddings=str(vectors)).fit(TEXTS, Y)
    with pytest.raises(ValueError, match="embeddings must not be the path of a file"):
        save(net, tmp_path / "file")
    with pytest.raises(ValueError, match="model must be the name of a model of spaCy"):
        save(TreeParser("spacy", model="./folder"), tmp_path / "file")
    with pytest.raises(ValueError, match="memory must be None"):
        save(make_pipeline(TreeVectorizer(), memory="folder"), tmp_path / "file")
    save(TreeParser("spacy", model="en_core_web_sm"), tmp_path / "file")  # the control


def test_the_device_becomes_the_parameter(tmp_path):
    net = quick(RNNClassifier, device="cpu").fit(TEXTS, Y)
    save(net, tmp_path / "file")
    loaded = load(tmp_path / "file")
    assert loaded.device == "auto"
    with pytest.raises(ValueError, match=r"device 'cuda:9' is not available"):
        load(tmp_path / "file", device="cuda:9")


def test_the_file_is_a_valid_safetensors_file_and_as_small_as_its_weights(tmp_path):
    from safetensors.numpy import load_file

    net = quick(RNNClassifier, hidden_size=64).fit(TEXTS, Y)
    save(net, tmp_path / "file")
    weights = net.net_.module_.state_dict().values()
    arrays = load_file(tmp_path / "file")
    assert sum(array.nbytes for array in arrays.values()) > sum(weight.nbytes for weight in weights)
    assert b'"class": "RNNClassifier"' in arrays["state"].tobytes()
    n_bytes = sum(weight.nbytes for weight in weights)
    assert (tmp_path / "file").stat().st_size < n_bytes + 6000
    assert len(pickle.dumps(net)) < n_bytes + 6000


def test_a_killed_save_leaves_the_old_file(tmp_path):
    code = (
        "import sys, numpy as np, sklearn_tree, safetensors.numpy as s\n"
        "real = s.save_file\n"
        "def slow(*args):\n"
        "    real(*args); print('written', flush=True); import time; time.sleep(60)\n"
        "s.save_file = slow\n"
        "sklearn_tree.save(sklearn_tree.ToDevice('cpu').fit(np.ones((5, 2))), sys.argv[1])"
    )
    save(quick(RNNClassifier).fit(TEXTS, Y), tmp_path / "file")
    before = (tmp_path / "file").read_bytes()
    command = [sys.executable, "-c", code, tmp_path / "file"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "written\n"
        child.send_signal(signal.SIGKILL)
    assert (tmp_path / "file").read_bytes() == before


def test_a_file_of_format_version_1_stays_loadable():
    folder = Path(__file__).parent / "data"
    with np.load(folder / "expected.npz") as expected, warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)  # saved with earlier versions
        for name, X in (("trees", BRACKETS), ("texts", TEXTS)):
            loaded = load(folder / f"{name}.safetensors", device="cpu")
            np.testing.assert_allclose(outputs(loaded, X), expected[name], atol=1e-6)


def test_another_version_of_the_package_warns(tmp_path, monkeypatch):
    net = quick(RNNClassifier).fit(TEXTS, Y)
    with monkeypatch.context() as patch:
        patch.setattr("sklearn_tree.__version__", "0.0.1")
        save(net, tmp_path / "file")
    with pytest.warns(InconsistentVersionWarning, match=r"sklearn_tree 0\.0\.1"):
        load(tmp_path / "file")


def test_loading_draws_no_random_numbers(tmp_path):
    save(quick(RNNClassifier).fit(TEXTS, Y), tmp_path / "file")
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    load(tmp_path / "file")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


class CountedLoss(torch.nn.Module):
    """Loss with a weight of its own."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, outputs, y):
        return torch.nn.functional.cross_entropy(outputs * self.scale, y) + 0.01 * self.scale**2


@pytest.mark.parametrize(
    ("cls", "X", "params"),
    [
        (RNNClassifier, TEXTS, {"net_params": {"criterion": CountedLoss}, "lr": 0.1}),
        (CNNClassifier, TABLE, {"optimizer": "nadam", "lr": 0.01}),
        (RNNClassifier, TEXTS, {"optimizer": "adagrad", "weight_decay": 0.0}),
    ],
)
def test_losses_and_optimizers_go_on_with_the_same_bits(cls, X, params):
    net = quick(cls, warm_start=True, **params).fit(X, Y)
    loaded = pickle.loads(pickle.dumps(net))
    for other in (net, loaded):
        other.fit(X, Y)
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))


def test_adagrad_without_decay_can_be_saved(tmp_path):
    net = quick(RNNClassifier, optimizer="adagrad", weight_decay=0.0).fit(TEXTS, Y)
    np.testing.assert_array_equal(saved(net, tmp_path).predict_proba(TEXTS), net.predict_proba(TEXTS))


def test_a_shared_random_state_stays_shared(tmp_path):
    random_state = np.random.RandomState(0)
    steps = [CaptumExplainer(quick(RNNClassifier, random_state=random_state)), quick(CNNClassifier)]
    pipe = make_pipeline(*steps).set_params(cnnclassifier__random_state=random_state)
    loaded = saved(pipe, tmp_path)
    assert loaded[0].estimator.random_state is loaded[1].random_state


def test_surrogates_stay_apart(tmp_path):
    vectorizer = SequenceVectorizer().fit([["\ud83d\ude00", "\U0001f600", "\ud83d"]])
    assert saved(vectorizer, tmp_path).vocabulary_ == vectorizer.vocabulary_


def test_invalid_parameters_are_refused_before_they_are_saved(tmp_path):
    net = quick(RNNClassifier).fit(TEXTS, Y).set_params(lr=-1.0)
    with pytest.raises(ValueError, match="lr"):
        save(net, tmp_path / "file")
    net.set_params(lr=0.1, net_params={"compile": True})
    with pytest.raises(ValueError, match="net_params must not contain 'compile'"):
        save(net, tmp_path / "file")
    assert not [*tmp_path.iterdir()]


def test_modes_of_the_caller_do_not_matter(tmp_path):
    net = quick(RNNClassifier, warm_start=True).fit(TEXTS, Y)
    save(net, tmp_path / "file")
    for mode in (torch.inference_mode(), torch.device("meta"), torch.no_grad()):
        with mode:
            loaded = load(tmp_path / "file", device="cpu")
        np.testing.assert_array_equal(loaded.predict_proba(TEXTS), net.predict_proba(TEXTS))
        loaded.fit(TEXTS, Y)
