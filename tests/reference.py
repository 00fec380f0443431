"""Slow, obvious versions of all fast paths."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import torch

from sklearn_tree.nn import CELLS


def child_sum_node(cell, x, children):
    """Compute equations 2-8 of Tai et al. (2015) for one node; ``children`` is a list of ``(h, c)``."""
    size = cell.hidden_size
    W_i, W_o, W_u, W_f = cell.W.weight.split(size)
    b_i, b_o, b_u, b_f = cell.W.bias.split(size)
    U_i, U_o, U_u = cell.U.weight.split(size)
    U_f = cell.U_k.weight
    h_sum = x.new_zeros(size)
    for h_k, _ in children:
        h_sum = h_sum + h_k
    i = torch.sigmoid(W_i @ x + U_i @ h_sum + b_i)
    o = torch.sigmoid(W_o @ x + U_o @ h_sum + b_o)
    u = torch.tanh(W_u @ x + U_u @ h_sum + b_u)
    c = i * u
    for h_k, c_k in children:
        c = c + torch.sigmoid(W_f @ x + U_f @ h_k + b_f) * c_k
    return o * torch.tanh(c), c


def nary_node(cell, x, children):
    """Compute equations 9-14 of Tai et al. (2015) for one node; further children are summed at place N."""
    size, arity = cell.hidden_size, cell.max_arity
    places = [(x.new_zeros(size), x.new_zeros(size)) for _ in range(arity)]
    for k, (h, c) in enumerate(children):
        k = min(k, arity - 1)
        places[k] = (places[k][0] + h, places[k][1] + c)
    W = cell.W.weight.split(size)
    b = cell.W.bias.split(size)
    U = [row.split(size, dim=1) for row in cell.U.weight.split(size)]  # U[gate][l]

    def gate(w, u):
        total = W[w] @ x + b[w]
        for l, (h, _) in enumerate(places):
            total = total + U[u][l] @ h
        return total

    i, o, u = torch.sigmoid(gate(0, 0)), torch.sigmoid(gate(1, 1)), torch.tanh(gate(2, 2))
    c = i * u
    for k, (_, c_k) in enumerate(places):
        c = c + torch.sigmoid(gate(3, 3 + k)) * c_k
    return o * torch.tanh(c), c


def child_sum_gru_node(cell, x, children):
    """Compute equations 1-5 of ``ChildSumTreeGRU`` for one node; ``children`` is a list of ``(h,)``."""
    size = cell.hidden_size
    (W_n, W_r, W_z), (b_n, b_r, b_z) = cell.W.weight.split(size), cell.W.bias.split(size)
    U_r, U_z, U_m = cell.U.weight.split(size)
    h_sum = x.new_zeros(size)
    for (h_k,) in children:
        h_sum = h_sum + h_k
    r = torch.sigmoid(W_r @ x + U_r @ h_sum + b_r)
    z = torch.sigmoid(W_z @ x + U_z @ h_sum + b_z)
    n = torch.tanh(W_n @ x + b_n + r * (U_m @ h_sum))
    return ((1 - z) * n + z * h_sum,)


def place_children(cell, x, children):
    """Return the ``h`` of the children at N places; further children are summed at the last place."""
    places = [x.new_zeros(cell.hidden_size) for _ in range(cell.max_arity)]
    for k, (h,) in enumerate(children):
        k = min(k, cell.max_arity - 1)
        places[k] = places[k] + h
    return places


def nary_gru_node(cell, x, children):
    """Compute equations 1-4 of ``NaryTreeGRU`` for one node."""
    size, arity = cell.hidden_size, cell.max_arity
    (W_n, W_r, W_z), (b_n, b_r, b_z) = cell.W.weight.split(size), cell.W.bias.split(size)
    places = place_children(cell, x, children)
    U_r, U_m, *U_z = cell.U.weight.split(size)
    joined = torch.cat(places)
    n = torch.tanh(W_n @ x + b_n + torch.sigmoid(W_r @ x + U_r @ joined + b_r) * (U_m @ joined))
    if not children:
        return (n,)
    z = [torch.sigmoid(W_z @ x + U @ joined + b_z) for U in U_z]
    kept = sum(z_k * h_k for z_k, h_k in zip(z, places)) / arity
    return ((1 - sum(z) / arity) * n + kept,)


def rnn_node(cell, x, children):
    """Compute the equation of ``RecursiveCell`` for one node."""
    return (torch.tanh(cell.W(x) + cell.U.weight @ torch.cat(place_children(cell, x, children))),)


def rntn_node(cell, x, children):
    """Compute the equation of ``RNTNCell`` for one node, slice by slice of the tensor."""
    p = torch.cat(place_children(cell, x, children))
    slices = cell.V.view(len(p), cell.hidden_size, len(p)).unbind(1)
    return (torch.tanh(cell.W(x) + cell.U.weight @ p + torch.stack([p @ V @ p for V in slices])),)


NODE = {
    "child_sum_lstm": child_sum_node,
    "nary_lstm": nary_node,
    "child_sum_gru": child_sum_gru_node,
    "nary_gru": nary_gru_node,
    "rnn": rnn_node,
    "rntn": rntn_node,
}


def recursive_states(cell, node, x, tree):
    """Compute the outputs of all nodes of a tree by recursion, as a dict ``{node: h}``."""
    out = {}

    def visit(i):
        state = node(cell, x[i], [visit(k) for k in tree.children(i)])
        out[i] = state[0]
        return state

    visit(0)
    return out


def tree_logits(net, x, tree, cut=None):
    """Compute the logits of a ``RecursiveNet`` for one tree with inputs ``x``, by recursion.

    The state of the node ``cut`` is zero, and the pooling and the linear path ignore its subtree.
    """
    x, weights = net.split_embedded(x)
    logits = net.head(tree_vector(net, x, tree, cut))
    if net.active_linear is None:
        return logits
    kept = set(tree.nodes) - set([] if cut is None else subtree(tree, cut))
    return logits + net.linear.bias + sum(weights[i] for i in kept) / len(x) ** 0.5


def tree_vector(net, x, tree, cut=None):
    """Compute the vector of one tree with inputs ``x``, by recursion; see ``tree_logits``."""
    cell, downward = net.encoder.cell, net.encoder.downward
    node = node_function(cell)
    vectors = {}

    def visit(i):
        if i == cut:
            return tuple(torch.zeros_like(state) for state in node(cell, x[i], []))
        state = node(cell, x[i], [visit(k) for k in tree.children(i)])
        vectors[i] = state[0]
        return state

    root = visit(0)[0]
    if downward is not None:
        down = downward_states(downward.cell, vectors, tree)
        vectors = {i: torch.cat([up, down[i]]) for i, up in vectors.items()}
        root = vectors.get(0, torch.cat([root, root]))
    leaves = [h for i, h in vectors.items() if not set(tree.children(i)) & set(vectors)]
    return pool_nodes(net.pool, root, list(vectors.values()), leaves)


def context_logits(net, x, tree):
    """Compute the logits of each subtree in its context for a bidirectional net, by recursion."""
    (x, weights), logits = net.split_embedded(x), []
    up = recursive_states(net.encoder.cell, node_function(net.encoder.cell), x, tree)
    down = downward_states(net.encoder.downward.cell, up, tree)
    vectors = {i: torch.cat([up[i], down[i]]) for i in tree.nodes}
    for i in tree.nodes:
        below = subtree(tree, i)
        leaves = [vectors[k] for k in below if not tree.children(k)]
        out = net.head(pool_nodes(net.pool, vectors[i], [vectors[k] for k in below], leaves))
        if net.active_linear is not None:
            out = out + net.linear.bias + sum(weights[k] for k in below) / len(below) ** 0.5
        logits.append(out)
    return torch.stack(logits)


def bag_logits(path, labels):
    """Compute the logits of a ``LinearPath`` for one sample, label by label and bigram by bigram."""
    logits = path.bias.clone()
    for label in labels:
        if 2 <= label < len(path.weight):
            logits += path.weight[label] / len(labels) ** 0.5
    known = {int(code): weight for code, weight in zip(path.bigrams, path.bigram_weight, strict=True)}
    for first, second in pairwise(labels):
        if 2 <= first < len(path.weight) and 2 <= second < len(path.weight):
            logits += known.get(first * len(path.weight) + second, 0.0) / len(labels) ** 0.5
    return logits


def node_function(cell):
    """Return the function of ``NODE`` for a cell."""
    return next(NODE[name] for name, cls in CELLS.items() if type(cell) is cls)


def downward_states(cell, up, tree):
    """Compute the downward states of the nodes in ``up`` by recursion, as a dict ``{node: h}``."""
    node, out = node_function(cell), {}

    def visit(i, above):
        if i in up:
            state = node(cell, up[i], above)
            out[i] = state[0]
            for k in tree.children(i):
                visit(k, [state])

    visit(0, [])
    return out


def pool_nodes(pool, root, vectors, leaves=()):
    """Pool the vectors of a tree's nodes; return ``root`` for the pooling "root" or without vectors."""
    if pool.how == "root" or not vectors:
        return root
    if pool.how == "ends":
        return torch.cat([root.chunk(2)[0], torch.stack(leaves).mean(0).chunk(2)[1]])
    if pool.how == "max":
        return torch.stack(vectors).max(0).values
    weights = [1.0 if pool.how == "mean" else torch.exp(10 * torch.tanh(pool.score(h) / 10)) for h in vectors]
    return sum(w * h for w, h in zip(weights, vectors)) / sum(weights)


def margin(logits, target):
    """Return the logit of a class minus the mean of the other logits."""
    others = [logit for i, logit in enumerate(logits) if i != target]
    return logits[target] - sum(others) / len(others)


def subtree(tree, node):
    """Return the nodes of the subtree of a node, including the node."""
    return [node, *(k for child in tree.children(node) for k in subtree(tree, child))]


def integral(f, x, x0, n_steps):
    """Compute integrated gradients of a function of one sample with Gauss-Legendre quadrature."""
    points, weights = np.polynomial.legendre.leggauss(n_steps)
    total = torch.zeros_like(x)
    for point, weight in zip((points + 1) / 2, weights / 2):
        at = (x0 + point * (x - x0)).requires_grad_()
        total += weight * torch.autograd.grad(f(at), at)[0]
    return total * (x - x0)


def shapley_values(value, n):
    """Compute the mean gain of each of ``n`` players over all orders; ``value`` takes a set of players."""
    orders = list(permutations(range(n)))
    phi = [0.0] * n
    for order in orders:
        for place, player in enumerate(order):
            phi[player] += value(frozenset(order[: place + 1])) - value(frozenset(order[:place]))
    return [total / len(orders) for total in phi]


def smoothed_cross_entropy(logits, y, label_smoothing):
    """Return the cross-entropy of each row with its smoothed distribution, term by term."""
    losses = []
    for row, label in zip(logits, y):
        n = len(row)
        target = [(1 - label_smoothing) * (i == label) + label_smoothing / n for i in range(n)]
        log_proba = row - torch.log(torch.exp(row).sum())
        losses.append(-sum(share * log for share, log in zip(target, log_proba)))
    return torch.stack(losses)


def moving_average(start, steps):
    """Return the average after each step with the decay t / (t + 9), and at most 0.999."""
    averages, average = [], start
    for t, weight in enumerate(steps, start=1):
        decay = min(0.999, t / (t + 9))
        average = decay * average + (1 - decay) * weight
        averages.append(average)
    return averages


def log_loss_at(temperature, logits, y, weight):
    """Return the weighted log loss of logits that are divided by a temperature."""
    total = 0.0
    for row, label, w in zip(logits, y, weight):
        row = row / temperature
        total -= w * (row[label] - row.max() - np.log(np.exp(row - row.max()).sum()))
    return total / sum(weight)
