"""Losses of classifiers: the mean over several outputs, and smoothed labels in training mode."""

import pytest
import torch
from reference import smoothed_cross_entropy
from torch.nn import functional as F

from sklearn_tree.nn import MultiOutputCrossEntropy, SmoothedBinaryCrossEntropy, SmoothedCrossEntropy

LOGITS = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
TARGET = torch.tensor([[0, 2], [1, 0], [1, 1], [0, 0]])
LABELS = (LOGITS.flip(0) > 0).float()


def test_each_output_has_its_cross_entropy():
    losses = MultiOutputCrossEntropy([2, 3], reduction="none")(LOGITS, TARGET)
    for column, (logits, target) in enumerate(zip(LOGITS.split([2, 3], dim=1), TARGET.T)):
        torch.testing.assert_close(losses[:, column], F.cross_entropy(logits, target, reduction="none"))
    assert not torch.allclose(losses[:, 0], losses[:, 1])  # the control


def test_the_mean_is_over_samples_and_outputs():
    losses = MultiOutputCrossEntropy([2, 3], reduction="none")(LOGITS, TARGET)
    torch.testing.assert_close(MultiOutputCrossEntropy([2, 3])(LOGITS, TARGET), losses.mean())


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_labels_are_smoothed_as_the_slow_version_does(smoothing, reduction):
    y = TARGET[:, 1]
    expected = smoothed_cross_entropy(LOGITS, y, smoothing)
    loss = SmoothedCrossEntropy(label_smoothing=smoothing, reduction=reduction)(LOGITS, y)
    torch.testing.assert_close(loss, expected if reduction == "none" else expected.mean())
    if smoothing:  # the control
        assert not torch.allclose(expected, F.cross_entropy(LOGITS, y, reduction="none"))


def test_each_output_is_smoothed_over_its_own_classes():
    losses = MultiOutputCrossEntropy([2, 3], reduction="none", label_smoothing=0.3)(LOGITS, TARGET)
    for column, (logits, target) in enumerate(zip(LOGITS.split([2, 3], dim=1), TARGET.T)):
        torch.testing.assert_close(losses[:, column], smoothed_cross_entropy(logits, target, 0.3))


def test_a_smoothed_label_is_a_smoothed_choice_of_two_classes():
    losses = SmoothedBinaryCrossEntropy(label_smoothing=0.3, reduction="none")(LOGITS, LABELS)
    for column in range(5):
        logits = torch.stack([torch.zeros(4), LOGITS[:, column]], dim=1)
        expected = smoothed_cross_entropy(logits, LABELS[:, column].long(), 0.3)
        torch.testing.assert_close(losses[:, column], expected)
    moved = torch.where(LABELS > 0, 0.85, 0.15)
    plain = F.binary_cross_entropy_with_logits(LOGITS, moved, reduction="none")
    torch.testing.assert_close(losses, plain)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (SmoothedCrossEntropy(label_smoothing=0.3), TARGET[:, 1]),
        (SmoothedBinaryCrossEntropy(label_smoothing=0.3), LABELS),
        (MultiOutputCrossEntropy([2, 3], label_smoothing=0.3), TARGET),
    ],
)
def test_labels_are_not_smoothed_in_evaluation_mode(loss, target):
    smoothed = loss(LOGITS, target)
    plain = loss.eval()(LOGITS, target)
    loss.label_smoothing = 0.0
    assert torch.equal(plain, loss.train()(LOGITS, target))
    assert plain != smoothed  # the control
