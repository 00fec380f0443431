"""Signatures of the functions of one row that the compiled walk calls.

:mod:`sklearn_tree.nn.compiled.row_code` writes them for each cell. They compute, in the notation of
:class:`~sklearn_tree.nn.gated.GatedCell`, one node or one edge:

``products``
    Outputs of ``U`` for the gates of the node, shape (n_h_gates * hidden_size,); replaced by the gates.
``child_products``
    Outputs of ``U`` or ``U_k`` for the child gates of one place or edge, shape
    (n_child_gates * hidden_size,).
``wx``
    Projected inputs of the node, shape (at least n_x_gates * hidden_size,).
``messages``, ``states``
    Tables of all rows, shapes (n_messages, n_rows, hidden_size) and (n_states, n_rows, hidden_size).
``message_grads``
    Gradients with respect to the messages of one node, shape (n_messages, hidden_size).

A name that ends in ``_grads`` is the gradient with respect to the array with the rest of the name.
"""

from __future__ import annotations

import numpy as np

N_PLACES = 0  # max_arity of cells with places, else 0
N_CHILD_GATES = 0
HAS_EDGE_GATES = False


def update(products: np.ndarray, wx: np.ndarray, messages: np.ndarray, states: np.ndarray, row: int) -> None:
    """Compute the gates and the states of an inner node."""
    raise NotImplementedError


def update_leaf(wx: np.ndarray, states: np.ndarray, row: int) -> None:
    """Compute the states of a leaf."""
    raise NotImplementedError


def update_backward(
    products: np.ndarray,
    wx: np.ndarray,
    messages: np.ndarray,
    state_grads: np.ndarray,
    product_grads: np.ndarray,
    wx_grads: np.ndarray,
    message_grads: np.ndarray,
    row: int,
) -> None:
    """Differentiate :func:`update`; adds to ``wx_grads`` and replaces the other gradients."""
    raise NotImplementedError


def update_leaf_backward(wx: np.ndarray, state_grads: np.ndarray, wx_grads: np.ndarray, row: int) -> None:
    """Differentiate :func:`update_leaf`; replaces ``wx_grads``."""
    raise NotImplementedError


def message(
    child_products: np.ndarray,
    wx: np.ndarray,
    messages: np.ndarray,
    states: np.ndarray,
    child: int,
    row: int,
) -> None:
    """Add the messages of a child to those of a node."""
    raise NotImplementedError


def message_backward(
    child_products: np.ndarray,
    wx: np.ndarray,
    message_grads: np.ndarray,
    states: np.ndarray,
    state_grads: np.ndarray,
    child_product_grads: np.ndarray,
    wx_grads: np.ndarray,
    child: int,
) -> None:
    """Differentiate :func:`message`; adds to all gradients."""
    raise NotImplementedError


def add(x: np.ndarray, y: np.ndarray) -> None:
    """Add a row to another one."""
    x += y
