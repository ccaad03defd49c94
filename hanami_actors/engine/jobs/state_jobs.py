"""Jobs without a task: loading a network ahead of time, and keeping a moment that has a name."""

from collections.abc import Callable

from hanami_actors.compute import NetworkImage
from hanami_actors.domain.cluster.lineage import Lineage
from hanami_actors.domain.tables import key_of
from hanami_actors.engine.catch_up import Approach
from hanami_actors.engine.host import Host
from hanami_actors.engine.jobs.train_job import NetworkJob
from hanami_actors.engine.network_cache import Placement
from hanami_actors.replay.segments import head_of

__all__ = ["ImageJob", "LoadJob", "SnapshotJob"]


class _AsideJob(NetworkJob):
    """A job for later, which may as well not happen: it yields to a connection that trains."""

    def __init__(self, host: Host, cluster_uuid: str, lineage: Lineage) -> None:
        super().__init__(host, cluster_uuid, Approach(host, cluster_uuid, lineage))

    def run_slice(self, budget_s: float) -> bool:
        """Leave alone a network that has learned what nobody could compute again yet."""
        return self._host.networks.is_pinned(self.lane) or super().run_slice(budget_s)


class LoadJob(_AsideJob):
    """Has a network in memory before somebody waits for it."""

    def _work(self, placement: Placement, budget_s: float) -> bool:
        del placement, budget_s
        return True


class SnapshotJob(_AsideJob):
    """Stores the snapshot of a moment unless it is there already."""

    def __init__(self, host: Host, cluster_uuid: str, lineage: Lineage) -> None:
        super().__init__(host, cluster_uuid, lineage)
        self._moment = head_of(lineage)
        self._owner_uuid = key_of(lineage.stretches[-1].stream) if lineage.stretches else ""

    def run_slice(self, budget_s: float) -> bool:
        """Look before anything is loaded."""
        # A network that has learned nothing needs no snapshot.
        if not self._owner_uuid or self._host.snapshotter.has(self._owner_uuid, self._moment):
            return True
        return super().run_slice(budget_s)

    def _work(self, placement: Placement, budget_s: float) -> bool:
        del budget_s
        image = placement.network.image()
        self._host.snapshotter.save(self._owner_uuid, self._moment, image)
        return True


class ImageJob(NetworkJob):
    """Fetches the state of a moment that may belong to no living cluster.

    Parameters
    ----------
    host : Host
    lane : str
        Of its own, so that no cluster's network is moved.
    lineage : Lineage
    on_end : callable
        Called with the image, or None and an error, in a compute thread.
    """

    def __init__(
        self,
        host: Host,
        lane: str,
        lineage: Lineage,
        on_end: Callable[[NetworkImage | None, BaseException | None], None],
    ) -> None:
        super().__init__(host, lane, Approach(host, lane, lineage))
        self._on_end = on_end
        self._image: NetworkImage | None = None

    def ended(self, error: BaseException | None) -> None:
        """Hand the image over and forget the network."""
        super().ended(error)
        self._host.networks.drop(self.lane)
        self._on_end(self._image, error)

    def _work(self, placement: Placement, budget_s: float) -> bool:
        del budget_s
        self._image = placement.network.image()
        return True
