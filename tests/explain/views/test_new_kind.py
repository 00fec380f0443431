"""A new kind of samples, sets of vectors, is explained with a view that inherits the defaults."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from explain_helpers import QUICK, Y, fit_explainer
from torch import nn

from sklearn_tree import RaggedArray, RNNClassifier
from sklearn_tree.explain import views
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.metrics import deletion_curve
from sklearn_tree.explain.views import View, find_view, register_view
from sklearn_tree.kinds import Kind, Series


@dataclass(frozen=True)
class SetBatch:
    """Sets of vectors, padded with zeros."""

    lengths: torch.Tensor
    values: torch.Tensor
    sample_weight: torch.Tensor | None = None

    def __len__(self):
        return len(self.lengths)

    def to(self, device):
        return replace(self, lengths=self.lengths.to(device), values=self.values.to(device))


class Sets(Kind):
    """Sets of vectors with two elements."""

    name = "sets"
    n_channels_in_ = 2

    def fit(self, X):
        return self.encode(X)

    def encode(self, X):
        return RaggedArray.from_sequences(X)

    def accepts(self, X):
        return True

    def module_params(self, encoded, sample_weight):
        return {}

    def dtype(self, encoded):
        return torch.float32

    def n_positions(self, encoded):
        return encoded.sizes

    def n_bytes(self, encoded):
        return encoded.values.nbytes

    @classmethod
    def recognizes(cls, X):
        return isinstance(X, list)

    def batch(self, encoded, rows):
        sets = [torch.from_numpy(encoded[int(i)]).float() for i in rows]
        lengths = torch.tensor([len(s) for s in sets])
        return SetBatch(lengths, nn.utils.rnn.pad_sequence(sets, batch_first=True))


class SetNet(nn.Module):
    """Sum of the encoded vectors, and a linear head."""

    def __init__(self, n_outputs, dtype=torch.float32, **params):
        super().__init__()
        self.encoder, self.head = nn.Linear(2, 4), nn.Linear(4, n_outputs)

    def embedding(self, batch):
        return batch.values

    def encode(self, batch):
        return self._encode(self.embedding(batch), batch)

    def _encode(self, x, batch):
        mask = torch.arange(x.shape[1], device=x.device) < batch.lengths.unsqueeze(1)
        return (self.encoder(x).tanh() * mask.unsqueeze(-1)).sum(1)

    def forward_embedded(self, x, batch):
        return self.head(self._encode(x, batch))

    def forward(self, batch):
        return self.head(self.encode(batch))


class SetClassifier(RNNClassifier):
    """Classifier of sets."""

    _kinds = (Sets,)
    _module = SetNet


class SetsView(View):
    """View with names of its own, in a few lines."""

    def locate(self, samples, attributions, names):
        columns = super().locate(samples, attributions, names)
        return {"member": columns.pop("position"), **columns}


@pytest.fixture(scope="module")
def sets():
    rng = np.random.RandomState(0)
    return [rng.randn(n, 2) for n in rng.randint(1, 6, len(Y))]


@pytest.fixture(scope="module")
def net(sets):
    return SetClassifier(**QUICK).fit(sets, Y)


METHODS = [
    "feature_ablation",
    "gradient_shap",
    "input_x_gradient",
    "integrated_gradients",
    "kernel_shap",
    "lime",
    "noise_tunnel(saliency)",
    "occlusion",
    "saliency",
    "shapley",
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("baseline", ["mean", "zero"])
def test_a_kind_without_a_view_is_explained_by_the_defaults(net, sets, method, baseline):
    explainer = fit_explainer(net, sets, method=method, baseline=baseline, method_params={"n_samples": 8})
    explained = explainer.explain(sets[:5])
    assert explained.kind == "sets"
    assert [part.shape for part in explained.own] == [s.shape for s in sets[:5]]
    assert all(np.isfinite(part).all() and part.any() for part in explained.own)
    frame = explained.to_frame()
    assert frame.columns[:4].tolist() == ["sample", "position", "channel", "value"]
    np.testing.assert_allclose(frame.value, np.concatenate(sets[:5]).ravel())
    assert explained._repr_html_().count("<svg xmlns") == 5
    assert explainer.transform(sets).shape == (len(sets), 2)
    single = explainer.explain(sets[2:3]).own[0]
    np.testing.assert_allclose(single, explained.own[2], atol=1e-5)


def test_members_of_an_additive_net_get_their_exact_effects(net, sets):
    found = fit_explainer(net, sets, method="occlusion", baseline="zero", target=1).explain(sets[:5])
    exact = fit_explainer(net, sets, method="shapley", baseline="zero", target=1).explain(sets[:5])
    for a, b in zip(found.own, exact.own):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert np.abs(found.completeness_error).max() < 1e-5
    rough = fit_explainer(net, sets, method="input_x_gradient", baseline="zero", target=1).explain(sets[:5])
    assert np.abs(rough.completeness_error).max() > 1e-3  # the control
    curve = deletion_curve(fit_explainer(net, sets, method="shapley"), sets[:3], n_points=4)
    assert curve.values.shape == (3, 4)


def test_a_registered_view_is_found_through_the_bases_of_a_kind(net, sets, monkeypatch):
    monkeypatch.setattr(views, "VIEWS", dict(views.VIEWS))

    class MoreSets(Sets):
        pass

    assert type(find_view(MoreSets())) is View
    register_view(Sets, SetsView)
    assert type(find_view(MoreSets())) is SetsView
    assert type(find_view(ExplainedNet(net).kind)) is SetsView
    assert type(find_view(Series())) is views.SeriesView  # the control
    frame = fit_explainer(net, sets).explain(sets[:2]).to_frame()
    assert frame.columns[:4].tolist() == ["sample", "member", "channel", "value"]
