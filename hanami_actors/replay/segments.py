"""The way to a moment of a network: stretches of training, and the data they need."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from hanami_actors.compute import Network
from hanami_actors.datasets.samples import SampleRun, decode_samples
from hanami_actors.domain.cluster.events import Task
from hanami_actors.domain.cluster.lineage import Lineage
from hanami_actors.domain.tables import key_of
from hanami_actors.errors import BlobMissingError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.replay.histories import Histories
from hanami_actors.replay.point import Moment
from hanami_actors.replay.segment_data import SpanArrays

__all__ = [
    "Place",
    "Span",
    "SpanData",
    "head_of",
    "open_span",
    "places",
    "remaining",
    "root_of",
    "spans_of",
]


class Span(NamedTuple):
    """Cycles ``start .. stop`` of a training or session, to be run on the network.

    Attributes
    ----------
    cluster_uuid : str
        Who ran it first; its snapshots lie there.
    digest : str
        State of the network after ``stop`` as it was recorded, empty if unknown.
    """

    cluster_uuid: str
    task: Task
    start: int
    stop: int
    digest: str = ""


class Place(NamedTuple):
    """Where a snapshot may lie: of a cluster's task, at or before a cycle."""

    cluster_uuid: str
    moment: Moment


class SpanData(Protocol):
    """The samples of a span, ready to be trained."""

    def prepare(self, network: Network, start: int) -> None:
        """Make the network ready for its first cycle from here."""
        ...

    def train(self, network: Network, start: int, stop: int) -> int:
        """Run some cycles, at most to ``stop``; return the next one."""
        ...


def spans_of(lineage: Lineage) -> list[Span]:
    """Return all that leads to the moment."""
    return [
        Span(key_of(stretch.stream), stretch.task, 0, stretch.stop, stretch.digest)
        for stretch in lineage.stretches
    ]


def root_of(lineage: Lineage) -> Moment:
    """Return the moment a network of this lineage begins at."""
    return Moment(f"root:{lineage.root}", 0)


def head_of(lineage: Lineage) -> Moment:
    """Return the moment that the lineage leads to."""
    if not lineage.stretches:
        return root_of(lineage)
    last = lineage.stretches[-1]
    return Moment(last.task.uuid, last.stop)


def places(goal: list[Span]) -> Iterator[Place]:
    """Yield where a snapshot would help, best first."""
    for span in reversed(goal):
        yield Place(span.cluster_uuid, Moment(span.task.uuid, span.stop))


def remaining(root: Moment, goal: list[Span], moment: Moment) -> list[Span] | None:
    """Return what is left of the goal after a moment; None when the moment is not on its way."""
    if moment == root:
        return list(goal)
    for index, span in enumerate(goal):
        if span.task.uuid == moment.task_uuid:
            if moment.cycle > span.stop:
                return None
            rest = [span._replace(start=moment.cycle)] if moment.cycle < span.stop else []
            return [*rest, *goal[index + 1 :]]
    return None


def open_span(blobs: BlobStore, histories: Histories, span: Span) -> SpanData:
    """Return the samples of a span.

    Raises
    ------
    BlobMissingError
        A file is gone.
    """
    if span.task.kind == "direct":
        return _SessionSamples(histories, span)
    return _TaskColumns(blobs, span.task)


class _TaskColumns:
    """The data of a training task."""

    def __init__(self, blobs: BlobStore, task: Task) -> None:
        self._arrays = SpanArrays(blobs, task)

    def prepare(self, network: Network, start: int) -> None:
        """Give inputs and outputs the widths of the data at the beginning of the task."""
        if start == 0:
            self._arrays.size(network)
            network.reset_transients("train")

    def train(self, network: Network, start: int, stop: int) -> int:
        """Run cycles of the task, at most to the end of an epoch; return the next cycle."""
        return self._arrays.train(network, start, stop)


class _SessionSamples:
    """What a connection sent, batch by batch."""

    def __init__(self, histories: Histories, span: Span) -> None:
        self._what = f"step {span.stop} of direct session '{span.task.uuid}'"
        stream = f"cluster/{span.cluster_uuid}"
        self._batches = histories.samples(stream, span.task.uuid, span.start)
        self._runs: list[SampleRun] = []

    def prepare(self, network: Network, start: int) -> None:
        """Begin like the connection did; sizes come with the samples."""
        if start == 0:
            network.reset_transients("train")

    def train(self, network: Network, start: int, stop: int) -> int:
        """Run steps of the session, at most as long as their shape stays the same."""
        run = self._run_at(start)
        first = start - run.start
        last = min(stop - run.start, run.row_count)
        network.size(
            {name: array.shape[1] for name, array in run.inputs},
            {name: array.shape[1] for name, array in run.outputs},
        )
        network.train(run.inputs, run.outputs, first, last)
        return run.start + last

    def _run_at(self, step: int) -> SampleRun:
        while not self._runs or self._runs[0].start + self._runs[0].row_count <= step:
            if self._runs:
                self._runs.pop(0)
                continue
            batch = next(self._batches, None)
            if batch is None:
                raise BlobMissingError(f"{self._what} cannot be computed: its samples are missing")
            self._runs = [
                run._replace(start=batch.start + run.start) for run in decode_samples(batch.data)
            ]
        return self._runs[0]
