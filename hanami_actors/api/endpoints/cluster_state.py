"""What a cluster has learned: save it, go back to it, copy it."""

from typing import TYPE_CHECKING

import msgspec

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.checkpoint import require_checkpoint, require_source
from hanami_actors.api.endpoints.cluster import (
    DIRECTORY,
    describe_moment,
    first_cluster,
    owned_reply,
    require_cluster,
)
from hanami_actors.api.replies import OwnedReply, UuidReply
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import ResourceName, UuidText
from hanami_actors.domain.checkpoint.events import CheckpointCreated
from hanami_actors.domain.cluster.events import TaskQueued
from hanami_actors.domain.cluster.messages import CreateCluster, LoadCheckpoint, SaveCheckpoint
from hanami_actors.errors import ConflictError, LimitError, NotFoundError

if TYPE_CHECKING:
    from hanami_actors.actors.cluster.messages import CheckpointTicket

__all__ = ["ROWS"]


class NewCheckpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to save, and under which name; names need not be unique."""

    name: ResourceName
    cluster_uuid: UuidText


class Restore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to, and from what."""

    cluster_uuid: UuidText
    checkpoint_uuid: UuidText


class Copy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to copy, and the name of the copy."""

    cluster_uuid: UuidText
    name: ResourceName


class CheckpointTicketReply(msgspec.Struct, frozen=True, kw_only=True):
    """The uuid of the checkpoint, and of the task that makes it."""

    name: str
    uuid: str


async def save_cluster(context: Context, request: NewCheckpoint) -> CheckpointTicketReply:
    """Name the moment a cluster is at; at once when it is idle, otherwise when its turn comes."""
    row = require_cluster(context, request.cluster_uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    ticket: CheckpointTicket = await context.ask(target, SaveCheckpoint(name=request.name))
    return CheckpointTicketReply(name=ticket.name, uuid=ticket.uuid)


def first_ticket(effects: Effects) -> CheckpointTicketReply:
    """Return the ticket of a save; an idle cluster saves at once, a busy one when its turn comes."""
    if saved := effects.find(CheckpointCreated):
        return CheckpointTicketReply(name=saved[0].name, uuid=saved[0].uuid)
    event, _ = effects.first(TaskQueued)
    return CheckpointTicketReply(name=event.task.name, uuid=event.task.uuid)


async def load_cluster(context: Context, request: Restore) -> UuidReply:
    """Bring a cluster to the moment of a checkpoint; its name and uuid stay."""
    row = require_cluster(context, request.cluster_uuid)
    checkpoint = require_checkpoint(context, request.checkpoint_uuid)
    source = require_source(context, request.checkpoint_uuid)
    target = Target(kind=TargetKind.CLUSTER, key=row.uuid)
    message = LoadCheckpoint(name=checkpoint.name, source=source)
    return UuidReply(uuid=await context.ask(target, message))


def first_load(effects: Effects) -> UuidReply:
    """Return the uuid of the task that restores."""
    event, _ = effects.first(TaskQueued)
    return UuidReply(uuid=event.task.uuid)


async def copy_cluster(context: Context, request: Copy) -> OwnedReply:
    """Create a cluster that has learned what another one has recorded to have learned."""
    source = await describe_moment(context, request.cluster_uuid)
    message = CreateCluster(name=request.name, source=source)
    return owned_reply(await context.ask(DIRECTORY, message))


ROWS = (
    Endpoint(
        name="save_cluster",
        method="POST",
        path="cluster/save",
        summary="Create a checkpoint of a cluster.",
        access=EVERYBODY,
        request=NewCheckpoint,
        reply=CheckpointTicketReply,
        errors=(NotFoundError, ConflictError, LimitError),
        handler=save_cluster,
        first_answer=first_ticket,
    ),
    Endpoint(
        name="load_cluster",
        method="POST",
        path="cluster/load",
        summary="Restore a checkpoint into a cluster.",
        access=EVERYBODY,
        request=Restore,
        reply=UuidReply,
        errors=(NotFoundError, ConflictError, LimitError),
        handler=load_cluster,
        first_answer=first_load,
    ),
    Endpoint(
        name="copy_cluster",
        method="POST",
        path="cluster/copy",
        summary="Create a cluster that has learned what another one has.",
        access=EVERYBODY,
        request=Copy,
        reply=OwnedReply,
        errors=(NotFoundError, ConflictError, LimitError),
        handler=copy_cluster,
        first_answer=first_cluster,
        in_contract=False,
    ),
)
