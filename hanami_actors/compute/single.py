"""One sample at a time: where its values go, and the call tables that never change.

Asking NumPy for an address takes longer than copying a few hundred values, so the values of a
single sample are copied to fixed places that the tables point to.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.columns import describe_vector
from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.kernels.arrays import Arrays
from hanami_actors.compute.state import aligned_zeros

__all__ = ["Room", "Single", "Sparse", "address_table", "make_rooms"]

Table = NDArray[np.int64]

FLOATS = np.dtype(np.float32)


class Sparse(NamedTuple):
    """The values of one sample that are not 0; the same as a vector with 0 everywhere else."""

    indices: NDArray[np.int32]
    """Rising, without repetition."""

    values: NDArray[np.float32]


class Room(NamedTuple):
    """Where the values of one input or output go."""

    values: NDArray[np.float32]
    view: memoryview
    """The same memory; writing a vector to it is four times as fast as NumPy's assignment."""

    width: int
    indices: NDArray[np.int32]
    """Of sparse inputs; of length 0 for outputs."""

    row: int
    """Of the columns of a call."""

    cell: int
    """Where the number of values is written, in the columns as one list."""


def address_table(arrays: Arrays) -> Table:
    """Return the table of addresses and shapes of all arrays, without start and stop."""
    table = np.zeros(lay.TABLE_HEAD + lay.TABLE_CELLS * len(arrays), np.int64)
    for index, array in enumerate(arrays):
        at = lay.TABLE_HEAD + lay.TABLE_CELLS * index
        table[at] = array.__array_interface__["data"][0]
        table[at + 1 : at + 1 + array.ndim] = array.shape
    return table


class Single:
    """The call of one cycle, or of one answer, with values in fixed places.

    Parameters
    ----------
    arrays : Arrays
    rooms : collection of Room
        Of all inputs and outputs.
    """

    def __init__(self, arrays: Arrays, rooms: Collection[Room]) -> None:
        self._io = arrays.io.copy()
        self._columns = len(self._io)
        for room in rooms:
            describe_vector(self._io[room.row], room.values)
            if room.indices.size:
                self._io[room.row, lay.IO_INDICES] = room.indices.__array_interface__["data"][0]
        self._cells = memoryview(self._io.reshape(-1))
        self._sparse_rows: list[int] = []
        self.rebind(arrays)

    def rebind(self, arrays: Arrays) -> None:
        """Point to larger arrays; what was filled in stays."""
        self.table = address_table(arrays._replace(io=self._io))
        self.table[lay.TABLE_STOP] = 1

    def expect(self, rooms: Mapping[str, Room]) -> None:
        """Ask for all values of these outputs."""
        for room in rooms.values():
            self._cells[room.cell] = room.width

    def begin(self, given: int) -> None:
        """Mark everything as not given, and as vectors, unless all columns will be."""
        if given == self._columns and not self._sparse_rows:
            return
        self._io[:, lay.IO_WIDTH] = 0
        while self._sparse_rows:
            self._io[self._sparse_rows.pop(), lay.IO_KIND] = lay.COLUMN_FLOATS

    def fill(self, what: str, rooms: Mapping[str, Room], given: Mapping[str, Any]) -> None:
        """Copy values to their rooms.

        Parameters
        ----------
        what : str
            "input" or "output", for sentences about mistakes.
        rooms, given : mapping by name
            Vectors no longer than their rooms, or `Sparse` for inputs.

        Raises
        ------
        KeyError
            For a name without a room.
        ValueError
            For another shape, or sparse indices that do not rise or are out of range.
        """
        cells = self._cells
        for name, values in given.items():
            room = rooms.get(name)
            if room is None:
                raise KeyError(f"{what} '{name}' does not exist; there are {', '.join(rooms)}")
            if type(values) is Sparse:
                cells[room.cell] = self._fill_sparse(what, name, room, values)
                continue
            if values.ndim != 1 or len(values) > room.width:
                raise ValueError(
                    f"{what} '{name}' gets values of shape {values.shape} but has size "
                    f"{room.width}; give a vector, and size it first"
                )
            cells[room.cell] = len(values)
            _write(room, values)

    def _fill_sparse(self, what: str, name: str, room: Room, given: Sparse) -> int:
        """Copy indices and values, and return how many."""
        indices, values = given
        count = len(indices)
        width = room.indices.shape[0]
        if indices.ndim != 1 or indices.shape != values.shape or indices.dtype.kind not in "iu":
            raise ValueError(
                f"{what} '{name}' gets {indices.dtype} indices of shape {indices.shape} and values "
                f"of shape {values.shape}; give two vectors of the same length, indices as integers"
            )
        if count:
            rising = bool((indices[1:] > indices[:-1]).all())
            if not rising or indices[0] < 0 or indices[-1] >= width:
                raise ValueError(
                    f"{what} '{name}' gets sparse indices that do not rise or are not in 0 to "
                    f"{width - 1}; sort them, name none twice, and size it first"
                )
        room.indices[:count] = indices
        room.values[:count] = values
        self._io[room.row, lay.IO_KIND] = lay.COLUMN_PAIRS
        self._sparse_rows.append(room.row)
        return count


def _write(room: Room, values: Any) -> None:
    """Copy a vector that is not longer than its room."""
    if values.dtype is FLOATS and len(values) == room.width:
        try:
            room.view[:] = values
        except ValueError:  # not aligned
            room.values[:] = values
    else:
        room.values[: len(values)] = values


def make_rooms(places: Mapping[str, tuple[int, int]], *, sparse: bool) -> dict[str, Room]:
    """Return room for the values of inputs or outputs.

    Parameters
    ----------
    places : mapping of name to (row among the columns of a call, number of values)
    sparse : bool
        True makes room for indices.
    """
    rooms = {}
    for name, (row, width) in places.items():
        values = aligned_zeros((width,), np.float32)
        indices = aligned_zeros((width if sparse else 0,), np.int32)
        cell = row * lay.IO_CELLS + lay.IO_WIDTH
        rooms[name] = Room(values, values.data, width, indices, row, cell)
    return rooms
