"""A growing network: checks, sizes and calls around the kernels."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute.build import build, used_extents
from hanami_actors.compute.columns import describe_column, describe_results
from hanami_actors.compute.image import NetworkImage
from hanami_actors.compute.kernels import layout as lay
from hanami_actors.compute.plan import Plan, make_plan, targets_per_value
from hanami_actors.compute.single import Single, Sparse, address_table, make_rooms
from hanami_actors.compute.sizing import (
    capacity_for,
    grown_sizes,
    resize,
    used_bytes,
    wanted_blocks,
)
from hanami_actors.compute.spec import NetworkSpec, unpack_spec
from hanami_actors.compute.state import State, digest_of, empty_state, sizes_of

__all__ = ["Network"]

Column = NDArray[Any]

FIXED = ("spec", "input_sizes", "output_owners")
"""Parts of the state that only a change of sizes changes."""

TRANSIENTS = {"train": 0, "request": 1}


def _load_entries() -> ModuleType:
    """Return the module of compiled entries; numba is imported with the first network."""
    from hanami_actors.compute.kernels import cycle

    return cycle


class Network:
    """The state of one network and everything that can be done with it.

    Not safe for several threads at once: whoever owns it calls one method at a time. `train` and
    `request` release the GIL while they compute, so networks on different threads run in parallel.

    Parameters
    ----------
    plan : Plan
    state : dict
        Used extents, as in an image.
    """

    def __init__(self, plan: Plan, state: State) -> None:
        self._plan = plan
        self._entry = _load_entries()
        self._inputs = {name: q for q, (name, _, _) in reversed([*enumerate(plan.spec.inputs)])}
        self._outputs = {name: q for q, (name, _, _) in reversed([*enumerate(plan.spec.outputs)])}
        self._install(state)
        self._prepare_single()

    @classmethod
    def create(cls, spec: NetworkSpec) -> "Network":
        """Return a network that has learned nothing and has no sizes.

        Raises
        ------
        TemplateError
            If an output cannot be reached from any input.
        """
        plan = make_plan(spec)
        return cls(plan, empty_state(plan))

    @classmethod
    def from_image(cls, image: NetworkImage) -> "Network":
        """Return a network that goes on exactly where ``image`` was taken."""
        return cls(make_plan(unpack_spec(image.state["spec"].tobytes())), dict(image.state))

    @property
    def spec(self) -> NetworkSpec:
        """What the network was created from."""
        return self._plan.spec

    @property
    def cycle(self) -> int:
        """Trained cycles in all."""
        return int(self._arrays.cnt[lay.N_CYCLE])

    def connections(self) -> tuple[tuple[int, int], ...]:
        """Return (source hexagon, target hexagon) of all connections in use, sorted."""
        return self._plan.topology.connections

    def size(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> None:
        """Widen inputs and outputs to at least these numbers of values.

        Parameters
        ----------
        inputs, outputs : mapping of name to number of values
            Smaller numbers than before change nothing.

        Raises
        ------
        KeyError
            For a name the template does not have.
        """
        rows = {
            name: count * targets_per_value(self._plan, self._output(name))
            for name, count in outputs.items()
        }
        widths = {name: count for name, count in inputs.items() if self._input(name) >= 0}
        new = grown_sizes(self._plan, self._sizes, widths, rows)
        if new == self._sizes:
            return
        state = resize(self._plan, self.image().state, new)
        self._install(state)
        self._prepare_single()
        opened = [h for h, count in wanted_blocks(self._plan, state) for _ in range(count)]
        for hexagon, last in [(h, 0) for h in opened] + [(-1, 1)]:
            self._table[lay.TABLE_START] = hexagon
            self._table[lay.TABLE_STOP] = last
            self._entry.open_entry(self._table)

    def output_width(self, name: str) -> int:
        """Return how many values a request for output ``name`` answers, 0 before it has a size."""
        number = self._output(name)
        return self._sizes.outputs[number] // targets_per_value(self._plan, number)

    def input_width(self, name: str) -> int:
        """Return how many values input ``name`` has room for, 0 before it has a size."""
        return self._sizes.inputs[self._input(name)]

    def train(
        self,
        inputs: Sequence[tuple[str, Column]],
        outputs: Sequence[tuple[str, Column]],
        start: int,
        stop: int,
        *,
        time_length: int = 1,
    ) -> None:
        """Run the cycles of rows ``start`` ... ``stop`` - 1; slicing a run changes nothing.

        Parameters
        ----------
        inputs, outputs : sequence of (name, array)
            2-D C-contiguous uint8 or float32, also read-only or memory-mapped; nothing is copied.
            The input of cycle c is rows c ... c + time_length - 1 one after the other, the
            expected row is c. Inputs not named are inactive, outputs not named learn nothing.
        start, stop : int
        time_length : int

        Raises
        ------
        KeyError
            For an unknown name.
        ValueError
            For another type or layout, too few rows, or more values than `size` made room for.
        """
        self._check_range(start, stop, time_length)
        self._io[:, lay.IO_WIDTH] = 0
        for name, array in inputs:
            q = self._input(name)
            last = stop + time_length - 1
            self._fits_input(q, describe_column(self._io[q], name, array, last, time_length))
        for name, array in outputs:
            q = self._output(name)
            self._fits_output(q, describe_column(self._output_io(q), name, array, stop, 1))
        self._run(start, stop)

    def train_one(
        self, inputs: Mapping[str, Column | Sparse], outputs: Mapping[str, Column]
    ) -> None:
        """Learn one sample given as vectors; the same as a cycle of `train`.

        Parameters
        ----------
        inputs : mapping of name to vector or Sparse
            Float32 or uint8; `Sparse` for wide inputs with few values that are not 0.
        outputs : mapping of name to vector

        Raises
        ------
        KeyError, ValueError
            As `train`.
        """
        single = self._train_single
        single.begin(len(inputs) + len(outputs))
        single.fill("input", self._input_rooms, inputs)
        single.fill("output", self._output_rooms, outputs)
        while self._entry.train_entry(single.table) == 0:
            self._make_room()

    def request(
        self,
        inputs: Sequence[tuple[str, Column]],
        outputs: Sequence[str],
        start: int,
        stop: int,
        *,
        time_length: int = 1,
        results: Sequence[NDArray[np.float32]],
    ) -> None:
        """Answer rows ``start`` ... ``stop`` - 1 with the slow weights; nothing learned changes.

        Parameters
        ----------
        inputs, start, stop, time_length
            As in `train`.
        outputs : sequence of names
        results : sequence of float32[stop - start or more rows, output_width(name)]
            One per output, overwritten from row 0 on: row ``start`` is answered in row 0.

        Raises
        ------
        KeyError, ValueError
            As `train`.
        """
        self._check_range(start, stop, time_length)
        self._io[:, lay.IO_WIDTH] = 0
        for name, array in inputs:
            q = self._input(name)
            last = stop + time_length - 1
            self._fits_input(q, describe_column(self._io[q], name, array, last, time_length))
        for name, result in zip(outputs, results, strict=True):
            io = self._output_io(self._output(name))
            describe_results(io, name, result, stop - start, self.output_width(name))
        self._table[lay.TABLE_START] = start
        self._table[lay.TABLE_STOP] = stop
        self._entry.request_entry(self._table)

    def request_one(self, inputs: Mapping[str, Column | Sparse]) -> dict[str, NDArray[np.float32]]:
        """Answer one sample: all outputs by name, empty without a size; inputs as in `train_one`.

        Raises
        ------
        KeyError, ValueError
            As `train`.
        """
        single = self._request_single
        single.begin(len(inputs) + len(self._output_rooms))
        single.fill("input", self._input_rooms, inputs)
        single.expect(self._output_rooms)
        self._entry.request_entry(single.table)
        return {name: room.values.copy() for name, room in self._output_rooms.items()}

    def reset_transients(self, which: str) -> None:
        """Set potentials and resting times to zero, at the start of a task or direct session.

        Parameters
        ----------
        which : str
            "train" or "request".
        """
        side = TRANSIENTS[which]
        self._arrays.pot[side] = 0
        self._arrays.rest[side] = 0

    def take_transients(self, which: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return a copy of potentials and resting times, for `put_transients`."""
        side = TRANSIENTS[which]
        return self._arrays.pot[side].copy(), self._arrays.rest[side].copy()

    def put_transients(self, which: str, kept: tuple[NDArray[Any], NDArray[Any]]) -> bool:
        """Set potentials and resting times as they were; return whether they still fit."""
        side = TRANSIENTS[which]
        potentials, rests = kept
        if potentials.shape != self._arrays.pot[side].shape:
            return False
        self._arrays.pot[side] = potentials
        self._arrays.rest[side] = rests
        return True

    def image(self) -> NetworkImage:
        """Return a copy of everything in use; other threads may encode it."""
        return NetworkImage(used_extents(self._plan, self._arrays, self._fixed))

    def digest(self) -> str:
        """Return the hex BLAKE2b-256 of the trained state; equal states have equal digests."""
        return digest_of(self.image().state)

    def size_bytes(self) -> int:
        """Return the bytes in use, replay memory included."""
        return used_bytes(self._arrays)[0]

    def metrics(self) -> dict[str, int | float]:
        """Return what people watch: counts, bytes, running error (1 at first, 0 is perfect)."""
        cnt = self._arrays.cnt
        sections = int(cnt[lay.N_SECTIONS] - 1 - cnt[lay.N_FREE])
        total, memory = used_bytes(self._arrays)
        return {
            "blocks": int(cnt[lay.N_BLOCKS]),
            "sections": sections,
            "removed_sections": int(cnt[lay.N_REMOVED]),
            "synapses": (sections + int(cnt[lay.N_VROWS]) - 1) * lay.BLOCK,
            "bytes": total,
            "replay_memory_bytes": memory,
            "replay_memory_entries": int(cnt[lay.N_ENTRIES]),
            "trained_cycles": int(cnt[lay.N_CYCLE]),
            "running_error": float(self._arrays.flt[lay.F_ERROR]),
        }

    def _input(self, name: str) -> int:
        """Return the number of an input."""
        return _number(self._inputs, "input", name)

    def _output(self, name: str) -> int:
        """Return the number of an output."""
        return _number(self._outputs, "output", name)

    def _output_io(self, number: int) -> NDArray[np.int64]:
        """Return the row of the call table that describes an output."""
        row: NDArray[np.int64] = self._io[len(self._plan.spec.inputs) + number]
        return row

    def _fits_input(self, number: int, width: int) -> None:
        """Refuse more values than an input has room for."""
        if width > self._sizes.inputs[number]:
            name = self._plan.spec.inputs[number][0]
            raise ValueError(
                f"input '{name}' gets {width} values but has size {self._sizes.inputs[number]}; "
                "size it first"
            )

    def _fits_output(self, number: int, width: int) -> None:
        """Refuse more values than an output has rows for."""
        if width * targets_per_value(self._plan, number) > self._sizes.outputs[number]:
            name = self._plan.spec.outputs[number][0]
            raise ValueError(
                f"output '{name}' gets {width} values but has size {self.output_width(name)}; "
                "size it first"
            )

    def _check_range(self, start: int, stop: int, time_length: int) -> None:
        """Refuse a range of rows that makes no sense."""
        if not 0 <= start <= stop or time_length < 1:
            raise ValueError(f"rows {start} to {stop} with time_length {time_length} make no range")

    def _run(self, start: int, stop: int) -> None:
        """Train, making room whenever an array could become too small."""
        while True:
            self._table[lay.TABLE_START] = start
            self._table[lay.TABLE_STOP] = stop
            start = int(self._entry.train_entry(self._table))
            if start >= stop:
                return
            self._make_room()

    def _install(self, state: State) -> None:
        """Build the arrays of a state with room for more, and the table of their addresses."""
        self._sizes = sizes_of(self._plan, state)
        self._fixed = {name: state[name] for name in FIXED}
        self._arrays = build(self._plan, state, capacity_for(self._plan, state))
        self._io = self._arrays.io
        self._table = address_table(self._arrays)

    def _make_room(self) -> None:
        """Build larger arrays in the middle of a call."""
        io = self._io
        self._install(self.image().state)
        self._io[...] = io
        self._train_single.rebind(self._arrays)
        self._request_single.rebind(self._arrays)

    def _prepare_single(self) -> None:
        """Make room for the values of single samples; only a change of sizes needs this again."""
        first = len(self._plan.spec.inputs)
        inputs = {name: (q, self._sizes.inputs[q]) for name, q in self._inputs.items()}
        outputs = {name: (first + q, self.output_width(name)) for name, q in self._outputs.items()}
        self._input_rooms = make_rooms(inputs, sparse=True)
        self._output_rooms = make_rooms(outputs, sparse=False)
        rooms = [*self._input_rooms.values(), *self._output_rooms.values()]
        self._train_single = Single(self._arrays, rooms)
        self._request_single = Single(self._arrays, rooms)


def _number(numbers: Mapping[str, int], what: str, name: str) -> int:
    """Return the number of an input or output.

    Raises
    ------
    KeyError
        Naming the known ones.
    """
    if name not in numbers:
        raise KeyError(f"{what} '{name}' does not exist; there are {', '.join(numbers)}")
    return numbers[name]
