"""Clusters: create, look at, list, delete."""

import base64
import binascii

import msgspec
from msgspec import UNSET, UnsetType

from hanami_actors.actors.gateway import GetClusterFigures, Target, TargetKind
from hanami_actors.api.endpoint import EVERYBODY, Context, Empty, Endpoint, Nothing
from hanami_actors.api.endpoints.replies import ListReply, OwnedReply
from hanami_actors.api.fields import ResourceName, UuidText
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.cluster.messages import CreateCluster, DeleteCluster
from hanami_actors.domain.tables import (
    ClusterRow,
    cluster_name_taken,
    find_visible,
)
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError, TemplateError

__all__ = ["ROWS", "require_cluster"]

TEMPLATE_LENGTH_MAX = 4 * 1024 * 1024
DIRECTORY = Target(kind=TargetKind.DIRECTORY)


class NewCluster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``template``: base64 of the text. Omitted: a default; empty: no hexagons."""

    name: ResourceName
    template: str | UnsetType = UNSET


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
    """Create a cluster from a template."""
    message = CreateCluster(name=request.name, template_text=_template_text(context, request))
    row: ClusterRow = await context.ask(DIRECTORY, message)
    return OwnedReply(
        created_at=format_timestamp(row.created_us),
        name=row.name,
        owner_id=row.owner_id,
        project_id=row.project_id,
        uuid=row.uuid,
    )


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
        summary="Create a cluster from a template.",
        access=EVERYBODY,
        request=NewCluster,
        reply=OwnedReply,
        errors=(ConflictError, TemplateError),
        handler=create_cluster,
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
