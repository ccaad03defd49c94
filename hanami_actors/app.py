"""The only module that builds everything: stores, actors and transport, and takes them down again."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hanami_actors.actors.actor_gateway import ActorGateway
from hanami_actors.actors.data.csv_importer import CsvImporter
from hanami_actors.actors.data.upload_files import remove_leftovers
from hanami_actors.actors.gateway import Command
from hanami_actors.actors.host import KernelsFailed, KernelsReady
from hanami_actors.actors.janitor import Janitor
from hanami_actors.actors.read_model import TableKeeper, load_published
from hanami_actors.actors.supervisor import Ping, Shutdown, SupervisorActor
from hanami_actors.actors.system import SYSTEM_USER, ActorTable, System
from hanami_actors.api.login.passphrases import hash_passphrase
from hanami_actors.bootstrap import announce_passphrase, first_admin
from hanami_actors.domain.roots import pinned_cycles
from hanami_actors.domain.user.messages import CreateUser
from hanami_actors.engine.host import Host
from hanami_actors.engine.host_table import HostTable, shares
from hanami_actors.engine.kernel_warmer import KernelWarmer
from hanami_actors.engine.network_cache import Networks
from hanami_actors.engine.scheduler import Scheduler
from hanami_actors.engine.snapshotter import Snapshotter
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import (
    LOCK_NAME,
    DataDirectory,
    DirectoryLock,
    make_private_directory,
)
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.page_check import check_pages_at_start
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.eventlog.table_snapshots import TableSnapshots
from hanami_actors.ports import SystemClock, SystemEntropy
from hanami_actors.replay.histories import Histories
from hanami_actors.runtime.actor import ActorRef, ask, tell
from hanami_actors.settings import Settings

__all__ = ["Backend", "running_backend"]

logger = logging.getLogger(__name__)

SHUTDOWN_EXTRA_S = 30.0


class Backend:
    """Everything behind the transport, running.

    Attributes
    ----------
    gateway : ActorGateway
    kernels : KernelWarmer
    """

    def __init__(self, system: System, supervisor: ActorRef) -> None:
        self.system = system
        self.gateway = ActorGateway(system)
        self._supervisor = supervisor
        self._janitor = Janitor(
            DataDirectory(system.settings.data_dir),
            system.blobs,
            system.snapshots,
            system.clock,
            interval_s=system.settings.cleanup_interval_s,
            grace_s=system.settings.cleanup_grace_s,
        )
        self.kernels = KernelWarmer(
            system.settings.kernel_cache_dir,
            on_ready=lambda: tell(supervisor, KernelsReady()),
            on_failure=lambda reason: tell(supervisor, KernelsFailed(reason=reason)),
        )

    def create_first_admin(
        self, environ: Mapping[str, str], show: Callable[[str], None] | None
    ) -> None:
        """Create the first administrator if the log has none."""
        admin = first_admin(self.gateway.tables, environ, self.system.entropy)
        if admin is None:
            return
        if admin.is_made_up:
            announce_passphrase(admin, self.system.settings.data_dir, show)
        message = CreateUser(
            id=admin.user_id,
            name=admin.name,
            passphrase_hash=hash_passphrase(admin.passphrase),
            is_admin=True,
        )
        ask(self.system.actors.named("directory"), Command(message=message, who=SYSTEM_USER))
        logger.info("created the administrator %s", admin.user_id)

    def start(self) -> None:
        """Wait until all actors run, then begin with what has time."""
        ask(self._supervisor, Ping())
        self._janitor.start()

    def stop(self) -> None:
        """Stop all actors in reverse order of their start; tasks are marked and go on later."""
        self._janitor.stop()
        self.kernels.stop()
        timeout_s = 2 * self.system.settings.shutdown_timeout_s + SHUTDOWN_EXTRA_S
        ask(self._supervisor, Shutdown(), timeout_s=timeout_s)


@contextlib.contextmanager
def running_backend(settings: Settings) -> Iterator[Backend]:
    """Open the data directory, start the actors, and take everything down at the end.

    Raises
    ------
    HanamiError
        The directory cannot be used; the text says why, and its files are untouched.
    """
    directory = DataDirectory(settings.data_dir)
    uploads_dir = settings.data_dir / "uploads"
    for path in (directory.path, directory.log):
        make_private_directory(path)
    # First whether another server has the directory: its pages change while they are looked at.
    DirectoryLock(directory.log / LOCK_NAME).release()
    check_pages_at_start(directory.log)
    log = LmdbEventLog(directory.log, map_size_bytes=settings.map_size_bytes)
    try:
        # Only now: a directory that is refused stays as it is.
        directory.create()
        make_private_directory(uploads_dir)
        system, hosts = _build(settings, directory, uploads_dir, log)
        remove_leftovers(uploads_dir, system.published.tables)
        supervisor = SupervisorActor.start(system, hosts, CsvImporter(directory.blobs))
        backend = Backend(system, supervisor)
        try:
            backend.start()
            yield backend
        finally:
            backend.stop()
            if system.table_keeper is not None:
                system.table_keeper.close(system.published.image())
    finally:
        log.close()


def _build(
    settings: Settings, directory: DataDirectory, uploads_dir: Path, log: LmdbEventLog
) -> tuple[System, HostTable]:
    clock = SystemClock()
    blobs = BlobStore(directory.blobs)
    snapshots = SnapshotStore(directory.snapshots)
    tables = TableSnapshots(snapshots, log)
    published = load_published(log, tables)
    snapshotter = Snapshotter(snapshots, lambda uuid: pinned_cycles(published.tables, uuid))
    system = System(
        settings=settings,
        clock=clock,
        entropy=SystemEntropy(),
        log=log,
        blobs=blobs,
        snapshots=snapshots,
        snapshotter=snapshotter,
        published=published,
        table_keeper=TableKeeper(tables, published.stored_position),
        actors=ActorTable(),
        uploads_dir=uploads_dir,
    )
    histories = Histories(log, blobs)
    hosts = [
        Host(
            scheduler=Scheduler(share.thread_count, settings.slice_ms / 1000, share.cores),
            networks=Networks(settings.network_memory_max_bytes // settings.cpu_hosts),
            snapshotter=snapshotter,
            blobs=blobs,
            clock=clock,
            histories=histories,
            snapshot_interval_s=settings.snapshot_interval_s,
            progress_interval_s=settings.progress_interval_s,
        )
        for share in shares(settings.cpu_hosts, settings.host_threads)
    ]
    return system, HostTable(hosts)
