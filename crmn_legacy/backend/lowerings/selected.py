"""What a mask selects: as many elements as the data say, held as all that there were."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, eq=False)
class Selected:
    """An array of unknown length along one axis: some rows of one that holds them all.

    Attributes
    ----------
    rows : jax.Array
        All rows, selected or not, along `axis`.
    mask : jax.Array
        What selects, of any shape; the rows stand for its elements in their order.
    origin : aesara.graph.basic.Apply
        The node that selected.
    axis : int
    place : int, optional
        Of an array of indices: of which dimension of the mask these are the places.
    """

    rows: Any
    mask: Any
    origin: Any
    axis: int = 0
    place: int | None = None

    @property
    def ndim(self):
        return self.rows.ndim

    @property
    def dtype(self):
        return self.rows.dtype

    def refused(self, node):
        """The error for a node that must know how many there are."""
        error = NotImplementedError(
            f"how much {self.origin.op} selects depends on the data, and {node.op} must know it: XLA fixes shapes when "
            f"it compiles"
        )
        error.origin = self.origin
        return error
