"""Functions of the net's outputs that explainers explain."""

import numpy as np
import pytest
import torch

from sklearn_tree.estimators.objective import Objective, check_index, find_class, is_predicted, one_hot

RNG = torch.Generator().manual_seed(0)
OUTPUTS = torch.randn(5, 3, generator=RNG, dtype=torch.float64)
WEIGHTS = torch.randn(5, 3, generator=RNG, dtype=torch.float64)
CHOICE = one_hot(torch.tensor([0, 1, 2, 1, 0]), OUTPUTS)
HEAD = torch.tensor([[True, True, False]] * 5)
NAMES = np.array(list("abcba"))
OBJECTIVES = {
    "weighted sum": Objective(names=NAMES, weights=WEIGHTS),
    "probability": Objective(names=NAMES, weights=CHOICE, head=torch.ones(5, 3, dtype=torch.bool)),
    "probability in a head": Objective(names=NAMES, weights=one_hot(1, OUTPUTS), head=HEAD),
    "probability of a label": Objective(names=NAMES, weights=CHOICE, head=torch.zeros(5, 3, dtype=torch.bool)),
}  # fmt: skip
EXPECTED = {
    "weighted sum": (OUTPUTS * WEIGHTS).sum(1),
    "probability": (OUTPUTS.softmax(1) * CHOICE).sum(1),
    "probability in a head": OUTPUTS[:, :2].softmax(1)[:, 1],
    "probability of a label": (OUTPUTS.sigmoid() * CHOICE).sum(1),
}
parametrized = pytest.mark.parametrize("name", OBJECTIVES)


@parametrized
def test_an_objective_computes_a_weighted_sum_or_a_probability(name):
    torch.testing.assert_close(OBJECTIVES[name](OUTPUTS), EXPECTED[name])
    assert not torch.allclose(OBJECTIVES[name](OUTPUTS + torch.arange(3)), EXPECTED[name])  # the control


@parametrized
def test_copies_of_the_samples_give_copies_of_the_values(name):
    other = OUTPUTS.flip(0)
    both = OBJECTIVES[name](torch.cat([OUTPUTS, other]))
    torch.testing.assert_close(both, torch.cat([OBJECTIVES[name](OUTPUTS), OBJECTIVES[name](other)]))


@parametrized
@pytest.mark.parametrize("rows", [np.array([3, 0]), torch.tensor([3, 0]), slice(1, 4)])
def test_take_selects_samples(name, rows):
    part = OBJECTIVES[name].take(rows)
    torch.testing.assert_close(part(OUTPUTS[rows]), EXPECTED[name][rows])
    positions = rows.numpy() if isinstance(rows, torch.Tensor) else rows
    assert part.names.tolist() == NAMES[positions].tolist()


@parametrized
def test_gradients_match_the_function(name):
    x = OUTPUTS.clone().requires_grad_()
    assert torch.autograd.gradcheck(OBJECTIVES[name], x)


def test_only_predicted_means_the_predicted_target():
    assert is_predicted("predicted")
    assert not any(map(is_predicted, ("a", 0, None, ("predicted", 0), np.array(["predicted"]))))


def test_one_hot_has_a_1_in_one_column_of_each_row():
    assert one_hot(2, OUTPUTS).tolist() == [[0, 0, 1]] * 5
    assert one_hot(torch.tensor([0, 1, 2, 1, 0]), OUTPUTS).argmax(1).tolist() == [0, 1, 2, 1, 0]
    assert one_hot(2, OUTPUTS).dtype == OUTPUTS.dtype


@pytest.mark.parametrize("index", [-1, 3, 1.0, "1", None])
def test_an_index_must_be_an_int_below_the_number_of_outputs(index):
    with pytest.raises(ValueError, match=rf"^target must be an int in \[0, 2\], got {index!r}$"):
        check_index("target must be", index, 3)
    assert type(check_index("target must be", np.int64(2), 3)) is int  # the control


@pytest.mark.parametrize(
    ("classes", "wanted", "position"),
    [(["a", "b"], "b", 1), ([1, 5], 5, 1), ([1, 5], np.int64(5), 1), ([0.5, 1.5], 1.5, 1), ([False, True], True, 1)],
)  # fmt: skip
def test_a_class_is_found_by_its_value(classes, wanted, position):
    assert find_class(wanted, np.array(classes)) == position


@pytest.mark.parametrize("wanted", ["c", 0, None, np.array(["a", "b"]), ["a"]])
def test_an_unknown_class_is_rejected(wanted):
    with pytest.raises(
        ValueError, match=r"target must be 'predicted' or one of the classes \['a', 'b'\], got"
    ):
        find_class(wanted, np.array(["a", "b"]))
