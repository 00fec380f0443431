"""Layout of a cell's gates in its weights and in the tables of a walk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateLayout:
    """Columns of the gates of a :class:`GatedCell`, in blocks of ``hidden_size`` columns.

    The layout defines three tables:

    - the projected inputs, with the rows of ``W``: ``x_gates``, then ``child_gates``;
    - the outputs of ``U``: ``h_gates``, then for cells with places the ``child_gates`` of each place;
    - the gates of a node: all gates of the node, ``h_gates`` last, then for cells with places the
      ``child_gates`` of each place. Cells without places have a separate table of child gates.

    Parameters
    ----------
    hidden_size : int
        Size of a state.
    x_gates, h_gates, child_gates : tuple of str
        Names of the gates.
    n_places : int, default=0
        Number of places; 0 for cells that do not distinguish children.
    """

    hidden_size: int
    x_gates: tuple[str, ...]
    h_gates: tuple[str, ...]
    child_gates: tuple[str, ...]
    n_places: int = 0

    @property
    def node_gates(self) -> tuple[str, ...]:
        """Names of the gates of a node."""
        return tuple(dict.fromkeys(self.x_gates + self.h_gates))

    @property
    def table_gates(self) -> tuple[str, ...]:
        """Names of the gates in the table of node gates, those of all places included."""
        return self.node_gates + self.child_gates * self.n_places

    @property
    def all_gates(self) -> tuple[str, ...]:
        """Names of the gates of a node, then the child gates of all places, or of one edge without places."""
        return self.node_gates + self.child_gates * max(self.n_places, 1)

    @property
    def has_edge_gates(self) -> bool:
        """Whether each edge has its own child gates, in a separate table."""
        return bool(self.child_gates) and not self.n_places

    # Sizes of the weights.

    @property
    def w_size(self) -> int:
        """Number of outputs of ``W``."""
        return (len(self.x_gates) + len(self.child_gates)) * self.hidden_size

    @property
    def u_shape(self) -> tuple[int, int]:
        """Numbers of inputs and outputs of ``U``."""
        return max(self.n_places, 1) * self.hidden_size, sum(self.u_sizes)

    @property
    def u_sizes(self) -> tuple[int, int]:
        """Numbers of outputs of ``U`` for the gates of the node and for the child gates of all places."""
        return (
            len(self.h_gates) * self.hidden_size,
            self.n_places * len(self.child_gates) * self.hidden_size,
        )

    @property
    def u_k_shape(self) -> tuple[int, int] | None:
        """Numbers of inputs and outputs of ``U_k``; None for cells without it."""
        if not self.has_edge_gates:
            return None
        return self.hidden_size, len(self.child_gates) * self.hidden_size

    # Columns of the projected inputs.

    @property
    def x_columns(self) -> slice:
        """Columns of the projected inputs for the gates of the node."""
        return slice(0, len(self.x_gates) * self.hidden_size)

    @property
    def x_child_columns(self) -> slice:
        """Columns of the projected inputs for the child gates."""
        return slice(len(self.x_gates) * self.hidden_size, None)

    @property
    def n_padding(self) -> int:
        """Number of columns of the node's gates that have no projected input."""
        return (len(self.node_gates) - len(self.x_gates)) * self.hidden_size

    # Columns of the table of node gates.

    @property
    def u_columns(self) -> slice:
        """Columns of the table of node gates that the outputs of ``U`` are added to."""
        return slice((len(self.node_gates) - len(self.h_gates)) * self.hidden_size, None)

    @property
    def place_columns(self) -> slice:
        """Columns of the table of node gates for the child gates of all places."""
        return slice(len(self.node_gates) * self.hidden_size, None)
