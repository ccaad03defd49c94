"""What every actor is given: the ports, the stores, and where the other actors are."""

import dataclasses
import threading
from pathlib import Path

from hanami_actors.actors.export import Exporter
from hanami_actors.actors.gateway import Command, Target
from hanami_actors.actors.import_progress import ImportBoard
from hanami_actors.actors.read_model import Published, TableKeeper
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.engine.snapshotter import Snapshotter
from hanami_actors.errors import BusyError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.port import EventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.ports import Clock, Entropy
from hanami_actors.runtime.actor import ActorRef, ask
from hanami_actors.runtime.inbox import Internal
from hanami_actors.settings import Settings

__all__ = ["SYSTEM_USER", "ActorTable", "System", "stop_living"]

SYSTEM_USER = Who(user_id="HANAMI_INIT", project_id="admin", role="admin", is_admin=True)
"""Who acts when no request does: the first start, a resumed task."""

FRESH_ID_COUNT = 4


class ActorTable:
    """Which actors are alive, by address. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._named: dict[str, ActorRef] = {}
        self._live: dict[Target, ActorRef] = {}

    def name(self, name: str, ref: ActorRef) -> None:
        """Register one of the actors there is only one of: writer, directory, supervisor, host."""
        with self._lock:
            self._named[name] = ref

    def named(self, name: str) -> ActorRef:
        """Return such an actor.

        Raises
        ------
        BusyError
            It has not been started yet.
        """
        ref = self._named.get(name)
        if ref is None:
            raise BusyError(f"the {name} of the server is not running; try again in a moment")
        return ref

    def find(self, name: str) -> ActorRef | None:
        """Return such an actor, or None before its start and after its stop."""
        return self._named.get(name)

    def get(self, target: Target) -> ActorRef | None:
        """Return the living actor behind an address, or None while it sleeps."""
        ref = self._live.get(target)
        return ref if ref is not None and ref.is_alive() else None

    def put(self, target: Target, ref: ActorRef) -> None:
        """Register a started actor; only the directory does."""
        with self._lock:
            self._live[target] = ref

    def discard(self, target: Target, ref: ActorRef) -> None:
        """Forget an actor that stops, unless a newer one took its place."""
        with self._lock:
            if self._live.get(target) == ref:
                del self._live[target]

    def living(self) -> list[tuple[Target, ActorRef]]:
        """Return all living resource actors."""
        with self._lock:
            return [(target, ref) for target, ref in self._live.items() if ref.is_alive()]


@dataclasses.dataclass(frozen=True, kw_only=True)
class System:
    """Built once in ``app``; read-only afterwards.

    Attributes
    ----------
    settings : Settings
    clock, entropy : Clock, Entropy
    log : EventLog
        For reading; the writer alone appends.
    blobs, snapshots : BlobStore, SnapshotStore
    snapshotter : Snapshotter
        Encodes and stores images in the background.
    published : Published
    table_keeper : TableKeeper or None
        Keeps the published tables on the disk.
    actors : ActorTable
    uploads_dir : Path
        Files on their way in.
    exporter : Exporter
        Datasets on their way out.
    imports : ImportBoard
        Which imports run.
    """

    settings: Settings
    clock: Clock
    entropy: Entropy
    log: EventLog
    blobs: BlobStore
    snapshots: SnapshotStore
    snapshotter: Snapshotter
    published: Published
    actors: ActorTable
    uploads_dir: Path
    table_keeper: TableKeeper | None = None
    exporter: Exporter = dataclasses.field(default_factory=Exporter)
    imports: ImportBoard = dataclasses.field(default_factory=ImportBoard)

    @property
    def writer(self) -> ActorRef:
        """The event writer."""
        return self.actors.named("writer")

    def stamp(self, command: Command | None = None) -> Stamp:
        """Return time, fresh ids and a fresh seed for one decision."""
        return Stamp(
            now_us=self.clock.now_us(),
            who=command.who if command else SYSTEM_USER,
            correlation_id=command.correlation_id if command else "",
            ids=tuple(self.entropy.uuid() for _ in range(FRESH_ID_COUNT)),
            seed=self.entropy.seed(),
        )


def stop_living(system: System, target: Target, message: Internal) -> None:
    """Make the actor behind an address stop, if there is one; returns when it has.

    Parameters
    ----------
    system : System
    target : Target
    message : Internal
        What the actor stops at.
    """
    ref = system.actors.get(target)
    if ref is None:
        return
    try:
        ask(ref, message)
    except BusyError:
        # It may have stopped by itself in the same moment.
        if ref.is_alive():
            raise
