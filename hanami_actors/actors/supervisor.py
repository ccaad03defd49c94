"""Who is started when, who is started again, and who stops when: in one place."""

import logging
from typing import TYPE_CHECKING, Any

from hanami_actors.actors.cluster import ClusterActor, SuspendCluster
from hanami_actors.actors.csv_child import CsvImporter
from hanami_actors.actors.dataset_import import DatasetImportActor
from hanami_actors.actors.directory import DirectoryActor, Locate, Starter, WakeUnfinished
from hanami_actors.actors.future import CallbackFuture
from hanami_actors.actors.gateway import Command, Target, TargetKind
from hanami_actors.actors.host import CPU_HOST_NAME, Host, HostActor, KernelsReady
from hanami_actors.actors.inbox import IdleTick, Internal, Revive
from hanami_actors.actors.runtime import Actor, ActorRef, ask, tell
from hanami_actors.actors.system import SYSTEM_USER, System
from hanami_actors.actors.upload_session import RetireUpload, UploadSessionActor
from hanami_actors.actors.writer import EventWriterActor
from hanami_actors.domain.host.messages import RegisterHost
from hanami_actors.errors import FaultError, HanamiError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ping", "Shutdown", "SupervisorActor"]

logger = logging.getLogger(__name__)

WATCH_INTERVAL_S = 1.0
"""How soon a dead actor is noticed, and the pause before one that keeps dying is tried again."""


class Ping(Internal, frozen=True, kw_only=True):
    """Answered once everything has been started. Answer: None."""


class Shutdown(Internal, frozen=True, kw_only=True):
    """Stop everything in reverse order of the start. Answer: None."""


class SupervisorActor(Actor):
    """Starts writer, directory and host in this order and stops them in reverse.

    Pykka has no supervision: this actor looks every second whether the three still live, and
    wakes clusters that died with unfinished work.
    """

    def __init__(self, system: System, host: Host, importer: CsvImporter) -> None:
        super().__init__()
        self._system = system
        self._host = host
        self._importer = importer
        self._kernels_ready = False
        self._host_uuid = ""
        self._to_revive: set[Target] = set()

    def on_start(self) -> None:
        """Start all that there is only one of."""
        self._system.actors.name("supervisor", self.actor_ref)
        self._start_writer()
        self._start_directory()
        register = RegisterHost(name=CPU_HOST_NAME, kind="cpu")
        directory = self._system.actors.named("directory")
        self._host_uuid = ask(directory, Command(message=register, who=SYSTEM_USER)).uuid
        self._start_host()
        tell(directory, WakeUnfinished())
        self.inbox.idle_s = WATCH_INTERVAL_S

    def on_receive(self, message: object) -> None:
        """Handle a message."""
        match message:
            case IdleTick():
                self._watch()
            case Ping():
                pass
            case Revive(target=target):
                self._to_revive.add(target)
            case KernelsReady():
                self._kernels_ready = True
                tell(self._system.actors.find(f"host/{self._host_uuid}"), message)
            case Shutdown():
                self._stop_all()
                self.die()
            case _:
                raise FaultError(f"the supervisor got a {type(message).__name__}")

    def _watch(self) -> None:
        singles: dict[str, Callable[[], None]] = {
            "writer": self._start_writer,
            "directory": self._start_directory,
            f"host/{self._host_uuid}": self._start_host,
        }
        for name, start in singles.items():
            ref = self._system.actors.find(name)
            if ref is None or not ref.is_alive():
                logger.error("the %s died and is started again", name)
                start()
        for target in list(self._to_revive):
            try:
                ask(self._system.actors.named("directory"), Locate(target=target))
            except HanamiError as error:
                logger.warning("%s %s could not be woken: %s", target.kind, target.key, error)
            self._to_revive.discard(target)

    def _start_writer(self) -> None:
        ref = EventWriterActor.start(self._system.log, self._system.published)
        self._system.actors.name("writer", ref)

    def _start_directory(self) -> None:
        starters: dict[TargetKind, Starter] = {
            TargetKind.CLUSTER: lambda uuid: ClusterActor.start(self._system, uuid, self._host),
            TargetKind.UPLOAD: lambda uuid: UploadSessionActor.start(self._system, uuid),
            TargetKind.DATASET: lambda uuid: DatasetImportActor.start(
                self._system, uuid, self._importer
            ),
        }
        self._system.actors.name("directory", DirectoryActor.start(self._system, starters))

    def _start_host(self) -> None:
        ref = HostActor.start(self._host)
        self._system.actors.name(f"host/{self._host_uuid}", ref)
        if self._kernels_ready:
            tell(ref, KernelsReady())

    def _stop_all(self) -> None:
        self._stop_ref(self._system.actors.find("directory"))
        leaving: list[tuple[Target, Any]] = []
        for target, ref in self._system.actors.living():
            farewell = {
                TargetKind.CLUSTER: SuspendCluster(),
                TargetKind.UPLOAD: RetireUpload(),
            }.get(target.kind)
            if farewell is not None:
                leaving.append((target, ref.ask(farewell, block=False)))
        for target, future in leaving:
            self._await_leave(target, future)
        self._stop_ref(self._system.actors.find(f"host/{self._host_uuid}"))
        self._host.scheduler.close()
        self._importer.close()
        self._system.snapshotter.close()
        self._stop_ref(self._system.actors.find("writer"))

    def _await_leave(self, target: Target, future: CallbackFuture) -> None:
        timeout_s = self._system.settings.shutdown_timeout_s
        if not future.wait(timeout_s):
            logger.warning("%s %s did not stop within %g s", target.kind, target.key, timeout_s)
        elif (error := future.error()) is not None:
            logger.warning("%s %s stopped with: %s", target.kind, target.key, error)

    def _stop_ref(self, ref: ActorRef | None) -> None:
        if ref is not None and ref.is_alive():
            ref.stop(block=True, timeout=self._system.settings.shutdown_timeout_s)
