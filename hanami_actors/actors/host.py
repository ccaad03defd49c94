"""A place where networks are computed: its threads, its memory, its turns."""

from typing import Any

from hanami_actors.compute import NetworkImage
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.state import ClusterState
from hanami_actors.engine.host import Host
from hanami_actors.engine.jobs.state_jobs import ImageJob
from hanami_actors.errors import BusyError, FaultError
from hanami_actors.runtime.actor import Actor
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import Internal

__all__ = [
    "CancelJob",
    "FetchImage",
    "ForgetNetwork",
    "HostActor",
    "KernelsFailed",
    "KernelsReady",
    "RunJob",
    "cpu_host_name",
]


def cpu_host_name(number: int) -> str:
    """Return the name of a CPU host's stream."""
    return f"cpu-{number}"


class RunJob(Internal, frozen=True, kw_only=True):
    """Run a job in turns with the others; its end comes back through its own callback."""

    job: Any


class CancelJob(Internal, frozen=True, kw_only=True):
    """End a job early: at once if it has not begun, otherwise at its next turn."""

    job: Any


class ForgetNetwork(Internal, frozen=True, kw_only=True):
    """A cluster is gone; release its network, and snapshots that nobody can need any more.

    Attributes
    ----------
    abandoned : tuple of str
        Clusters whose snapshots go.
    """

    cluster_uuid: str
    abandoned: tuple[str, ...] = ()


class FetchImage(Internal, frozen=True, kw_only=True):
    """Compute a moment, of a living cluster or not. Answer: its ``NetworkImage``."""

    source: Source


class KernelsReady(Internal, frozen=True, kw_only=True):
    """The kernels are compiled; jobs may run."""


class KernelsFailed(Internal, frozen=True, kw_only=True):
    """There are no kernels; jobs wait for a start of the server that has some."""

    reason: str


class _Farewell:
    """The last job of a cluster: nothing of it can come after, because lanes keep their order."""

    def __init__(self, host: Host, cluster_uuid: str, abandoned: tuple[str, ...]) -> None:
        self.lane = cluster_uuid
        self._host = host
        self._abandoned = abandoned

    def run_slice(self, budget_s: float) -> bool:
        """Release everything."""
        del budget_s
        self._host.networks.drop(self.lane)
        for uuid in self._abandoned:
            self._host.snapshotter.forget(uuid)
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
        self._fetch_count = 0

    def on_receive(self, message: object) -> CallbackFuture | None:
        """Handle a message."""
        match message:
            case FetchImage(source=source):
                return self._fetch(source)
            case RunJob(job=job):
                self._host.scheduler.submit(job)
            case CancelJob(job=job):
                job.cancel.set()
                if self._host.scheduler.withdraw(job):
                    job.ended(None)
            case ForgetNetwork():
                self._forget(message)
            case KernelsReady():
                self._host.scheduler.open()
            case KernelsFailed(reason=reason):
                self._host.scheduler.give_up(reason)
            case _:
                raise FaultError(f"a host got a {type(message).__name__}")
        return None

    def _fetch(self, source: Source) -> CallbackFuture:
        lineage = self._host.histories.lineage(ClusterState(base=source), "")
        answer = CallbackFuture()

        def settle(image: NetworkImage | None, error: BaseException | None) -> None:
            if error is not None:
                answer.fail(error)
            elif image is None:
                answer.fail(BusyError("the server stops; try again later"))
            else:
                answer.set(image)

        self._fetch_count += 1
        lane = f"fetch/{self._fetch_count}"
        self._host.scheduler.submit(ImageJob(self._host, lane, lineage, settle))
        return answer

    def _forget(self, message: ForgetNetwork) -> None:
        farewell = _Farewell(self._host, message.cluster_uuid, message.abandoned)
        if message.cluster_uuid in self._host.scheduler.busy_lanes():
            # Its cancelled job may still store a snapshot.
            self._host.scheduler.submit(farewell)
        else:
            farewell.run_slice(0)
