"""Who is started when, who is started again, and who stops when: in one place."""

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pykka import ActorDeadError, Timeout

from hanami_actors.actors.cluster.actor import ClusterActor, SuspendCluster
from hanami_actors.actors.data.csv_importer import CsvImporter
from hanami_actors.actors.data.dataset_import import DatasetImportActor, RetireImport
from hanami_actors.actors.data.upload_session import RetireUpload, UploadSessionActor
from hanami_actors.actors.directory.actor import DirectoryActor, ExpireUploads, Locate, Starter
from hanami_actors.actors.gateway import Command, Target, TargetKind
from hanami_actors.actors.host import HostActor, KernelsFailed, KernelsReady, cpu_host_name
from hanami_actors.actors.journals.audit import AuditActor
from hanami_actors.actors.journals.idempotency import IdempotencyActor
from hanami_actors.actors.system import SYSTEM_USER, System
from hanami_actors.actors.writer import EventWriterActor
from hanami_actors.domain.host.messages import RegisterHost, RetireHost
from hanami_actors.domain.tables import listing
from hanami_actors.engine.host_table import HostTable
from hanami_actors.errors import FaultError, HanamiError, NotFoundError
from hanami_actors.runtime.actor import Actor, ActorRef, ask, tell
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import IdleTick, Internal, Revive

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ping", "Shutdown", "SupervisorActor"]

logger = logging.getLogger(__name__)

WATCH_INTERVAL_S = 1.0
"""How soon a dead actor is noticed, and the first pause before one is started again."""

PAUSE_MAX_S = 60.0
"""Longest pause before an actor that keeps dying is started again."""


class _Revival(NamedTuple):
    """When an actor is started again, and the pause that belongs to it."""

    started_s: float
    pause_s: float


def _next_pause_s(last: _Revival | None, now_s: float) -> float:
    """Return a pause that doubles while an actor keeps dying."""
    if last is None or now_s - last.started_s >= PAUSE_MAX_S + last.pause_s:
        return WATCH_INTERVAL_S
    return min(2 * last.pause_s, PAUSE_MAX_S)


class Ping(Internal, frozen=True, kw_only=True):
    """Answered once everything has been started. Answer: None."""


class Shutdown(Internal, frozen=True, kw_only=True):
    """Stop everything in reverse order of the start. Answer: None."""


class SupervisorActor(Actor):
    """Starts writer, directory and host in this order and stops them in reverse.

    Pykka has no supervision: this actor looks every second whether the three still live. It starts
    the clusters with unfinished work, and those that died with it, each after a pause that grows
    while it keeps dying (a full disk, say).
    """

    def __init__(self, system: System, hosts: HostTable, importer: CsvImporter) -> None:
        super().__init__()
        self._system = system
        self._hosts = hosts
        self._importer = importer
        self._kernels: KernelsReady | KernelsFailed | None = None
        self._start_error: HanamiError | None = None
        self._watched_s = 0.0
        self._due_s: dict[Target, float] = {}
        self._revivals: dict[Target, _Revival] = {}
        self._restarts: dict[str, _Revival] = {}

    def on_start(self) -> None:
        """Start all that there is only one of, then what has unfinished work."""
        self._system.actors.name("supervisor", self.actor_ref)
        self._start_writer()
        self._start_audit()
        self._start_idempotency()
        self._start_directory()
        try:
            self._register_hosts()
        except HanamiError as error:
            self._start_error = error
            return
        for uuid in self._hosts.uuids:
            self._start_host(uuid)
        for uuid in sorted(self._system.published.unfinished):
            self._due_s[Target(kind=TargetKind.CLUSTER, key=uuid)] = 0.0
        self._revive_due()
        self.inbox.idle_s = WATCH_INTERVAL_S

    def on_receive(self, message: object) -> None:
        """Handle a message."""
        match message:
            case IdleTick():
                pass
            case Ping():
                if self._start_error is not None:
                    raise self._start_error
            case Revive(target=target):
                self._note_death(target)
            case KernelsReady() | KernelsFailed():
                self._kernels = message
                for uuid in self._hosts.uuids:
                    tell(self._system.actors.find(f"host/{uuid}"), message)
            case Shutdown():
                self._stop_all()
                self.die()
                return
            case _:
                raise FaultError(f"the supervisor got a {type(message).__name__}")
        if self._start_error is None:
            self._watch()

    def _watch(self) -> None:
        now_s = self._system.clock.monotonic_s()
        if now_s - self._watched_s < WATCH_INTERVAL_S:
            return
        self._watched_s = now_s
        singles: dict[str, Callable[[], None]] = {
            "writer": self._start_writer,
            "audit": self._start_audit,
            "idempotency": self._start_idempotency,
            "directory": self._start_directory,
            **{f"host/{uuid}": partial(self._start_host, uuid) for uuid in self._hosts.uuids},
        }
        for name, start in singles.items():
            ref = self._system.actors.find(name)
            if ref is None or not ref.is_alive():
                self._start_again(name, start, now_s)
        self._revive_due()
        tell(self._system.actors.find("directory"), ExpireUploads())

    def _start_again(self, name: str, start: "Callable[[], None]", now_s: float) -> None:
        last = self._restarts.get(name)
        if last is not None and now_s < last.started_s + last.pause_s:
            return
        self._restarts[name] = _Revival(now_s, _next_pause_s(last, now_s))
        logger.error("the %s died and is started again", name)
        try:
            start()
        except RuntimeError as error:
            # No thread for it now; a supervisor that died of this would help nobody.
            logger.error("the %s cannot be started: %s", name, error)  # noqa: TRY400

    def _note_death(self, target: Target) -> None:
        if target in self._due_s:
            return
        now_s = self._system.clock.monotonic_s()
        pause_s = _next_pause_s(self._revivals.get(target), now_s)
        self._due_s[target] = now_s + pause_s
        self._revivals[target] = _Revival(now_s + pause_s, pause_s)

    def _revive_due(self) -> None:
        now_s = self._system.clock.monotonic_s()
        for target in [each for each, due_s in self._due_s.items() if due_s <= now_s]:
            try:
                ask(self._system.actors.named("directory"), Locate(target=target, is_owed=True))
            except NotFoundError:
                self._revivals.pop(target, None)
            except HanamiError as error:
                logger.warning("%s %s could not be woken: %s", target.kind, target.key, error)
                self._due_s[target] = now_s + WATCH_INTERVAL_S
                continue
            del self._due_s[target]

    def _start_writer(self) -> None:
        ref = EventWriterActor.start(
            self._system.log, self._system.published, self._system.table_keeper
        )
        self._system.actors.name("writer", ref)

    def _start_audit(self) -> None:
        self._system.actors.name("audit", AuditActor.start(self._system))

    def _start_idempotency(self) -> None:
        self._system.actors.name("idempotency", IdempotencyActor.start(self._system))

    def _start_directory(self) -> None:
        starters: dict[TargetKind, Starter] = {
            TargetKind.CLUSTER: lambda uuid: ClusterActor.start(self._system, uuid, self._hosts),
            TargetKind.UPLOAD: lambda uuid: UploadSessionActor.start(self._system, uuid),
            TargetKind.DATASET: lambda uuid: DatasetImportActor.start(
                self._system, uuid, self._importer
            ),
        }
        self._system.actors.name("directory", DirectoryActor.start(self._system, starters))

    def _register_hosts(self) -> None:
        """Give every host its lasting uuid, and retire those that the settings no longer name."""
        directory = self._system.actors.named("directory")
        for number, host in enumerate(self._hosts.all):
            register = RegisterHost(name=cpu_host_name(number), kind="cpu")
            state = ask(directory, Command(message=register, who=SYSTEM_USER))
            self._hosts.register(state.uuid, host)
        for state in listing(self._system.published.tables.hosts):
            if state.uuid not in self._hosts.uuids:
                ask(directory, Command(message=RetireHost(name=state.name), who=SYSTEM_USER))

    def _start_host(self, uuid: str) -> None:
        host = self._hosts.get(uuid)
        assert host is not None, "only registered hosts are started"
        ref = HostActor.start(host)
        self._system.actors.name(f"host/{uuid}", ref)
        if self._kernels is not None:
            tell(ref, self._kernels)

    def _stop_all(self) -> None:
        """Stop in reverse order of the start; all that goes on may take one timeout together."""
        timeout_s = self._system.settings.shutdown_timeout_s
        deadline_s = self._system.clock.monotonic_s() + timeout_s
        self._stop_ref(self._system.actors.find("directory"))
        living = self._system.actors.living()
        leaving = [(target, self._ask_to_leave(target, ref)) for target, ref in living]
        for target, future in leaving:
            self._await_leave(target, future, deadline_s)
        self._importer.close(self._left_s(deadline_s))
        self._system.exporter.close(self._left_s(deadline_s))
        for uuid in self._hosts.uuids:
            self._stop_ref(self._system.actors.find(f"host/{uuid}"))
        for host in self._hosts.all:
            host.scheduler.close()
        self._system.snapshotter.close()
        self._stop_ref(self._system.actors.find("idempotency"))
        self._stop_ref(self._system.actors.find("audit"))
        self._stop_ref(self._system.actors.find("writer"))

    def _ask_to_leave(self, target: Target, ref: ActorRef) -> CallbackFuture:
        farewells: dict[TargetKind, Internal] = {
            TargetKind.CLUSTER: SuspendCluster(),
            TargetKind.UPLOAD: RetireUpload(),
            TargetKind.DATASET: RetireImport(),
        }
        future = ref.ask(farewells[target.kind], block=False)
        assert isinstance(future, CallbackFuture), "our actors answer with our futures"
        return future

    def _await_leave(self, target: Target, future: CallbackFuture, deadline_s: float) -> None:
        if not future.wait(self._left_s(deadline_s)):
            logger.warning("%s %s did not stop in time", target.kind, target.key)
            return
        error = future.error()
        if error is not None and not isinstance(error, ActorDeadError):
            logger.warning("%s %s stopped with: %s", target.kind, target.key, error)

    def _left_s(self, deadline_s: float) -> float:
        return max(0.0, deadline_s - self._system.clock.monotonic_s())

    def _stop_ref(self, ref: ActorRef | None) -> None:
        if ref is None or not ref.is_alive():
            return
        timeout_s = self._system.settings.shutdown_timeout_s
        try:
            ref.stop(block=True, timeout=timeout_s)
        except Timeout:
            logger.warning("%s did not stop within %g s", ref, timeout_s)
