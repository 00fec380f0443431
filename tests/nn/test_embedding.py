"""Embeddings of tokens and nodes."""

import numpy as np
import pytest
import torch

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.nn import Embedding, NodeEmbedding, SequenceBatch, StepValues, TreeBatch
from sklearn_tree.nn.embedding import make_step_embedding
from sklearn_tree.trees.flat import N_RESERVED_IDS, UNKNOWN_ID

VALUES = {"value_shift": [0.0] * 7, "value_scale": [1.0] * 7}
TOKENS = SequenceBatch.from_array(RaggedArray([2, 3, 2, 99, 0], np.array([0, 3, 5])))


def embed(embedding, *trees):
    """Return the vectors of the nodes in preorder."""
    batch = TreeBatch.from_array(TreeArray.from_trees(list(trees)))
    return embedding(batch)[batch.order]


def test_a_vector_is_the_sum_of_label_edge_and_value_vectors():
    embedding = NodeEmbedding(7, 5, n_edge_labels=4, **VALUES)
    tree = Tree([2, 3, 4], [-1, 0, 0], edges=[None, 2, 3], values=[None, 1.5, None])
    x, labels = embed(embedding, tree), embedding.labels.weight
    edges, values = embedding.edges.weight, embedding.values.weight
    expected = [labels[2], labels[3] + edges[2] + 1.5 * values[3], labels[4] + edges[3]]
    torch.testing.assert_close(x, torch.stack(expected))
    assert not torch.allclose(x[1], labels[3], atol=1e-3)  # the control


def test_values_are_standardized_per_label():
    shifted = NodeEmbedding(7, 5, value_shift=[10.0] * 7, value_scale=[2.0] * 7)
    plain = NodeEmbedding(7, 5, **VALUES)
    tables = {name: table for name, table in shifted.state_dict().items() if "standardize" not in name}
    plain.load_state_dict(tables, strict=False)
    large, small = (Tree([2, 3], [-1, 0], values=[None, value]) for value in (12.0, 1.0))
    torch.testing.assert_close(embed(shifted, large), embed(plain, small))
    assert not torch.allclose(embed(shifted, small), embed(plain, small))


def test_id_0_is_zero_and_large_ids_are_unknown():
    x, table = Embedding(7, 5)(TOKENS), torch.nn.Embedding(7, 5)
    embedding = Embedding(7, 5)
    embedding.labels.load_state_dict(table.state_dict())
    x = embedding(TOKENS)
    torch.testing.assert_close(x[1, 0], table.weight[1])
    assert Embedding(7, 5)(TOKENS)[1, 1:].abs().max() == 0  # id 0 and the padding
    assert x[0].abs().min() > 0


def test_word_dropout_replaces_labels_in_training_only():
    embedding = Embedding(7, 5, word_dropout=0.999)
    torch.manual_seed(0)
    dropped = embedding.train()(TOKENS)
    assert torch.equal(dropped[0, 0], embedding.labels.weight[1])
    assert (dropped[1, 1:] == 0).all()  # no label is not replaced
    assert torch.equal(embedding.eval()(TOKENS)[0, 0], embedding.labels.weight[2])


@pytest.mark.parametrize(
    ("kwargs", "is_random"), [({}, False), ({"dropout": 0.5}, True), ({"word_dropout": 0.5}, True)]
)
def test_an_embedding_is_random_with_dropout_in_training(kwargs, is_random):
    embedding = NodeEmbedding(7, 5, **kwargs)
    assert embedding.train().is_random == is_random
    assert not embedding.eval().is_random


def test_selected_nodes_equal_those_of_all_nodes():
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0], edges=[None, 2, 3])]))
    embedding, nodes = NodeEmbedding(7, 5, n_edge_labels=4), torch.tensor([2, 0])
    torch.testing.assert_close(embedding(batch, nodes), embedding(batch)[nodes])


def test_distinct_words_restore_all_vectors():
    embedding = Embedding(7, 5)
    vectors, rows = embedding.words(TOKENS)
    torch.testing.assert_close(vectors[rows], embedding(TOKENS))
    assert len(vectors) == 4  # ids 0, 1, 2 and 3


def test_tokens_with_values_or_dropout_have_no_distinct_words():
    assert Embedding(7, 5, **VALUES).words(TOKENS) is None
    assert Embedding(7, 5, dropout=0.5).train().words(TOKENS) is None
    assert Embedding(7, 5, dropout=0.5).eval().words(TOKENS) is not None
    assert Embedding(7, 5).words(SequenceBatch.from_array(np.zeros((2, 3, 1)))) is None


def test_the_draws_of_a_node_embedding_are_labels_then_edges_then_values():
    torch.manual_seed(0)
    tables = [torch.nn.Embedding(n, 5, padding_idx=0) for n in (7, 4, 7)]
    torch.manual_seed(0)
    embedding = NodeEmbedding(7, 5, n_edge_labels=4, **VALUES)
    for ours, theirs in zip((embedding.labels, embedding.edges, embedding.values), tables):
        assert torch.equal(ours.weight[N_RESERVED_IDS:], theirs.weight[N_RESERVED_IDS:])
    names = ["labels.weight", "edges.weight", "values.weight", "standardize.shift", "standardize.scale"]
    assert list(embedding.state_dict()) == names


def test_tokens_are_embedded_and_numbers_standardized():
    kwargs = {"dropout": 0.0, "word_dropout": 0.0, "value_shift": None, "value_scale": None}
    assert type(make_step_embedding(7, 5, **kwargs)) is Embedding
    assert type(make_step_embedding(0, 5, **kwargs)) is StepValues


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_unknown_labels_edges_and_values_add_nothing_until_they_are_trained(scale):
    torch.manual_seed(0)
    embedding = NodeEmbedding(
        5, 4, n_edge_labels=3, value_shift=[0.0] * 5, value_scale=[1.0] * 5, scale=scale
    )
    for table in (embedding.labels, embedding.edges, embedding.values):
        assert not table.weight[UNKNOWN_ID].any()
        assert table.weight[N_RESERVED_IDS:].all()  # the control
        table(torch.tensor([UNKNOWN_ID])).sum().backward()
        assert (table.weight.grad[UNKNOWN_ID] == 1).all()


def test_ids_above_the_table_have_the_vectors_of_the_batch():
    torch.manual_seed(0)
    embedding, new = NodeEmbedding(7, 5, n_edge_labels=4, **VALUES), np.arange(10.0).reshape(2, 5)
    tree = Tree([7, 8, 9], [-1, 0, 0], edges=[None, 2, 3], values=[None, 1.5, None])
    array = TreeArray.from_trees([tree])
    batch = TreeBatch.from_array(array.replace(vectors=new))
    edges, values = embedding.edges.weight, embedding.values.weight[UNKNOWN_ID]
    vectors = torch.tensor(new, dtype=torch.float32)
    expected = [vectors[0], vectors[1] + edges[2] + 1.5 * values, edges[3]]  # id 9 is unknown
    torch.testing.assert_close(embedding(batch)[batch.order], torch.stack(expected))
    assert not embed(embedding, tree)[0].any()  # the control: unknown without vectors


def test_new_words_are_dropped_like_others():
    embedding = Embedding(7, 5, word_dropout=0.5).train()
    batch = SequenceBatch.from_array(RaggedArray([7] * 200, [0, 200]).replace(vectors=np.ones((1, 5))))
    share = embedding(batch).detach().mean().item()
    assert 0.35 < share < 0.65
    assert embedding.eval()(batch).min() == 1  # the control


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_pretrained_vectors_are_loaded_and_others_scaled(scale):
    torch.manual_seed(0)
    one, two = (Embedding(400, 50, scale=scale) for _ in range(2))
    vectors = 3 * np.random.RandomState(0).randn(2, 50).astype(np.float32)
    before = one.labels.weight.detach().clone()
    one.load(lambda: (np.array([2, 5]), vectors))
    assert np.array_equal(one.labels.weight.detach()[[2, 5]], vectors)
    assert not one.labels.weight[:N_RESERVED_IDS].any()
    others = [3, 4, *range(6, 400)]
    expected = before[others] * (float(vectors.std()) / scale)
    torch.testing.assert_close(one.labels.weight.detach()[others], expected)
    assert two.labels.weight.detach()[others].std().item() == pytest.approx(scale, rel=0.05)  # the control
