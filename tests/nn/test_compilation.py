"""Long fits and prepared cells take compiled walks."""

import pytest
import torch
from short_kernels import use_short_kernels
from user_cells import GATED_CELLS, PlainCell

from sklearn_tree.nn import CELLS, RecursiveNet, compilation, compile_cells
from sklearn_tree.nn.compiled.kernels import find_kernels

pytest.importorskip("numba")


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """Make an empty cache; test_kernels.py fills one by the real compiler."""
    use_short_kernels(monkeypatch)
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path))


def make_net(cell="rnn", **params):
    return RecursiveNet(7, 3, cell=cell, hidden_size=3, embedding_dim=2, **params)


def is_compiled(net, n_nodes):
    net.encoder.is_compiled = False
    compilation.choose_walks(net, n_nodes)
    return net.encoder.is_compiled


def test_long_fits_are_compiled(empty_cache):
    net = make_net()
    assert not is_compiled(net, 4_999_999)
    assert is_compiled(net, 5_000_000)


def test_short_fits_are_compiled_only_after_a_request(empty_cache):
    net = make_net()
    assert not is_compiled(net, 50_000)
    before = torch.get_rng_state()
    assert compile_cells(["rnn"]) == ["RecursiveCell"]
    assert torch.equal(torch.get_rng_state(), before)
    assert is_compiled(net, 50_000)
    assert not is_compiled(net, 10_000)
    assert not is_compiled(make_net(max_arity=3), 50_000)
    assert not is_compiled(make_net("nary_lstm"), 50_000)


def test_a_net_stays_compiled(empty_cache):
    net = make_net()
    compilation.choose_walks(net, 10**7)
    compilation.choose_walks(net, 1)
    assert net.encoder.is_compiled


def test_both_cells_of_a_bidirectional_net_must_be_prepared(empty_cache):
    net = make_net(bidirectional=True)
    compile_cells(["rnn"])
    assert not is_compiled(net, 50_000)
    compile_cells(["rnn"], max_arity=1)
    assert is_compiled(net, 50_000)


def test_cells_that_cannot_be_compiled_are_missing_in_the_result(empty_cache):
    assert compile_cells([PlainCell, GATED_CELLS["across_units"], CELLS["rntn"]]) == []


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"cells must be names in \['child_sum_gru'.* got 'lstm'"):
        compile_cells(["lstm"])


def test_without_numba_the_error_gives_the_command(monkeypatch):
    monkeypatch.setattr(compilation, "has_numba", lambda: False)
    with pytest.raises(ImportError, match=r'pip install "sklearn-tree\[fast\]"'):
        compile_cells()


def test_a_failure_of_the_compiler_leaves_the_walk_to_torch(empty_cache, monkeypatch):
    def fail(*args, **kwargs):
        raise TypeError

    class Untypable(GATED_CELLS["rnn"]):
        is_pure = True

        def update(self, gates, messages):
            return (gates[0] * 0.375,)

    net = make_net(Untypable)
    with monkeypatch.context() as patch:
        patch.setattr("sklearn_tree.nn.compiled.first_walk.walk_once", fail)
        assert not is_compiled(net, 10**7)
        assert compile_cells([Untypable]) == []
    assert not is_compiled(net, 10**7)  # not tried again in this process
    Untypable.update = lambda self, gates, messages: (gates[0] * 0.75,)
    Untypable.is_pure = True
    assert is_compiled(net, 10**7)  # the control


@pytest.mark.parametrize(("kind", "value"), [("dtype", torch.float64), ("device", "meta")])
def test_nets_in_double_precision_and_on_other_devices_are_not_compiled(empty_cache, kind, value):
    net = make_net().to(**{kind: value})
    assert not is_compiled(net, 10**9)
    assert is_compiled(make_net(), 10**9)  # the control


def test_predictions_do_not_wait_for_the_compiler(empty_cache):
    class New(GATED_CELLS["rnn"]):
        is_pure = True

        def update(self, gates, messages):
            return (gates[0] * 0.625,)

    net, x = make_net(New), torch.zeros(1)
    net.encoder.is_compiled = True  # as in a pickle from another machine
    assert find_kernels(net.encoder.cell, x) is None
    compilation.choose_walks(net, 10**7)
    assert find_kernels(net.encoder.cell, x) is not None
