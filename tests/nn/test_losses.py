"""The loss of several outputs is the mean of their cross-entropies."""

import torch
from torch.nn import functional as F

from sklearn_tree.nn import MultiOutputCrossEntropy

LOGITS = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
TARGET = torch.tensor([[0, 2], [1, 0], [1, 1], [0, 0]])


def test_each_output_has_its_cross_entropy():
    losses = MultiOutputCrossEntropy([2, 3], reduction="none")(LOGITS, TARGET)
    for column, (logits, target) in enumerate(zip(LOGITS.split([2, 3], dim=1), TARGET.T)):
        torch.testing.assert_close(losses[:, column], F.cross_entropy(logits, target, reduction="none"))
    assert not torch.allclose(losses[:, 0], losses[:, 1])  # the control


def test_the_mean_is_over_samples_and_outputs():
    losses = MultiOutputCrossEntropy([2, 3], reduction="none")(LOGITS, TARGET)
    torch.testing.assert_close(MultiOutputCrossEntropy([2, 3])(LOGITS, TARGET), losses.mean())
