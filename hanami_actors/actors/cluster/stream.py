"""What the log knows of one cluster, and the only way to add to it."""

import contextlib
from collections.abc import Callable, Iterator

from hanami_actors.actors.system import System
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.base import Stamp
from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.events import CheckpointTaken, ClusterEvent, ClusterRestored
from hanami_actors.domain.cluster.lineage import Lineage, source_at, source_of
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.errors import BusyError, FaultError, NotFoundError, WrongVersionError
from hanami_actors.eventlog.port import Append
from hanami_actors.eventlog.replay import replayed
from hanami_actors.replay.histories import Histories
from hanami_actors.types import StreamId

__all__ = ["ClusterBook", "folded", "restarting"]


class ClusterBook:
    """The newest state of a cluster and the version of its stream; used in the actor's thread.

    Parameters
    ----------
    system : System
    histories : Histories
    uuid : str
        Of the cluster.
    on_uncertain : callable
        Called when nobody knows what the log holds: the actor has to be started again.

    Attributes
    ----------
    state : ClusterState
    version : int
    is_certain : bool
        Whether both are what the log holds.
    """

    def __init__(
        self, system: System, histories: Histories, uuid: str, on_uncertain: Callable[[], None]
    ) -> None:
        self.uuid = uuid
        self.stream = StreamId(f"cluster/{uuid}")
        self.state = ClusterState()
        self.version = 0
        self.is_certain = False
        self._system = system
        self._histories = histories
        self._on_uncertain = on_uncertain

    def load(self) -> None:
        """Replay the stream."""
        self.state, self.version = replayed(self._system.log, self.stream, ClusterState(), apply)
        self.is_certain = True

    def lineage(self) -> Lineage:
        """Return the way to the newest moment."""
        return self._histories.lineage(self.state, self.stream)

    def source(self) -> Source:
        """Return the newest moment."""
        return source_of(self.state, self.stream, self.version, KERNEL_VERSION)

    def moment(self, span_uuid: str, cycle: int) -> Source:
        """Return a moment of the past, also one that a restore led away from.

        Parameters
        ----------
        span_uuid : str
            A task or session.
        cycle : int
            Cycles of it; negative for all that were run.

        Raises
        ------
        NotFoundError
            The cluster was never there.
        """
        try:
            return source_at(self.source(), self.lineage(), span_uuid, cycle)
        except NotFoundError:
            for version in self._left_behind():
                state = self._histories.read(self.stream, version)
                newest = source_of(state, self.stream, version, KERNEL_VERSION)
                lineage = self._histories.lineage(state, self.stream)
                with contextlib.suppress(NotFoundError):
                    return source_at(newest, lineage, span_uuid, cycle)
            raise

    def commit(self, stamp: Stamp, events: tuple[ClusterEvent, ...], *others: Append) -> None:
        """Fold, append, then take the state.

        Raises
        ------
        WrongVersionError
            Of another stream: nothing was written.
        BusyError, FaultError
            Nobody knows whether it was written, or this stream has moved.
        StorageFullError
            Nothing was written.
        """
        if not events:
            return
        following = folded(self.state, events, stamp)
        own = append_to(self.stream, self.version, events)
        try:
            commit = persist(self._system.writer, stamp, own, *others)
        except WrongVersionError as error:
            if error.stream != self.stream:
                raise
            self._lose_certainty()
            raise restarting() from error
        except (FaultError, BusyError):
            self._lose_certainty()
            raise
        if any(isinstance(event, CheckpointTaken) for event in events):
            # Restoring it is answered without reading the records before it.
            self._histories.remember(self.stream, self.version, self.state)
        mine = [record for record in commit.records if record.stream == self.stream]
        self.state, self.version = following, mine[-1].version

    def _left_behind(self) -> Iterator[int]:
        """Yield the versions before which a restore took the cluster elsewhere."""
        if self.state.base is None:
            return
        for record in self._system.log.read_stream(self.stream):
            if isinstance(record.event, ClusterRestored):
                yield record.version - 1

    def _lose_certainty(self) -> None:
        self.is_certain = False
        self._on_uncertain()


def folded(state: ClusterState, events: tuple[ClusterEvent, ...], stamp: Stamp) -> ClusterState:
    """Return the state after some events."""
    for event in events:
        state = apply(state, event, stamp.now_us)
    return state


def restarting() -> BusyError:
    """Return what is answered while the cluster is read again."""
    return BusyError("this cluster is being started again; try again in a moment")
