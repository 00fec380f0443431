"""Products equal torch's, computed by numpy and by torch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.nn import gemm
from sklearn_tree.nn.parallel import walk_threads


@pytest.mark.parametrize("min_multiplications", [0, 10**9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(st.integers(1, 150), st.integers(1, 9), st.integers(1, 9), st.integers(0, 7))
def test_products_equal_those_of_torch(min_multiplications, dtype, m, k, n, layout):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gemm, "_MIN_MULTIPLICATIONS", min_multiplications)
        a = torch.randn(k, m, dtype=dtype).t() if layout & 1 else torch.randn(m, k, dtype=dtype)
        b = torch.randn(n, k, dtype=dtype).t() if layout & 2 else torch.randn(k, n, dtype=dtype)
        if layout & 4:  # columns of a wider table
            a = torch.randn(m, k + 3, dtype=dtype)[:, 2 : 2 + k]
        torch.testing.assert_close(gemm.matmul(a, b), a @ b, rtol=0, atol=1e-5)
        torch.testing.assert_close(gemm.matmul_transposed(a.t(), b), a @ b, rtol=0, atol=1e-5)


def test_threads_of_the_walks_share_a_product(monkeypatch):
    a, b = torch.randn(7, 3), torch.randn(3, 5)
    monkeypatch.setattr(gemm, "_MIN_MULTIPLICATIONS", 0)
    monkeypatch.setattr(gemm, "_MIN_MULTIPLICATIONS_PER_THREAD", 15)
    calls, run = [], gemm.run_parallel
    monkeypatch.setattr(gemm, "run_parallel", lambda blocks: calls.append(len(blocks)) or run(blocks))
    for n, n_blocks in ((1, []), (3, [3]), (99, [7])):
        calls.clear()
        with walk_threads(n):
            torch.testing.assert_close(gemm.matmul(a, b), a @ b, rtol=0, atol=1e-6)
        assert calls == n_blocks


def test_a_linear_map_has_the_right_gradients():
    x, w, b = (torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((5, 3), (4, 3), (4,)))
    assert torch.autograd.gradcheck(gemm.linear, (x, w, b))
    assert torch.autograd.gradcheck(gemm.linear_without_bias, (x, w))
    torch.testing.assert_close(gemm.linear(x, w, b), torch.nn.functional.linear(x, w, b))
    torch.testing.assert_close(gemm.linear_without_bias(x, w), x @ w.t())


def test_the_module_maps_the_last_axis_like_torchs():
    ours, theirs = gemm.Linear(3, 4), torch.nn.Linear(3, 4)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-6)


def test_autocast_rounds_operands_and_is_restored_in_the_backward_pass():
    x, w = torch.randn(6, 5), torch.randn(4, 5, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert gemm.autocast_dtype(x) == torch.bfloat16
        y = gemm.linear_without_bias(x, w)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, (x.bfloat16() @ w.bfloat16().t()).float(), rtol=0, atol=0)
    assert gemm.autocast_dtype(x) is None
    y.sum().backward()
    rounded = torch.ones(6, 4).bfloat16().t() @ x.bfloat16()
    torch.testing.assert_close(w.grad, rounded.float(), rtol=0, atol=0)
    assert not torch.equal(w.grad, torch.ones(6, 4).t() @ x)  # the control


def test_numpy_computes_large_products_on_one_thread_only():
    a, b = torch.randn(200, 300), torch.randn(300, 200)
    assert gemm._uses_numpy(a, b)
    assert not gemm._uses_numpy(a[:1], b)
    assert not gemm._uses_numpy(a.double(), b.double())
    assert not gemm._uses_numpy(a.to("meta"), b.to("meta"))
    torch.set_num_threads(2)
    try:
        assert not gemm._uses_numpy(a, b)
    finally:
        torch.set_num_threads(1)
