"""A place where networks are computed: its threads, its memory, its turns."""

import dataclasses
from typing import Any

from hanami_actors.actors.inbox import Internal
from hanami_actors.actors.networks import Networks
from hanami_actors.actors.runtime import Actor
from hanami_actors.actors.scheduler import Scheduler
from hanami_actors.actors.snapshotter import Snapshotter
from hanami_actors.compute import Network
from hanami_actors.errors import FaultError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.ports import Clock

__all__ = [
    "CPU_HOST_NAME",
    "CancelJob",
    "ForgetNetwork",
    "Host",
    "HostActor",
    "KernelsFailed",
    "KernelsReady",
    "RunJob",
]

CPU_HOST_NAME = "cpu-0"
"""Stream name of the one CPU host."""


class RunJob(Internal, frozen=True, kw_only=True):
    """Run a job in turns with the others; its end comes back through its own callback."""

    job: Any


class CancelJob(Internal, frozen=True, kw_only=True):
    """End a job early: at once if it has not begun, otherwise at its next turn."""

    job: Any


class ForgetNetwork(Internal, frozen=True, kw_only=True):
    """A cluster is gone; release its network and its snapshots."""

    cluster_uuid: str


class KernelsReady(Internal, frozen=True, kw_only=True):
    """The kernels are compiled; jobs may run."""


class KernelsFailed(Internal, frozen=True, kw_only=True):
    """There are no kernels; jobs wait for a start of the server that has some."""

    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """What jobs may use of the host they run on.

    Attributes
    ----------
    network_class : type of Network
        What computes; the place where another engine comes in.
    """

    scheduler: Scheduler
    networks: Networks
    snapshotter: Snapshotter
    blobs: BlobStore
    clock: Clock
    snapshot_interval_s: float
    network_class: type[Network] = Network


class _Farewell:
    """The last job of a cluster: nothing of it can come after, because lanes keep their order."""

    def __init__(self, host: Host, cluster_uuid: str) -> None:
        self.lane = cluster_uuid
        self._host = host

    def run_slice(self, budget_s: float) -> bool:
        """Release everything."""
        del budget_s
        self._host.networks.drop(self.lane)
        self._host.snapshotter.forget(self.lane)
        return True

    def ended(self, error: BaseException | None) -> None:
        """Nobody waits for it."""


class HostActor(Actor):
    """Owns the compute threads and the networks placed on them.

    The narrow interface to compute: jobs bring a network to a moment and go on from there, so a
    host can be a set of cores of this process, a GPU, or a node of a distributed engine.
    """

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def on_receive(self, message: object) -> None:
        """Handle a message."""
        match message:
            case RunJob(job=job):
                self._host.scheduler.submit(job)
            case CancelJob(job=job):
                job.cancel.set()
                if self._host.scheduler.withdraw(job):
                    job.ended(None)
            case ForgetNetwork(cluster_uuid=cluster_uuid):
                self._forget(cluster_uuid)
            case KernelsReady():
                self._host.scheduler.open()
            case KernelsFailed(reason=reason):
                self._host.scheduler.give_up(reason)
            case _:
                raise FaultError(f"a host got a {type(message).__name__}")

    def _forget(self, cluster_uuid: str) -> None:
        farewell = _Farewell(self._host, cluster_uuid)
        if cluster_uuid in self._host.scheduler.busy_lanes():
            # Its cancelled job may still store a snapshot.
            self._host.scheduler.submit(farewell)
        else:
            farewell.run_slice(0)
