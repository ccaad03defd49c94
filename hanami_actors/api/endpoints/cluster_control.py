"""How and where a cluster works, what it is called, and what is known of it now."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.actors.cluster.messages import (
    ClusterStats,
    GetClusterStats,
    SetMode,
    SwitchHost,
)
from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.cluster import (
    DIRECTORY,
    OneCluster,
    owned_reply,
    require_cluster,
)
from hanami_actors.api.replies import ListReply, OwnedReply
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import ResourceName, UuidText
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.cluster.messages import RenameCluster
from hanami_actors.errors import ConflictError, NotFoundError
from hanami_actors.replay.learning_curve import HISTORY_HEADER, HistoryPoint

if TYPE_CHECKING:
    from hanami_actors.domain.tables import ClusterRow

__all__ = ["ROWS"]

HEXAGON_ID_MAX = 1_000_000_000
HISTORY_LEN_MAX = 10_000
STATS_HISTORY_LEN = 100
MOVE_TIMEOUT_S = 60.0


class NewMode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``connection_uuid`` is ignored, as it always was."""

    uuid: UuidText
    new_state: Literal["TASK", "DIRECT"]
    connection_uuid: UuidText | UnsetType = UNSET


class NewHost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole cluster moves, whichever hexagon is named."""

    cluster_uuid: UuidText
    host_uuid: UuidText
    hexagon_id: Annotated[int, Meta(ge=0, le=HEXAGON_ID_MAX)] = 0


class NewName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another name for a cluster."""

    uuid: UuidText
    name: ResourceName


class LearningOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of what a cluster learned; ``task_uuid`` names a task or a direct session."""

    uuid: UuidText
    task_uuid: UuidText | UnsetType = UNSET
    number_of_rows: Annotated[int, Meta(ge=1, le=HISTORY_LEN_MAX)] = 1000


class ModeReply(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster and its new mode."""

    created_at: str
    name: str
    new_state: str
    uuid: str


class SessionReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection trained: ``steps`` are recorded and survive a crash."""

    connection_uuid: str
    is_open: bool
    steps: int
    uuid: str


class StatsReply(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster as it is now.

    ``task_uuid`` and ``task_state`` are of the task that computes or is paused. ``digest`` is the
    state of the network after ``last_cycle`` cycles of ``last_task_uuid`` (a task or direct
    session), empty when it was not computed. ``running_error_history`` has pairs of trained cycles
    and running error, the newest last.
    """

    digest: str
    host_uuid: str
    is_loaded: bool
    last_cycle: int
    last_task_uuid: str
    mode: str
    number_of_blocks: int
    number_of_connections: int
    number_of_queued_tasks: int
    number_of_sections: int
    number_of_synapses: int
    number_of_tasks: int
    replay_memory_bytes: int
    running_error: float
    running_error_history: list[tuple[int, float]]
    seed: int
    sessions: list[SessionReply]
    size_bytes: int
    task_state: str
    task_uuid: str
    trained_cycles: int
    uuid: str


async def set_mode(context: Context, request: NewMode) -> ModeReply:
    """Switch between tasks and samples that come one by one."""
    row = require_cluster(context, request.uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    await context.ask(target, SetMode(mode=request.new_state))
    return ModeReply(
        created_at=format_timestamp(row.created_us),
        name=row.name,
        new_state=request.new_state,
        uuid=row.uuid,
    )


async def switch_host(context: Context, request: NewHost) -> OwnedReply:
    """Move a cluster to another host, also in the middle of a task."""
    row = require_cluster(context, request.cluster_uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    message = SwitchHost(host_uuid=request.host_uuid, hexagon_id=request.hexagon_id)
    await context.ask(target, message)
    return owned_reply(row)


async def rename_cluster(context: Context, request: NewName) -> OwnedReply:
    """Give a cluster another name; the old one is free at once."""
    row = require_cluster(context, request.uuid)
    renamed: ClusterRow = await context.ask(
        DIRECTORY, RenameCluster(uuid=row.uuid, name=request.name)
    )
    return owned_reply(renamed)


async def get_cluster_stats(context: Context, request: OneCluster) -> StatsReply:
    """Look at everything that is known of a cluster."""
    row = require_cluster(context, request.uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    stats: ClusterStats = await context.ask(target, GetClusterStats())
    points = await _history(context, row.uuid, None, STATS_HISTORY_LEN)
    figures = dict(stats.figures)
    return StatsReply(
        digest=stats.digest,
        host_uuid=stats.host_uuid,
        is_loaded=stats.is_loaded,
        last_cycle=stats.cycle,
        last_task_uuid=stats.span_uuid,
        mode=stats.mode,
        number_of_blocks=int(figures.get("blocks", 0)),
        number_of_connections=stats.connection_count,
        number_of_queued_tasks=stats.queued_count,
        number_of_sections=int(figures.get("sections", 0)),
        number_of_synapses=int(figures.get("synapses", 0)),
        number_of_tasks=stats.task_count,
        replay_memory_bytes=int(figures.get("replay_memory_bytes", 0)),
        running_error=float(figures.get("running_error", 1.0)),
        running_error_history=[(point.trained_cycles, point.running_error) for point in points],
        seed=stats.seed,
        sessions=[
            SessionReply(
                connection_uuid=session.connection_uuid,
                is_open=session.is_open,
                steps=session.steps,
                uuid=session.uuid,
            )
            for session in stats.sessions
        ],
        size_bytes=int(figures.get("bytes", 0)),
        task_state=stats.task_state,
        task_uuid=stats.task_uuid,
        trained_cycles=int(figures.get("trained_cycles", 0)),
        uuid=row.uuid,
    )


async def get_cluster_history(context: Context, request: LearningOf) -> ListReply:
    """Read the recorded figures of what a cluster learned, oldest first."""
    row = require_cluster(context, request.uuid)
    task_uuid = request.task_uuid if isinstance(request.task_uuid, str) else None
    points = await _history(context, row.uuid, task_uuid, request.number_of_rows)
    return ListReply(header=list(HISTORY_HEADER), body=[_row(point) for point in points])


async def _history(
    context: Context, cluster_uuid: str, task_uuid: str | None, len_max: int
) -> list[HistoryPoint]:
    gateway = context.services.gateway
    return await context.in_pool(lambda: gateway.read_learning(cluster_uuid, task_uuid, len_max))


def _row(point: HistoryPoint) -> list[Any]:
    return [format_timestamp(point.time_us), *point[1:]]


ROWS = (
    Endpoint(
        name="set_cluster_mode",
        method="PUT",
        path="cluster/set_mode",
        summary="Switch a cluster between tasks and direct IO.",
        access=EVERYBODY,
        request=NewMode,
        reply=ModeReply,
        errors=(NotFoundError, ConflictError),
        handler=set_mode,
    ),
    Endpoint(
        name="switch_cluster_host",
        method="PUT",
        path="cluster/switch_host",
        summary="Move a cluster to another host.",
        access=EVERYBODY,
        request=NewHost,
        reply=OwnedReply,
        errors=(NotFoundError, ConflictError),
        handler=switch_host,
        timeout_s=MOVE_TIMEOUT_S,
    ),
    Endpoint(
        name="rename_cluster",
        method="PUT",
        path="cluster/rename",
        summary="Give a cluster another name.",
        access=EVERYBODY,
        request=NewName,
        reply=OwnedReply,
        errors=(NotFoundError, ConflictError),
        handler=rename_cluster,
        in_contract=False,
    ),
    Endpoint(
        name="get_cluster_stats",
        method="GET",
        path="cluster/stats",
        summary="Look at the live figures of a cluster.",
        access=EVERYBODY,
        request=OneCluster,
        reply=StatsReply,
        errors=(NotFoundError,),
        handler=get_cluster_stats,
        in_contract=False,
    ),
    Endpoint(
        name="get_cluster_history",
        method="GET",
        path="cluster/history",
        summary="Read how a cluster learned: its recorded figures.",
        access=EVERYBODY,
        request=LearningOf,
        reply=ListReply,
        errors=(NotFoundError,),
        handler=get_cluster_history,
        in_contract=False,
        timeout_s=60.0,
    ),
)
