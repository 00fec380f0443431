"""Programs of torch.export compute the logits of the nets for other numbers of samples and steps."""

import numpy as np
import pytest
import torch
from onnx_helpers import assert_close, logits, shaken
from samples import BRACKETS, PIXELS, TABLE, TEXTS, WAVES, Y, quick

from sklearn_tree import CNNClassifier, CNNRegressor, RecursiveNetClassifier, RNNClassifier, RNNRegressor
from sklearn_tree.export import NotExportableError, to_torch_export

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch


def run_program(path, net, X, n_steps=None):
    """Compute the logits by the program in a file."""
    kind = net.kind_
    encoded = kind.to_host(kind.read(X))
    inputs = kind.inputs(encoded, np.arange(len(encoded)))
    steps = inputs["labels"] if "labels" in inputs else inputs["values"]
    if n_steps is not None:
        steps = np.pad(steps, [(0, 0), (0, n_steps - steps.shape[1])] + [(0, 0)] * (steps.ndim - 2))
    arguments = [steps] if "lengths" not in inputs else [steps, inputs["lengths"]]
    return torch.export.load(path).module()(*map(torch.from_numpy, arguments)).detach().numpy()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_programs_have_one_length_and_any_number_of_samples(cell, tmp_path):
    net = shaken(RNNClassifier, TEXTS, Y, cell=cell, linear_path=True)
    to_torch_export(net, tmp_path / "net.pt2", n_steps=20)
    for X in (TEXTS, TEXTS[:1], [*TEXTS, ""]):
        assert_close(run_program(tmp_path / "net.pt2", net, X, 20), logits(net, X))


@pytest.mark.parametrize("params", [{}, {"n_blocks": 2}])
def test_convolutional_programs_have_any_length(params, tmp_path):
    net = shaken(CNNClassifier, TEXTS, Y, linear_path=True, **params)
    to_torch_export(net, tmp_path / "net.pt2")
    for X in (TEXTS, ["it works " * 30, "it"]):
        assert_close(run_program(tmp_path / "net.pt2", net, X), logits(net, X))


def test_series_images_and_tables(tmp_path):
    cases = [
        (shaken(CNNRegressor, WAVES, Y, n_blocks=None), WAVES[:5]),
        (shaken(CNNRegressor, PIXELS, Y, n_blocks=2, input_kind="image"), np.tile(PIXELS, (1, 4, 4))[:3]),
        (shaken(RNNRegressor, TABLE, Y), TABLE[:4]),
    ]
    for net, X in cases:
        to_torch_export(net, tmp_path / "net.pt2")
        assert_close(run_program(tmp_path / "net.pt2", net, X), logits(net, X))


def test_nets_that_torch_cannot_export_are_refused(tmp_path):
    net = shaken(RNNClassifier, TEXTS, Y)
    with pytest.raises(ValueError, match="n_steps must be an int for a recurrent net"):
        to_torch_export(net, tmp_path / "net.pt2")
    with pytest.raises(ValueError, match="n_steps must be an int >= 1"):
        to_torch_export(net, tmp_path / "net.pt2", n_steps=0)
    with pytest.raises(NotExportableError, match="got RecursiveNetClassifier for trees: use to_onnx"):
        to_torch_export(shaken(RecursiveNetClassifier, BRACKETS, Y), tmp_path / "net.pt2")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("X", [TABLE, PIXELS[..., None]])
def test_steps_are_refused_for_tables_and_images(X, tmp_path):
    net = quick(CNNClassifier).fit(X, Y)
    with pytest.raises(ValueError, match="n_steps must be None for samples of the kind"):
        to_torch_export(net, tmp_path / "net.pt2", n_steps=5)
