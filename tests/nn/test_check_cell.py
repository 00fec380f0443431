"""``check_cell`` accepts correct cells and rejects a violation of each rule."""

import pytest
import torch
from user_cells import GATED_CELLS, PlainCell, SoftSumCell

from sklearn_tree.nn import CELLS, GatedCell, TreeCell, check_cell
from sklearn_tree.nn.backward_pass import BackwardPass


@pytest.mark.parametrize("name", sorted({*CELLS, *GATED_CELLS}))
def test_correct_cells_pass(name):
    check_cell({**CELLS, **GATED_CELLS}[name])


def test_cells_without_gates_pass_in_any_size():
    check_cell(PlainCell)
    check_cell(PlainCell, input_size=1, hidden_size=6, max_arity=3)


class ImpureCell(SoftSumCell):
    """Correct cell with a parameter of its own, which does not declare ``is_pure``."""

    def __init__(self, *args):
        super().__init__(*args)
        self.factor = torch.nn.Parameter(torch.ones(()))

    def update(self, gates, messages):
        h = super().update(gates, messages)[0]
        return (torch.nn.functional.dropout(h * self.factor, 0.5, self.training),)


def test_weights_and_dropout_without_a_declaration_pass():
    check_cell(ImpureCell)


def test_the_random_state_is_unchanged():
    before = torch.get_rng_state()
    check_cell(PlainCell)
    assert torch.equal(torch.get_rng_state(), before)


# Controls: each class breaks one rule.


class OtherConstructor(PlainCell):
    def __init__(self, size):
        super().__init__(size, size)


class OtherSize(PlainCell):
    def __init__(self, input_size, hidden_size, max_arity):
        super().__init__(input_size, hidden_size + 1, max_arity)


class NoTensor(PlainCell):
    def project(self, x):
        return x.tolist()


class OneRow(PlainCell):
    def project(self, x):
        return x[:1]


class NoTuple(PlainCell):
    def forward(self, wx, children):
        return super().forward(wx, children)[0]


class NoStates(PlainCell):
    def forward(self, wx, children):
        return ()


class WrongShape(PlainCell):
    def forward(self, wx, children):
        return (super().forward(wx, children)[0][:, :-1],)


class WrongShapeOfInnerNodes(PlainCell):
    def forward(self, wx, children):
        h = super().forward(wx, children)[0]
        return (h if children is None else h[:-1],)


class WrongDtype(PlainCell):
    def forward(self, wx, children):
        return (super().forward(wx, children)[0].float(),)


class InfiniteStates(PlainCell):
    def forward(self, wx, children):
        return (super().forward(wx, children)[0] / 0,)


class MoreStatesOfLeaves(PlainCell):
    def forward(self, wx, children):
        h = super().forward(wx, children)[0]
        return (h, h) if children is None else (h,)


class OtherNumberOfStates(SoftSumCell):
    def forward(self, wx, children):
        return super().forward(wx, children) * 2


class FewChildren(PlainCell):
    def forward(self, wx, children):
        if children is not None and children.ranks.max() >= self.max_arity:
            raise IndexError("no such place")
        return super().forward(wx, children)


class RandomInEvaluation(PlainCell):
    def forward(self, wx, children):
        h = super().forward(wx, children)[0]
        return (h + torch.rand_like(h),)


class BatchMean(PlainCell):
    def forward(self, wx, children):
        h = super().forward(wx, children)[0]
        return (h - h.mean(0),)


class OrderedSum(SoftSumCell):
    is_pure = False

    def forward(self, wx, children):
        if children is not None:
            first = (children.states[0] * (1 + children.ranks.unsqueeze(1)),)
            children = children._replace(states=(*first, *children.states[1:]))
        return super().forward(wx, children)


class WrongNumberOfMessages(SoftSumCell):
    n_messages = 3


class FewStates(SoftSumCell):
    n_states = 2


class FewResults(CELLS["nary_lstm"]):
    n_kept = 2
    update_backward = CELLS["nary_lstm"].update_backward


class WrongShapeOfMessages(SoftSumCell):
    def message(self, gates, states):
        return tuple(message.sum(0) for message in super().message(gates, states))


class MessageList(SoftSumCell):
    def message(self, gates, states):
        return list(super().message(gates, states))


class ImpureWeights(SoftSumCell):
    is_pure = True

    def update(self, gates, messages):
        return (super().update(gates, messages)[0] * self.U.weight[0, 0],)


class ImpureDropout(SoftSumCell):
    is_pure = True

    def message(self, gates, states):
        v, vote = super().message(gates, states)
        return v, torch.nn.functional.dropout(vote, 0.5, self.training)


class ImpureGenerator(SoftSumCell):
    is_pure = True

    def __init__(self, *args):
        super().__init__(*args)
        self.generator = torch.Generator()

    def update(self, gates, messages):
        h = super().update(gates, messages)[0]
        return (h * torch.rand(h.shape, generator=self.generator).to(h),)


class WrongMessageBackward(CELLS["child_sum_lstm"]):
    def message_backward(self, gates, states, grads):
        gate_grads, state_grads = super().message_backward(gates, states, grads)
        return tuple(2 * grad for grad in gate_grads), state_grads


class WrongUpdateBackward(CELLS["nary_lstm"]):
    def update_backward(self, gates, messages, kept, grads):
        gate_grads, _ = super().update_backward(gates, messages, kept, grads)
        return gate_grads, (None,)


class FewGradients(CELLS["nary_lstm"]):
    def update_backward(self, gates, messages, kept, grads):
        gate_grads, message_grads = super().update_backward(gates, messages, kept, grads)
        return gate_grads[:2], message_grads


class Detached(PlainCell):
    def forward(self, wx, children):
        h = super().forward(wx, children)[0]
        return (h.detach() + 0.5 * (h - h.detach()),)


VIOLATIONS = [
    (torch.nn.Linear, TypeError, "cell_class must be a subclass of TreeCell, got <class 'torch"),
    (PlainCell(2, 3), TypeError, "cell_class must be a subclass of TreeCell, got PlainCell"),
    (
        OtherConstructor,
        TypeError,
        "constructor of OtherConstructor must accept input_size, hidden_size, max_arity",
    ),
    (OtherSize, ValueError, "hidden_size of OtherSize must be the constructor's argument 3, got 4"),
    (NoTensor, TypeError, "NoTensor.project must return Tensor, got list"),
    (OneRow, ValueError, r"OneRow.project must return shape \(2, any\) for 2 nodes, got \(1, 4\)"),
    (NoTuple, TypeError, "NoTuple.forward must return a tuple of Tensor, got Tensor"),
    (NoStates, ValueError, "NoStates.forward must return at least 1 state for leaves, got 0"),
    (WrongShape, ValueError, r"WrongShape.forward must return shape \(3, 3\) for leaves, got \(3, 2\)"),
    (WrongShapeOfInnerNodes, ValueError, r"must return shape \(2, 3\) for inner nodes, got \(1, 3\)"),
    (WrongDtype, TypeError, "WrongDtype.forward must return torch.float64 for leaves .*, got torch.float32"),
    (InfiniteStates, AssertionError, "InfiniteStates.forward must return finite states for leaves"),
    (MoreStatesOfLeaves, ValueError, "as many states for inner nodes as for leaves, 2, got 1"),
    (OtherNumberOfStates, ValueError, "OtherNumberOfStates.forward must return n_states = 1 states, got 2"),
    (FewChildren, ValueError, "FewChildren.forward must accept any number of children, got an error for 4"),
    (
        RandomInEvaluation,
        AssertionError,
        "RandomInEvaluation.forward must be deterministic in evaluation mode",
    ),
    (BatchMean, AssertionError, "BatchMean.forward must not depend on the other nodes of a batch"),
    (OrderedSum, AssertionError, "OrderedSum.forward must not depend on the order of the children"),
    (
        WrongNumberOfMessages,
        ValueError,
        "WrongNumberOfMessages.message must return n_messages = 3 tensors, got 2",
    ),
    (FewStates, ValueError, "FewStates.update must return n_states = 2 tensors, got 1"),
    (FewResults, ValueError, r"FewResults.update must return n_states \+ n_kept = 4 tensors, got 3"),
    (WrongShapeOfMessages, ValueError, r"message must return tensors of shape \(5, 3\), got \(3,\)"),
    (MessageList, TypeError, "MessageList.message must return a tuple of Tensor, got list"),
    (
        ImpureWeights,
        AssertionError,
        "is_pure of ImpureWeights must be False if update uses weights, got True",
    ),
    (ImpureDropout, AssertionError, "ImpureDropout must be False if message draws random numbers, got True"),
    (ImpureGenerator, AssertionError, "ImpureGenerator must be False if update draws random numbers"),
    (WrongMessageBackward, AssertionError, "WrongMessageBackward.message_backward must equal the derivative"),
    (WrongUpdateBackward, AssertionError, "WrongUpdateBackward.update_backward must equal the derivative"),
    (FewGradients, ValueError, "update_backward must equal the derivative of update with 3 gradients, got 2"),
    (Detached, AssertionError, "gradients of Detached must equal numerical gradients: Jacobian mismatch"),
]


@pytest.mark.parametrize(("cell", "error", "message"), VIOLATIONS)
def test_a_violation_is_reported_with_its_rule(cell, error, message):
    with pytest.raises(error, match=message):
        check_cell(cell)


def test_a_wrong_fast_walk_is_reported(monkeypatch):
    correct = BackwardPass._sum_state_grads
    monkeypatch.setattr(
        BackwardPass, "_sum_state_grads", lambda *args: [1.01 * grad for grad in correct(*args)]
    )
    with pytest.raises(
        AssertionError, match="the fast walk of SoftSumCell must equal plain autograd in the gradients of x"
    ):
        check_cell(SoftSumCell)
    check_cell(ImpureCell)  # the control: it takes the plain walk


def test_places_need_at_least_two_children():
    with pytest.raises(ValueError, match="max_arity must be an int >= 2, got 1"):
        check_cell(PlainCell, max_arity=1)


class NoFunctions(GatedCell):
    x_gates = h_gates = ("u",)


@pytest.mark.parametrize("cell", [TreeCell, NoFunctions])
def test_missing_methods_are_an_error(cell):
    with pytest.raises(NotImplementedError):
        check_cell(cell)
