"""A place where networks are computed: its threads, its memory, its turns."""

import dataclasses
from typing import Any

from hanami_actors.actors.inbox import Internal
from hanami_actors.actors.networks import Networks
from hanami_actors.actors.runtime import Actor
from hanami_actors.actors.scheduler import Scheduler
from hanami_actors.actors.snapshotter import Snapshotter
from hanami_actors.errors import FaultError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.ports import Clock

__all__ = ["CPU_HOST_NAME", "ForgetNetwork", "Host", "HostActor", "KernelsReady", "RunJob"]

CPU_HOST_NAME = "cpu-0"
"""Stream name of the one CPU host."""


class RunJob(Internal, frozen=True, kw_only=True):
    """Run a job in turns with the others; its end comes back through its own callback."""

    job: Any


class ForgetNetwork(Internal, frozen=True, kw_only=True):
    """A cluster is gone; release its network."""

    cluster_uuid: str


class KernelsReady(Internal, frozen=True, kw_only=True):
    """The kernels are compiled; jobs may run."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """What jobs may use of the host they run on."""

    scheduler: Scheduler
    networks: Networks
    snapshotter: Snapshotter
    blobs: BlobStore
    clock: Clock
    snapshot_interval_s: float


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
            case ForgetNetwork(cluster_uuid=cluster_uuid):
                self._host.networks.drop(cluster_uuid)
            case KernelsReady():
                self._host.scheduler.open()
            case _:
                raise FaultError(f"a host got a {type(message).__name__}")
