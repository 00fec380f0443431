"""Both passes of the compiled walk, in the part of Python that numba compiles.

The functions of one row depend on the cell; those imported here are only their signatures. The source of this
module is compiled together with the functions of a cell, see :mod:`sklearn_tree.nn.compiled.kernels`.
:mod:`sklearn_tree.nn.compiled.walk` documents the tables.
"""

from __future__ import annotations

import numpy as np

from sklearn_tree.nn.compiled.row_functions import (
    HAS_EDGE_GATES,
    N_CHILD_GATES,
    N_PLACES,
    add,
    message,
    message_backward,
    update,
    update_backward,
    update_leaf,
    update_leaf_backward,
)


def climb(rows: tuple, given: tuple, tables: tuple) -> None:
    """Compute the states of all rows."""
    children, offsets, inputs, n_rows, bags, n_bags, leaf_pairs, n_pairs, pair_of_edge = rows
    wx, leaf_wx, u, u_k = given
    products, child_products, h_below, leaf_h, messages, states = tables
    edges = children, offsets, inputs
    n, size = len(inputs), states.shape[2]
    stop = n + len(leaf_wx)
    u_t, u_k_t = transpose_places(u, size), u_k.T.copy()
    climb_leaves(n, leaf_wx, states)
    leaf_products = np.empty((len(leaf_pairs), u.shape[0]), u.dtype)
    multiply_leaves(leaf_pairs, n_pairs, u_t, leaf_products, leaf_h, states)
    if HAS_EDGE_GATES:
        np.dot(states[0, n:stop], u_k_t, child_products[n:stop])
    space = np.empty((max_rows(n_bags), u_t.shape[2]), u.dtype)
    end, firsts = n, first_bags(n_bags)
    for level in range(len(n_rows) - 1, -1, -1):
        start = end - n_rows[level]
        add_pairs(start, end, offsets, pair_of_edge, leaf_products, products)
        for place in range(len(firsts)):
            first, last = firsts[place], firsts[place] + n_bags[level, place]
            gather_children(first, last, place, bags, children, offsets, states, h_below)
            np.dot(h_below[first:last], u_t[place], space[: last - first])
            add_rows(products, bags[first:last], space)
            firsts[place] = last
        climb_level(start, end, edges, wx, products, child_products, messages, states)
        if HAS_EDGE_GATES and start:
            np.dot(states[0, start:end], u_k_t, child_products[start:end])
        end = start


def climb_leaves(n: int, leaf_wx: np.ndarray, states: np.ndarray) -> None:
    """Compute the states of the leaves and the row of zeros."""
    for row in range(len(leaf_wx)):
        update_leaf(leaf_wx[row], states, n + row)
    states[:, n + len(leaf_wx)] = 0


def add_rows(table: np.ndarray, rows: np.ndarray, x: np.ndarray) -> None:
    """Add to some rows of a table."""
    for i in range(len(rows)):
        add(table[rows[i]], x[i])


def add_pairs(
    start: int,
    stop: int,
    offsets: np.ndarray,
    pair_of_edge: np.ndarray,
    leaf_products: np.ndarray,
    products: np.ndarray,
) -> None:
    """Sum the products of the leaves of each row of a level."""
    for row in range(start, stop):
        products[row] = 0
        for edge in range(offsets[row], offsets[row + 1]):
            if pair_of_edge[edge] >= 0:
                add(products[row], leaf_products[pair_of_edge[edge]])


def transpose_places(u: np.ndarray, size: int) -> np.ndarray:
    """Return the transposed weights of each place, contiguous, shape (n_places, size, u_out)."""
    n_places = u.shape[1] // size
    result = np.empty((n_places, size, u.shape[0]), u.dtype)
    for place in range(n_places):
        result[place] = u[:, place * size : (place + 1) * size].T
    return result


def multiply_leaves(
    leaf_pairs: np.ndarray,
    n_pairs: np.ndarray,
    u_t: np.ndarray,
    leaf_products: np.ndarray,
    leaf_h: np.ndarray,
    states: np.ndarray,
) -> None:
    """Multiply each distinct leaf with the weights of each place where it occurs."""
    first = 0
    for place in range(len(n_pairs)):
        last = first + n_pairs[place]
        for pair in range(first, last):
            leaf_h[pair] = states[0, leaf_pairs[pair]]
        np.dot(leaf_h[first:last], u_t[place], leaf_products[first:last])
        first = last


def max_rows(n_bags: np.ndarray) -> int:
    """Return the largest number of bags of one level and place."""
    return n_bags.max() if n_bags.size else 0


def first_bags(n_bags: np.ndarray) -> np.ndarray:
    """Return the first bag of each place."""
    firsts = np.zeros(n_bags.shape[1], np.int64)
    for place in range(1, n_bags.shape[1]):
        firsts[place] = firsts[place - 1] + n_bags[:, place - 1].sum()
    return firsts


def gather_children(
    first: int,
    last: int,
    place: int,
    bags: np.ndarray,
    children: np.ndarray,
    offsets: np.ndarray,
    states: np.ndarray,
    h_below: np.ndarray,
) -> None:
    """Sum the outputs ``h`` of the inner nodes among the children of each bag."""
    for bag in range(first, last):
        row = bags[bag]
        if N_PLACES:
            h_below[bag] = states[0, children[offsets[row] + place]]
        else:
            h_below[bag] = 0
            for edge in range(offsets[row], offsets[row + 1]):
                if children[edge] < len(offsets) - 1:
                    add(h_below[bag], states[0, children[edge]])


def climb_level(
    start: int,
    stop: int,
    edges: tuple,
    wx: np.ndarray,
    products: np.ndarray,
    child_products: np.ndarray,
    messages: np.ndarray,
    states: np.ndarray,
) -> None:
    """Compute the states of the rows of a level from their products."""
    children, offsets, inputs = edges
    width = N_CHILD_GATES * states.shape[2]
    first_place = products.shape[1] - N_PLACES * width
    for row in range(start, stop):
        messages[:, row] = 0
        first = offsets[row]
        for edge in range(first, offsets[row + 1]):
            child = children[edge]
            if N_PLACES:
                place = first_place + (edge - first) * width
                gates = products[row, place : place + width]
            else:
                gates = child_products[child]
            message(gates, wx[inputs[row]], messages, states, child, row)
        update(products[row], wx[inputs[row]], messages, states, row)


def descend(rows: tuple, given: tuple, tables: tuple, results: tuple) -> None:
    """Differentiate :func:`climb`; ``state_grads`` holds the gradients with respect to the states."""
    children, offsets, inputs, n_rows, bags, n_bags, leaf_pairs, n_pairs, pair_of_edge = rows
    wx, leaf_wx, u, u_k = given
    products, child_products, h_below, leaf_h, messages, states = tables
    state_grads, wx_grads, leaf_wx_grads, u_grads, u_k_grads = results
    n, size = len(inputs), states.shape[2]
    stop = n + len(leaf_wx)
    places = split_places(u, size)
    product_grads = np.empty((n_rows.max(), u.shape[0]), u.dtype)
    bag_grads = np.empty((len(bags), u.shape[0]), u.dtype)
    pair_grads = np.zeros((len(leaf_pairs), u.shape[0]), u.dtype)
    child_grads = np.zeros(child_products.shape, u.dtype)
    space = np.empty((max(max_rows(n_bags), n_rows.max(), n_pairs.max(), len(leaf_wx)), size), u.dtype)
    edges, grads = (children, offsets, inputs), (product_grads, child_grads, state_grads, wx_grads)
    lasts, start = first_bags(n_bags) + n_bags.sum(0), 0
    for level in range(len(n_rows)):
        end = start + n_rows[level]
        if HAS_EDGE_GATES and start:
            add_product(child_grads[start:end], u_k, space, state_grads[0, start:end])
        descend_level(start, end, edges, wx, products, child_products, messages, states, grads)
        add_pair_grads(start, end, offsets, pair_of_edge, product_grads, pair_grads)
        for place in range(len(lasts)):
            first, last = lasts[place] - n_bags[level, place], lasts[place]
            for bag in range(first, last):
                bag_grads[bag] = product_grads[bags[bag] - start]
            np.dot(bag_grads[first:last], places[place], space[: last - first])
            scatter_grads(first, last, place, bags, children, offsets, space, state_grads)
            lasts[place] = first
        start = end
    if HAS_EDGE_GATES:
        add_product(child_grads[n:stop], u_k, space, state_grads[0, n:stop])
        np.dot(child_grads[:stop].T, states[0, :stop], u_k_grads)
    pairs, of_bags = (pair_grads, leaf_h), (bag_grads, h_below)
    descend_pairs(leaf_pairs, n_pairs, n_bags, places, pairs, of_bags, space, state_grads, u_grads)
    descend_leaves(n, leaf_wx, state_grads, leaf_wx_grads)


def descend_leaves(n: int, leaf_wx: np.ndarray, state_grads: np.ndarray, leaf_wx_grads: np.ndarray) -> None:
    """Compute the gradients with respect to the projected inputs of the leaves."""
    for row in range(len(leaf_wx)):
        update_leaf_backward(leaf_wx[row], state_grads, leaf_wx_grads[row], n + row)


def add_pair_grads(
    start: int,
    stop: int,
    offsets: np.ndarray,
    pair_of_edge: np.ndarray,
    product_grads: np.ndarray,
    pair_grads: np.ndarray,
) -> None:
    """Add the gradients of the products of a level to the pairs that they contain."""
    for row in range(start, stop):
        for edge in range(offsets[row], offsets[row + 1]):
            if pair_of_edge[edge] >= 0:
                add(pair_grads[pair_of_edge[edge]], product_grads[row - start])


def split_places(u: np.ndarray, size: int) -> np.ndarray:
    """Return the weights of each place, contiguous, shape (n_places, u_out, size)."""
    n_places = u.shape[1] // size
    result = np.empty((n_places, u.shape[0], size), u.dtype)
    for place in range(n_places):
        result[place] = u[:, place * size : (place + 1) * size]
    return result


def add_product(grads: np.ndarray, weights: np.ndarray, space: np.ndarray, out: np.ndarray) -> None:
    """Add a product to a table."""
    np.dot(grads, weights, space[: len(out)])
    for row in range(len(out)):
        add(out[row], space[row])


def descend_level(
    start: int,
    stop: int,
    edges: tuple,
    wx: np.ndarray,
    products: np.ndarray,
    child_products: np.ndarray,
    messages: np.ndarray,
    states: np.ndarray,
    all_grads: tuple,
) -> None:
    """Compute the gradients with respect to the products of the rows of a level."""
    children, offsets, inputs = edges
    product_grads, child_grads, state_grads, wx_grads = all_grads
    size = states.shape[2]
    width = N_CHILD_GATES * size
    first_place = products.shape[1] - N_PLACES * width
    message_grads = np.empty((len(messages), size), messages.dtype)
    for row in range(start, stop):
        own, grads = wx[inputs[row]], wx_grads[inputs[row]]
        update_backward(
            products[row], own, messages, state_grads, product_grads[row - start], grads, message_grads, row
        )
        first = offsets[row]
        for edge in range(first, offsets[row + 1]):
            child = children[edge]
            if N_PLACES:
                place = first_place + (edge - first) * width
                gates = products[row, place : place + width]
                gate_grads = product_grads[row - start, place : place + width]
                gate_grads[:] = 0
            else:
                gates, gate_grads = child_products[child], child_grads[child]
            message_backward(gates, own, message_grads, states, state_grads, gate_grads, grads, child)


def scatter_grads(
    first: int,
    last: int,
    place: int,
    bags: np.ndarray,
    children: np.ndarray,
    offsets: np.ndarray,
    bag_grads: np.ndarray,
    state_grads: np.ndarray,
) -> None:
    """Add the gradients of each bag to the inner nodes in it."""
    for bag in range(first, last):
        row = bags[bag]
        if N_PLACES:
            add(state_grads[0, children[offsets[row] + place]], bag_grads[bag - first])
        else:
            for edge in range(offsets[row], offsets[row + 1]):
                if children[edge] < len(offsets) - 1:
                    add(state_grads[0, children[edge]], bag_grads[bag - first])


def descend_pairs(
    leaf_pairs: np.ndarray,
    n_pairs: np.ndarray,
    n_bags: np.ndarray,
    places: np.ndarray,
    pairs: tuple,
    of_bags: tuple,
    space: np.ndarray,
    state_grads: np.ndarray,
    u_grads: np.ndarray,
) -> None:
    """Compute the gradients with respect to leaves and to the weights of all places."""
    (pair_grads, leaf_h), (bag_grads, h_below) = pairs, of_bags
    size = space.shape[1]
    first, first_bag = 0, 0
    for place in range(len(n_pairs)):
        last, last_bag = first + n_pairs[place], first_bag + n_bags[:, place].sum()
        np.dot(pair_grads[first:last], places[place], space[: last - first])
        add_rows(state_grads[0], leaf_pairs[first:last], space)
        grads = np.dot(pair_grads[first:last].T, leaf_h[first:last])
        grads += np.dot(bag_grads[first_bag:last_bag].T, h_below[first_bag:last_bag])
        u_grads[:, place * size : (place + 1) * size] = grads
        first, first_bag = last, last_bag
