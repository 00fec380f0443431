"""Tree-LSTMs in DyNet, node by node with automatic batching; run by ``client.Peer``."""

from __future__ import annotations

from collections.abc import Callable

import dynet_config

dynet_config.set(autobatch=1, mem=1024)

import dynet as dy  # noqa: E402 - after its configuration
import numpy as np  # noqa: E402
from worker import Net, Task, Tree, serve  # noqa: E402

State = tuple[dy.Expression, dy.Expression]
Layer = list[dy.Expression]  # bias and weight


class DynetNet(Net):
    """Net that builds the expressions of a batch node by node."""

    # NOTE[DIFF] DyNet's Adagrad divides by sqrt(sum + eps) where torch divides by sqrt(sum) + eps;
    # eps is chosen so that both divide by 1e-10 where the sum is 0.
    def __init__(self, task: Task, n_threads: int) -> None:
        super().__init__(task, n_threads)
        weights = task.weights
        self.size = weights["head_w"].shape[1]
        self.parameters = dy.ParameterCollection()
        self.table = self.parameters.lookup_parameters_from_numpy(weights["embedding"])
        self.layers = {
            name: self.parameters.parameters_from_numpy(weight)
            for name, weight in weights.items()
            if name != "embedding"
        }
        self.trainer = dy.AdagradTrainer(self.parameters, learning_rate=task.lr, eps=1e-20)
        self.trainer.set_clip_threshold(0)

    def reset(self) -> None:
        weights = self.task.weights
        self.table.init_from_array(weights["embedding"])
        for name, layer in self.layers.items():
            layer.set_value(weights[name])
        self.trainer.restart()

    def step(self, start: int, stop: int) -> None:
        logits = self.forward(start, stop)
        labels = self.task.y[start:stop].tolist()
        loss = dy.mean_batches(dy.pickneglogsoftmax_batch(logits, labels))
        loss.backward()
        self.trainer.update()

    def logits(self, start: int, stop: int) -> np.ndarray:
        return self.forward(start, stop).npvalue().reshape(-1, stop - start).T

    def forward(self, start: int, stop: int) -> dy.Expression:
        dy.renew_cg()
        trees = self.task.trees[start:stop]
        # Take each part of a layer once: DyNet would batch equal expressions, but cannot differentiate that.
        W, b = self.layers["W"], self.layers["b"]
        own = [self.part(b, 0, 3), self.part(W, 0, 3)]
        forget = [self.part(b, 3), self.part(W, 3)]
        inner = (self.binary if self.task.cell == "nary_lstm" else self.child_sum)(own, forget)
        leaf_h, leaf_c = self.leaves(trees, own)
        roots, n_before = [], 0
        for tree in trees:
            n_before += sum(not below for below in tree.children)
            states, leaf = {}, n_before
            for node in range(len(tree.labels) - 1, -1, -1):
                below = tree.children[node]
                if below:
                    states[node] = inner(tree.labels[node], [states[child] for child in below])
                else:
                    leaf -= 1
                    states[node] = dy.pick_batch_elem(leaf_h, leaf), dy.pick_batch_elem(leaf_c, leaf)
            roots.append(states[0][0])
        head = self.layers["head_b"], self.layers["head_w"]
        return dy.affine_transform([*head, dy.concatenate_to_batch(roots)])

    def leaves(self, trees: list[Tree], own: Layer) -> State:
        """Return the states of the leaves of all trees as one expression."""
        labels = [label for tree in trees for label, below in zip(*tree) if not below]
        x = dy.lookup_batch(self.table, labels)
        return self.state(dy.affine_transform([*own, x]))

    def binary(self, own: Layer, forget: Layer) -> Callable[[int, list[State]], State]:
        """Return the function that computes an inner node without a label."""
        size, U = self.size, self.layers["U"]
        bias = dy.concatenate([own[0], forget[0], forget[0]])
        left, right = dy.select_cols(U, range(size)), dy.select_cols(U, range(size, 2 * size))

        def inner(label: int, below: list[State]) -> State:
            (h_0, c_0), (h_1, c_1) = below
            gates = dy.affine_transform([bias, left, h_0, right, h_1])
            f_0, f_1 = dy.logistic(self.part(gates, 3)), dy.logistic(self.part(gates, 4))
            return self.state(gates, dy.cmult(f_0, c_0) + dy.cmult(f_1, c_1))

        return inner

    def child_sum(self, own: Layer, forget: Layer) -> Callable[[int, list[State]], State]:
        """Return the function that computes an inner node with a label and any number of children."""
        U, U_k = self.layers["U"], self.layers["U_k"]

        def inner(label: int, below: list[State]) -> State:
            x = self.table[label]
            iou = dy.affine_transform([*own, x, U, dy.esum([h for h, _ in below])])
            wx_f = dy.affine_transform([*forget, x])
            past = [dy.cmult(dy.logistic(wx_f + U_k * h), c) for h, c in below]
            return self.state(iou, dy.esum(past))

        return inner

    def state(self, gates: dy.Expression, past: dy.Expression | None = None) -> State:
        """Return ``h`` and ``c``."""
        i, o, u = (self.part(gates, place) for place in range(3))
        c = dy.cmult(dy.logistic(i), dy.tanh(u))
        if past is not None:
            c = c + past
        return dy.cmult(dy.logistic(o), dy.tanh(c)), c

    def part(self, gates: dy.Expression, place: int, n: int = 1) -> dy.Expression:
        """Return ``n`` consecutive gates of stacked gates."""
        return dy.pick_range(gates, place * self.size, (place + n) * self.size)


if __name__ == "__main__":
    serve(DynetNet)
