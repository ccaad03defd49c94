"""Reading how a network came to be: clusters as they were, and the samples of connections."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.events import SamplesTrained
from hanami_actors.domain.cluster.lineage import Lineage, lineage_of
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.replay import state_at
from hanami_actors.types import Digest, StreamId

__all__ = ["Histories", "SampleBatch"]

STATES_MAX = 64


class SampleBatch(NamedTuple):
    """Samples of a session that were recorded together.

    Attributes
    ----------
    start, step_count : int
        Steps of the session before these, and how many these are.
    data : bytes
        As `hanami_actors.datasets.samples` reads them.
    """

    start: int
    step_count: int
    data: bytes


class Histories:
    """Looks into the log for what a network needs to be computed again. Thread-safe.

    Parameters
    ----------
    log : EventLog
    blobs : BlobStore
    """

    def __init__(self, log: EventLog, blobs: BlobStore) -> None:
        self._log = log
        self._blobs = blobs
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[str, int], ClusterState] = OrderedDict()

    def lineage(self, state: ClusterState, stream: str) -> Lineage:
        """Return the way to the newest moment of a cluster."""
        return lineage_of(state, stream, self.read)

    def read(self, stream: str, version: int) -> ClusterState:
        """Return a cluster, perhaps deleted since, as it was at a version.

        Raises
        ------
        NotFoundError
            The log has no such version.
        """
        start, state = self._nearest(stream, version)
        if start < version:
            state = state_at(self._log, StreamId(stream), version, state, apply, start=start)
        self.remember(stream, version, state)
        return state

    def remember(self, stream: str, version: int, state: ClusterState) -> None:
        """Keep a state that is likely to be read, so that its records need not be."""
        key = (stream, version)
        with self._lock:
            self._states[key] = state
            self._states.move_to_end(key)
            while len(self._states) > STATES_MAX:
                self._states.popitem(last=False)

    def samples(self, stream: str, session_uuid: str, start: int) -> Iterator[SampleBatch]:
        """Yield the batches of a session that reach beyond a step, in order.

        Raises
        ------
        BlobMissingError
            The samples are gone, so the moment cannot be computed again.
        """
        for record in self._log.read_stream(StreamId(stream)):
            event = record.event
            if not isinstance(event, SamplesTrained) or event.session_uuid != session_uuid:
                continue
            if event.start + event.count <= start:
                continue
            data = event.data
            if event.blob:
                data = self._blobs.path(Digest(event.blob)).read_bytes()
            yield SampleBatch(event.start, event.count, data)

    def _nearest(self, stream: str, version: int) -> tuple[int, ClusterState]:
        """Return the newest known version that is not newer, and the cluster then."""
        with self._lock:
            known = [at for name, at in self._states if name == stream and at <= version]
            start = max(known, default=0)
            return start, self._states.get((stream, start)) or ClusterState()
