"""Clusters: create, look at, list, delete."""

import base64
import binascii
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.actors.cluster.messages import DescribeMoment
from hanami_actors.actors.gateway import GetClusterFigures, Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.checkpoint import require_source
from hanami_actors.api.replies import ListReply, OwnedReply
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import EVERYBODY, Empty, Endpoint, Nothing
from hanami_actors.api.table.fields import ResourceName, UuidText
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.events import ClusterCreated
from hanami_actors.domain.cluster.messages import CreateCluster, DeleteCluster
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.state import ClusterState, initial
from hanami_actors.domain.cluster.template_parser import parse_template
from hanami_actors.domain.tables import (
    ClusterRow,
    cluster_name_taken,
    find_visible,
)
from hanami_actors.errors import (
    BadRequestError,
    ConflictError,
    LimitError,
    NotFoundError,
    TemplateError,
)

__all__ = [
    "DIRECTORY",
    "ROWS",
    "OneCluster",
    "describe_moment",
    "first_cluster",
    "owned_reply",
    "require_cluster",
]

TEMPLATE_LENGTH_MAX = 128 * 1024
"""Half a second of reading; a template of 1000 hexagons has a tenth of it."""

DIRECTORY = Target(kind=TargetKind.DIRECTORY)

CycleNumber = Annotated[int, Meta(ge=1, le=2**53)]


class NewCluster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name, and what the cluster begins with; all but the template is ours.

    ``template``: base64 of the text. Omitted: a default; empty: no hexagons. ``checkpoint_uuid``: a
    moment with a name. ``source_cluster_uuid``: another cluster as it is now, or after
    ``source_cycle`` cycles of the task or direct session ``source_task_uuid`` (without a cycle:
    after all of them).
    """

    name: ResourceName
    template: str | UnsetType = UNSET
    checkpoint_uuid: UuidText | UnsetType = UNSET
    source_cluster_uuid: UuidText | UnsetType = UNSET
    source_task_uuid: UuidText | UnsetType = UNSET
    source_cycle: CycleNumber | UnsetType = UNSET


class OneCluster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a cluster."""

    uuid: UuidText


class ClusterReply(OwnedReply, frozen=True, kw_only=True):
    """A cluster and its live figures.

    ``replay_memory_bytes`` is the part of the size that holds samples of the user, also after
    their dataset is deleted.
    """

    number_of_blocks: int
    number_of_sections: int
    number_of_synapses: int
    size_bytes: int
    replay_memory_bytes: int
    trained_cycles: int
    running_error: float
    seed: int
    number_of_tasks: int


def require_cluster(context: Context, uuid: str) -> ClusterRow:
    """Return the cluster if the caller sees it.

    Raises
    ------
    NotFoundError
    """
    row = find_visible(context.tables.clusters, context.who, uuid)
    if row is None:
        raise NotFoundError(f"Cluster with uuid '{uuid}' not found")
    return row


async def create_cluster(context: Context, request: NewCluster) -> OwnedReply:
    """Create a cluster from a template, a checkpoint or another cluster."""
    require_one_origin(request)
    text = _template_text(context, request)
    if text and not cluster_name_taken(context.tables, context.who, request.name):
        await context.in_pool(lambda: parse_template(text))
    message = CreateCluster(
        name=request.name,
        template_text=text,
        source=await _source(context, request),
    )
    return owned_reply(await context.ask(DIRECTORY, message))


def first_cluster(effects: Effects) -> OwnedReply:
    """Return a cluster as it was created."""
    event, time_us = effects.first(ClusterCreated)
    return owned_reply(apply(initial(), event, time_us))


def owned_reply(row: ClusterRow | ClusterState) -> OwnedReply:
    """Return a cluster as the contract shows it."""
    return OwnedReply(
        created_at=format_timestamp(row.created_us),
        name=row.name,
        owner_id=row.owner_id,
        project_id=row.project_id,
        uuid=row.uuid,
    )


def require_one_origin(request: NewCluster) -> None:
    """Refuse a cluster that would begin with several things at once."""
    named = [
        name
        for name in ("template", "checkpoint_uuid", "source_cluster_uuid")
        if getattr(request, name) is not UNSET
    ]
    if len(named) > 1:
        raise BadRequestError(
            f"fields {' and '.join(repr(name) for name in named)} exclude each other; a cluster begins"
            " with one of them"
        )
    if request.source_task_uuid is not UNSET and request.source_cluster_uuid is UNSET:
        raise BadRequestError(
            "field 'source_task_uuid' needs the field 'source_cluster_uuid': the cluster of the task"
        )
    if request.source_cycle is not UNSET and request.source_task_uuid is UNSET:
        raise BadRequestError(
            "field 'source_cycle' needs the field 'source_task_uuid': cycles are counted in a task"
        )


async def describe_moment(
    context: Context, cluster_uuid: str, task_uuid: str | None = None, cycle: int = -1
) -> Source:
    """Return a moment of a cluster that the caller sees; by default the newest one."""
    row = require_cluster(context, cluster_uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    source: Source = await context.ask(target, DescribeMoment(span_uuid=task_uuid, cycle=cycle))
    return source


async def _source(context: Context, request: NewCluster) -> Source | None:
    if isinstance(request.checkpoint_uuid, str):
        return require_source(context, request.checkpoint_uuid)
    if not isinstance(request.source_cluster_uuid, str):
        return None
    task_uuid = request.source_task_uuid if isinstance(request.source_task_uuid, str) else None
    cycle = request.source_cycle if isinstance(request.source_cycle, int) else -1
    return await describe_moment(context, request.source_cluster_uuid, task_uuid, cycle)


async def get_cluster(context: Context, request: OneCluster) -> ClusterReply:
    """Look at a cluster."""
    row = require_cluster(context, request.uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    figures = await context.ask(target, GetClusterFigures())
    return ClusterReply(
        created_at=format_timestamp(row.created_us),
        name=row.name,
        owner_id=row.owner_id,
        project_id=row.project_id,
        uuid=row.uuid,
        number_of_blocks=figures.number_of_blocks,
        number_of_sections=figures.number_of_sections,
        number_of_synapses=figures.number_of_synapses,
        size_bytes=figures.size_bytes,
        replay_memory_bytes=figures.replay_memory_bytes,
        trained_cycles=figures.trained_cycles,
        running_error=figures.running_error,
        seed=figures.seed,
        number_of_tasks=figures.task_count,
    )


async def list_clusters(context: Context, _request: Empty) -> msgspec.Raw:
    """List the clusters that the caller sees, oldest first."""
    table = context.tables.clusters
    return context.services.list_cache.owned_list("clusters", table, context.who)


async def delete_cluster(context: Context, request: OneCluster) -> Nothing:
    """Delete a cluster; its name is free at once."""
    row = require_cluster(context, request.uuid)
    await context.ask(DIRECTORY, DeleteCluster(uuid=row.uuid))
    return Nothing()


def _template_text(context: Context, request: NewCluster) -> str | None:
    if not isinstance(request.template, str):
        return None
    if len(request.template) > TEMPLATE_LENGTH_MAX:
        raise BadRequestError(
            f"field 'template': {len(request.template)} characters are too long; at most "
            f"{TEMPLATE_LENGTH_MAX} are allowed"
        )
    try:
        return base64.b64decode(request.template, validate=True).decode()
    except (binascii.Error, ValueError):
        # A name in use comes before a template that cannot be read; the directory, which checks
        # names, never sees this request.
        if cluster_name_taken(context.tables, context.who, request.name):
            raise ConflictError(f"Cluster with name '{request.name}' already exists.") from None
        raise BadRequestError(
            "field 'template': expected base64 of the template's text; this is not valid base64 "
            "of UTF-8 text"
        ) from None


ROWS = (
    Endpoint(
        name="create_cluster",
        method="POST",
        path="cluster",
        summary="Create a cluster from a template, a checkpoint or another cluster.",
        access=EVERYBODY,
        request=NewCluster,
        reply=OwnedReply,
        errors=(ConflictError, LimitError, NotFoundError, TemplateError),
        handler=create_cluster,
        first_answer=first_cluster,
    ),
    Endpoint(
        name="get_cluster",
        method="GET",
        path="cluster",
        summary="Look at a cluster.",
        access=EVERYBODY,
        request=OneCluster,
        reply=ClusterReply,
        errors=(NotFoundError,),
        handler=get_cluster,
    ),
    Endpoint(
        name="list_clusters",
        method="GET",
        path="cluster/all",
        summary="List the visible clusters.",
        access=EVERYBODY,
        request=Empty,
        reply=ListReply,
        errors=(),
        handler=list_clusters,
    ),
    Endpoint(
        name="delete_cluster",
        method="DELETE",
        path="cluster",
        summary="Delete a cluster.",
        access=EVERYBODY,
        request=OneCluster,
        reply=Nothing,
        errors=(NotFoundError,),
        handler=delete_cluster,
    ),
)
