"""Creation and deletion of clusters and checkpoints, decided by the directory."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hanami_actors.actors.cluster.actor import RetireCluster
from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.actors.host import ForgetNetwork
from hanami_actors.actors.system import System, stop_living
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.checkpoint import aggregate as checkpoint_aggregate
from hanami_actors.domain.checkpoint.aggregate import CheckpointState
from hanami_actors.domain.checkpoint.messages import CreateCheckpoint, DeleteCheckpoint
from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.decide import decide
from hanami_actors.domain.cluster.messages import (
    CreateCluster,
    DeleteCluster,
    RegisterCluster,
    RenameCluster,
    RestoreCluster,
)
from hanami_actors.domain.cluster.messages import (
    RetireCluster as RecordDeletion,
)
from hanami_actors.domain.cluster.state import initial
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.quota import check_checkpoints, check_count, owned_in
from hanami_actors.domain.roots import abandoned
from hanami_actors.domain.tables import ClusterRow, Tables, cluster_name_taken, key_of, listing
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.eventlog.replay import replayed
from hanami_actors.runtime.actor import tell
from hanami_actors.types import StreamId

if TYPE_CHECKING:
    from hanami_actors.domain.cluster.events import ClusterEvent

__all__ = ["Clusters"]


class Clusters:
    """Used in the thread of the directory only.

    Parameters
    ----------
    system : System
    """

    def __init__(self, system: System) -> None:
        self._system = system

    @property
    def _tables(self) -> Tables:
        return self._system.published.tables

    def require_name(self, message: RenameCluster, who: Who) -> None:
        """Refuse a name that another cluster of the caller's has."""
        row = self._tables.clusters.get(message.uuid)
        if row is None:
            raise NotFoundError(f"Cluster with uuid '{message.uuid}' not found")
        if row.state.name != message.name and cluster_name_taken(self._tables, who, message.name):
            raise ConflictError(f"Cluster with name '{message.name}' already exists.")

    def create(self, message: CreateCluster, stamp: Stamp) -> ClusterRow:
        """Create a cluster that has learned nothing, or what another one had learned."""
        if cluster_name_taken(self._tables, stamp.who, message.name):
            raise ConflictError(f"Cluster with name '{message.name}' already exists.")
        project_id = stamp.who.project_id
        check_count(
            f"the number of clusters of project '{project_id}' is",
            owned_in(self._tables.clusters, project_id),
            self._system.settings.clusters_per_project_max,
            "clusters_per_project_max",
        )
        uuid = stamp.ids[0]
        registered = decide(initial(), self._registration(uuid, message, stamp), stamp)
        restored: tuple[ClusterEvent, ...] = ()
        if message.source is not None:
            state = apply(initial(), registered[0], stamp.now_us)
            restored = decide(state, RestoreCluster(source=message.source), stamp)
        events = (*registered, *restored)
        persist(self._system.writer, stamp, append_to(f"cluster/{uuid}", 0, events))
        return self._tables.clusters[uuid].state

    def delete(self, message: DeleteCluster, stamp: Stamp) -> None:
        """Delete a cluster; what others need of it stays readable."""
        row = self._tables.clusters.get(message.uuid)
        if row is None:
            raise NotFoundError(f"Cluster with uuid '{message.uuid}' not found")
        target = Target(kind=TargetKind.CLUSTER, key=message.uuid)
        stop_living(self._system, target, RetireCluster())
        stream = StreamId(f"cluster/{message.uuid}")
        state, version = replayed(self._system.log, stream, initial(), apply)
        events = decide(state, RecordDeletion(), stamp)
        persist(self._system.writer, stamp, append_to(stream, version, events))
        self._forget(message.uuid, row.state.host_uuid)

    def create_checkpoint(self, message: CreateCheckpoint, stamp: Stamp) -> CheckpointState:
        """Create a checkpoint of an uploaded state; its uuid comes with the stamp."""
        count_max = self._system.settings.checkpoints_per_project_max
        check_checkpoints(self._tables, stamp.who.project_id, count_max)
        uuid = stamp.ids[0]
        named = replace(message, uuid=uuid)
        events = checkpoint_aggregate.decide(checkpoint_aggregate.initial(), named, stamp)
        persist(self._system.writer, stamp, append_to(f"checkpoint/{uuid}", 0, events))
        return self._tables.checkpoints[uuid].state

    def delete_checkpoint(self, message: DeleteCheckpoint, stamp: Stamp) -> None:
        """Delete a checkpoint; what was restored from it keeps what it has."""
        row = self._tables.checkpoints.get(message.uuid)
        if row is None:
            raise NotFoundError(f"Checkpoint with uuid '{message.uuid}' not found")
        events = checkpoint_aggregate.decide(row.state, message, stamp)
        stream = f"checkpoint/{message.uuid}"
        persist(self._system.writer, stamp, append_to(stream, row.version, events))
        source = row.state.source
        if source is not None and source.stream:
            for uuid in abandoned(self._tables, key_of(source.stream)):
                self._system.snapshotter.forget(uuid)

    def _registration(self, uuid: str, message: CreateCluster, stamp: Stamp) -> RegisterCluster:
        source = message.source
        if source is not None:
            text, template, seed = source.template_text, source.template, source.seed
        else:
            text = default_template() if message.template_text is None else message.template_text
            template = parse_template(text)
            seed = stamp.seed if template.seed is None else template.seed
        return RegisterCluster(
            uuid=uuid,
            name=message.name,
            template_text=text,
            template=template,
            seed=seed,
            host_uuid=listing(self._tables.hosts)[0].uuid,
        )

    def _forget(self, uuid: str, host_uuid: str) -> None:
        gone = tuple(sorted(abandoned(self._tables, uuid)))
        host = self._system.actors.find(f"host/{host_uuid}")
        told = tell(host, ForgetNetwork(cluster_uuid=uuid, abandoned=gone))
        if not told:
            for each in gone:
                self._system.snapshotter.forget(each)
