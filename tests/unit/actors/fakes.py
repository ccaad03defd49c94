"""A network that only counts, a log that fails when told, and a gate for compute threads."""

import json
import threading
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from hanami_actors.compute import Network, NetworkImage
from hanami_actors.compute.state import ARRAYS
from hanami_actors.eventlog.memory import MemoryEventLog
from hanami_actors.eventlog.port import Batch, PreparedBatch
from hanami_actors.types import StreamId

GATE_TIMEOUT_S = 20.0


def image_of(text: bytes) -> NetworkImage:
    """An image with the arrays that snapshots must have, one of which holds the text."""
    arrays = {name: np.empty(0, np.uint8) for name in ARRAYS}
    return NetworkImage({**arrays, "spec": np.frombuffer(text, np.uint8)})


class FakeNetwork(Network):
    """Learns a checksum of the rows it has seen, in their order; needs no kernels.

    ``on_train`` and ``on_request`` of a subclass are called before every call of the kernel.
    """

    on_train: Callable[["FakeNetwork", int], None] = staticmethod(lambda network, start: None)
    on_request: Callable[["FakeNetwork", int], None] = staticmethod(lambda network, start: None)

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    @classmethod
    def create(cls, spec):
        return cls({"sum": spec.seed % 2**32, "cycles": 0, "inputs": {}, "outputs": {}})

    @classmethod
    def from_image(cls, image):
        return cls(json.loads(image.state["spec"].tobytes()))

    def size(self, inputs, outputs):
        for kind, sizes in (("inputs", inputs), ("outputs", outputs)):
            for name, size in sizes.items():
                self.state[kind][name] = max(size, self.state[kind].get(name, 0))

    def input_width(self, name):
        return self.state["inputs"].get(name, 0)

    def output_width(self, name):
        return self.state["outputs"].get(name, 0)

    def train(self, inputs, outputs, start, stop, *, time_length=1):
        self.on_train(self, start)
        for row in range(start, stop):
            for _, array in (*inputs, *outputs):
                self.state["sum"] = zlib.crc32(array[row].tobytes(), self.state["sum"])
            self.state["cycles"] += 1

    def request(self, inputs, outputs, start, stop, *, time_length=1, results):
        self.on_request(self, start)
        for result in results:
            for row in range(start, stop):
                result[row - start] = (self.state["sum"] + row) % 1000

    def train_one(self, inputs, outputs):
        for kind, vectors in (("inputs", inputs), ("outputs", outputs)):
            for name, vector in vectors.items():
                if vector.shape[0] > self.state[kind].get(name, 0):
                    raise ValueError("size it first")
        self.on_train(self, self.state["cycles"])
        for vector in (*inputs.values(), *outputs.values()):
            self.state["sum"] = zlib.crc32(vector.tobytes(), self.state["sum"])
        self.state["cycles"] += 1

    def request_one(self, inputs):
        if any(vector.shape[0] > self.input_width(name) for name, vector in inputs.items()):
            raise ValueError("size it first")
        self.on_request(self, 0)
        value = self.state["sum"] % 1000
        sizes = self.state["outputs"] or {"label": 0}
        return {name: np.full(size, value, np.float32) for name, size in sizes.items()}

    def reset_transients(self, which):
        pass

    def take_transients(self, which):
        return self.state["sum"]

    def put_transients(self, which, kept):
        return True

    def image(self):
        return image_of(json.dumps(self.state, sort_keys=True).encode())

    def size_bytes(self):
        return 1000

    def metrics(self):
        return {"trained_cycles": self.state["cycles"], "bytes": 1000}


class FaultyLog(MemoryEventLog):
    """A log in memory that fails when told.

    ``faults`` maps an event tag to errors; each is raised once, before the append, when a batch
    has such an event. An error in ``after`` is raised when the batch has been written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}
        self.appended: list[str] = []

    def append(self, batches):
        tags = _tags(batches)
        _raise_next(self.faults, tags)
        answers = super().append(batches)
        self.appended += tags
        _raise_next(self.after, tags)
        return answers

    def tags(self, stream: str) -> list[str]:
        return [record.tag for record in self.read_stream(StreamId(stream))]


def _tags(batches: list[Batch | PreparedBatch]) -> list[str]:
    plain = [each.batch if isinstance(each, PreparedBatch) else each for each in batches]
    return [event.TAG for batch in plain for append in batch.appends for event in append.events]


def _raise_next(faults: dict[str, list[Exception]], tags: list[str]) -> None:
    for tag in tags:
        if faults.get(tag):
            raise faults[tag].pop(0)


class Gate:
    """A place where a compute thread stops until the test lets it go on."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def pass_through(self) -> None:
        self._reached.set()
        assert self._open.wait(GATE_TIMEOUT_S), "the gate stayed closed"

    def wait_until_reached(self) -> None:
        assert self._reached.wait(GATE_TIMEOUT_S), "nobody came to the gate"

    def open(self) -> None:
        self._open.set()


def network_with(
    *,
    on_train: Callable[[FakeNetwork, int], None] | None = None,
    on_request: Callable[[FakeNetwork, int], None] | None = None,
) -> type[FakeNetwork]:
    """A fake network that does something before it computes."""
    hooks = {"on_train": on_train, "on_request": on_request}
    given = {name: staticmethod(hook) for name, hook in hooks.items() if hook is not None}
    return type("HookedNetwork", (FakeNetwork,), given)
