"""Adagrad with sparse gradients."""

import numpy as np
import pytest
import skorch
import torch

import sklearn_tree.estimators.training as training
from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.estimators.rowwise import RowwiseAdagrad, sparse_gradients

TREES = [f"(S {word} (VP {'runs' if i % 3 else 'stops'} {word}))" for i, word in enumerate("abcdefgh" * 8)]
Y = np.arange(64) % 3 == 0


@pytest.mark.parametrize(
    "params", [{}, {"lr_decay": 0.1}, {"maximize": True, "initial_accumulator_value": 0.5}]
)
def test_steps_equal_those_of_torch(params):
    torch.manual_seed(0)
    ids = [torch.randint(0, 9, (5,)) for _ in range(4)]
    tables = [torch.nn.Embedding(12, 3) for _ in range(2)]
    biases = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    tables[1].load_state_dict(tables[0].state_dict())
    tables[0].sparse = True
    for cls, table, bias in zip((RowwiseAdagrad, torch.optim.Adagrad), tables, biases):
        optimizer = cls([*table.parameters(), bias], lr=0.1, fused=True, **params)
        for batch in ids:

            def closure(batch=batch, table=table, bias=bias, optimizer=optimizer):
                optimizer.zero_grad()
                loss = ((table(batch) + bias) ** 3).sum()
                loss.backward()
                return loss

            assert optimizer.step(closure).requires_grad
        assert table.weight.grad.is_sparse == (cls is RowwiseAdagrad)
    torch.testing.assert_close(tables[0].weight, tables[1].weight, rtol=0, atol=1e-6)
    torch.testing.assert_close(biases[0], biases[1], rtol=0, atol=1e-6)
    unused = sorted(set(range(12)) - set(torch.cat(ids).tolist()))
    assert unused
    assert torch.equal(tables[0].weight[unused], tables[1].weight[unused])


def test_weight_decay_is_rejected():
    table = torch.nn.Embedding(3, 2, sparse=True)
    optimizer = RowwiseAdagrad(table.parameters(), weight_decay=0.1)
    table(torch.tensor([0])).sum().backward()
    with pytest.raises(ValueError, match=r"weight_decay must be 0 for sparse gradients, got 0\.1"):
        optimizer.step()


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RNNClassifier, CNNClassifier])
def test_an_estimator_learns_the_same_weights_as_with_torch(cls, monkeypatch):
    params = {"optimizer": "adagrad", "weight_decay": 0.0, "lr": 0.05, "max_epochs": 3, "random_state": 0}
    X = TREES if cls is RecursiveNetClassifier else [tree.replace("(", "").replace(")", "") for tree in TREES]
    seen, step = [], RowwiseAdagrad._step_rows

    def watched_step(self, group, p, grad):
        seen.append(grad)
        step(self, group, p, grad)

    monkeypatch.setattr(RowwiseAdagrad, "_step_rows", watched_step)
    by_rows = cls(**params).fit(X, Y)
    assert seen
    assert not by_rows.net_.module_.embedding.labels.sparse
    assert by_rows.net_.module_.embedding.labels.weight.grad is None
    monkeypatch.setattr(training, "RowwiseAdagrad", torch.optim.Adagrad)
    dense = cls(**params).fit(X, Y)
    np.testing.assert_allclose(by_rows.predict_proba(X), dense.predict_proba(X), rtol=0, atol=1e-5)


class Watch(skorch.callbacks.Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        assert not any(p.grad.is_sparse for _, p in named_parameters if p.grad is not None)


@pytest.mark.parametrize(
    "other",
    [
        {"callbacks": [Watch()]},
        {"gradient_clip": 1.0},
        {"weight_decay": 0.1},
        {"net_params": {"optimizer__weight_decay": 0.1}},
        {"optimizer": "adam"},
    ],
)
def test_gradients_are_dense_where_sparse_ones_would_be_wrong(other, monkeypatch):
    monkeypatch.setattr(RowwiseAdagrad, "_step_rows", None)
    params = {"optimizer": "adagrad", "weight_decay": 0.0, "max_epochs": 1, "random_state": 0, **other}
    assert RecursiveNetClassifier(**params).fit(TREES, Y).n_iter_ == 1


def test_embedding_tables_are_restored_after_an_error():
    table = torch.nn.Embedding(3, 2)
    with pytest.raises(AssertionError), sparse_gradients([table]):
        assert not table.sparse
    assert not table.sparse
