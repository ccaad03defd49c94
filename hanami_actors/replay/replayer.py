"""A network that walks along a way, from its beginning or from a snapshot."""

import logging
from collections.abc import Callable

from hanami_actors.compute import Network, NetworkImage, decode_image
from hanami_actors.domain.cluster.lineage import Stretch
from hanami_actors.domain.tables import key_of
from hanami_actors.errors import BlobMissingError, SnapshotDamagedError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.histories import Histories
from hanami_actors.replay.point import Moment, moment_name, parse_moment
from hanami_actors.replay.segment_data import network_spec
from hanami_actors.replay.segments import Span, SpanData, open_span
from hanami_actors.replay.timeline import Way
from hanami_actors.types import Digest, StreamId

__all__ = ["Walker"]

logger = logging.getLogger(__name__)

STEP_CYCLES = 1_000
"""Cycles between two looks at the clock or the keyboard; longer runs are not faster."""


class Walker:
    """Computes a network cycle by cycle, exactly as the server did.

    Parameters
    ----------
    way : Way
    blobs : BlobStore
        The data of the tasks.
    log : EventLog
        The samples of direct sessions.

    Attributes
    ----------
    way : Way
    done : int
        Cycles of the way that the network has learned.
    network : Network
    """

    def __init__(self, way: Way, blobs: BlobStore, log: EventLog) -> None:
        self.way = way
        self._blobs = blobs
        self._histories = Histories(log, blobs)
        self._open: tuple[int, SpanData] | None = None
        self.done = 0
        self.network = self._beginning()

    def start_from(self, snapshots: SnapshotStore, *, before: int) -> int:
        """Go to the newest good snapshot at or before a cycle; return where it is.

        Snapshots that do not hold are passed over. Without a good one nothing changes.
        """
        for number in range(len(self.way.stretches) - 1, -1, -1):
            stretch = self.way.stretches[number]
            begin = self.way.begin_of(number)
            limit = min(stretch.stop, before - begin)
            for moment in _moments(snapshots, stretch, limit):
                image = _load(snapshots, stretch, moment)
                if image is not None:
                    self.restore(image, begin + moment.cycle)
                    return self.done
        return self.done

    def restore(self, image: NetworkImage, done: int) -> None:
        """Put the network where it was when an image was taken."""
        self.network = Network.from_image(image)
        self.done = done
        self._open = None

    def walk_to(self, goal: int, progress: Callable[[int], None] = lambda _: None) -> None:
        """Train up to a cycle of the way.

        Parameters
        ----------
        goal : int
            Not before `done`.
        progress : callable
            Told `done` now and then.

        Raises
        ------
        BlobMissingError
            Data of a task is gone: moments behind it cannot be computed.
        """
        while self.done < goal:
            number, cycle = self._next()
            stretch = self.way.stretches[number]
            begin = self.way.begin_of(number)
            stop = min(stretch.stop, cycle + STEP_CYCLES, goal - begin)
            try:
                data = self._data(number, stretch, cycle)
                data.prepare(self.network, cycle)
                self.done = begin + data.train(self.network, cycle, stop)
            except BlobMissingError as error:
                error.add_note(
                    f"the cycles of {stretch.task.kind} {stretch.task.uuid} of {stretch.stream}"
                    " cannot be computed again: data purged"
                )
                raise
            progress(self.done)

    def moment(self) -> Moment:
        """Return where the network is."""
        return self.way.moment(self.done)

    def _beginning(self) -> Network:
        lineage = self.way.lineage
        if lineage.image:
            data = self._blobs.path(Digest(lineage.image)).read_bytes()
            return Network.from_image(decode_image(data))
        return Network.create(network_spec(lineage.template, lineage.seed))

    def _next(self) -> tuple[int, int]:
        """Return the stretch of the next cycle and the cycle within it."""
        step = self.way.step(self.done + 1)
        return step.stretch, step.cycle - 1

    def _data(self, number: int, stretch: Stretch, cycle: int) -> SpanData:
        if self._open is None or self._open[0] != number:
            span = Span(key_of(stretch.stream), stretch.task, cycle, stretch.stop)
            self._open = (number, open_span(self._blobs, self._histories, span))
        return self._open[1]


def _moments(snapshots: SnapshotStore, stretch: Stretch, limit: int) -> list[Moment]:
    """Return the snapshots of a stretch up to a cycle, newest first."""
    names = snapshots.names(StreamId(stretch.stream))
    moments = [moment for name in names if (moment := parse_moment(name))]
    fitting = [m for m in moments if m.task_uuid == stretch.task.uuid and 0 < m.cycle <= limit]
    return sorted(fitting, reverse=True)


def _load(snapshots: SnapshotStore, stretch: Stretch, moment: Moment) -> NetworkImage | None:
    try:
        return decode_image(snapshots.load(StreamId(stretch.stream), moment_name(moment)))
    except SnapshotDamagedError as error:
        logger.warning("a snapshot is passed over: %s", error.message)
        return None
