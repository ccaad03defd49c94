"""Checkpoints: look at, list, delete."""

import msgspec

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.replies import ListReply, OwnedReply
from hanami_actors.api.table.endpoint import EVERYBODY, Empty, Endpoint, Nothing
from hanami_actors.api.table.fields import UuidText
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.checkpoint.aggregate import CheckpointState
from hanami_actors.domain.checkpoint.messages import DeleteCheckpoint
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.tables import find_visible
from hanami_actors.errors import NotFoundError

__all__ = [
    "ROWS",
    "CheckpointReply",
    "OneCheckpoint",
    "checkpoint_reply",
    "require_checkpoint",
    "require_source",
]


class OneCheckpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a checkpoint."""

    uuid: UuidText


class CheckpointReply(OwnedReply, frozen=True, kw_only=True):
    """A checkpoint and the moment it names.

    ``cluster_uuid`` is empty when it was uploaded; the cluster may be deleted since. ``task_uuid``
    (a task or direct session) and ``cycle`` are where the moment lies, ``digest`` is the state of the
    network, empty when nobody has computed it yet.
    """

    cluster_name: str
    cluster_uuid: str
    cycle: int
    digest: str
    seed: int
    task_uuid: str
    trained_cycles: int


def require_checkpoint(context: Context, uuid: str) -> CheckpointState:
    """Return the checkpoint if the caller sees it.

    Raises
    ------
    NotFoundError
    """
    state = find_visible(context.tables.checkpoints, context.who, uuid)
    if state is None:
        raise NotFoundError(f"Checkpoint with uuid '{uuid}' not found")
    return state


def require_source(context: Context, uuid: str) -> Source:
    """Return the moment of a checkpoint that the caller sees."""
    source = require_checkpoint(context, uuid).source
    assert source is not None, "a living checkpoint names a moment"
    return source


def checkpoint_reply(state: CheckpointState) -> CheckpointReply:
    """Return a checkpoint as it is shown."""
    source = state.source
    assert source is not None, "a living checkpoint names a moment"
    return CheckpointReply(
        created_at=format_timestamp(state.created_us),
        name=state.name,
        owner_id=state.owner_id,
        project_id=state.project_id,
        uuid=state.uuid,
        cluster_name=state.cluster_name,
        cluster_uuid=state.cluster_uuid,
        cycle=source.cycle,
        digest=source.digest,
        seed=source.seed,
        task_uuid=source.span_uuid,
        trained_cycles=int(dict(source.figures).get("trained_cycles", 0)),
    )


async def get_checkpoint(context: Context, request: OneCheckpoint) -> CheckpointReply:
    """Look at a checkpoint."""
    return checkpoint_reply(require_checkpoint(context, request.uuid))


async def list_checkpoints(context: Context, _request: Empty) -> msgspec.Raw:
    """List the checkpoints that the caller sees, oldest first."""
    table = context.tables.checkpoints
    return context.services.list_cache.owned_list("checkpoints", table, context.who)


async def delete_checkpoint(context: Context, request: OneCheckpoint) -> Nothing:
    """Delete a checkpoint; clusters that were restored from it keep what they have."""
    state = require_checkpoint(context, request.uuid)
    await context.ask(Target(kind=TargetKind.DIRECTORY), DeleteCheckpoint(uuid=state.uuid))
    return Nothing()


ROWS = (
    Endpoint(
        name="get_checkpoint",
        method="GET",
        path="checkpoint",
        summary="Look at a checkpoint.",
        access=EVERYBODY,
        request=OneCheckpoint,
        reply=CheckpointReply,
        errors=(NotFoundError,),
        handler=get_checkpoint,
    ),
    Endpoint(
        name="list_checkpoints",
        method="GET",
        path="checkpoint/all",
        summary="List the visible checkpoints.",
        access=EVERYBODY,
        request=Empty,
        reply=ListReply,
        errors=(),
        handler=list_checkpoints,
    ),
    Endpoint(
        name="delete_checkpoint",
        method="DELETE",
        path="checkpoint",
        summary="Delete a checkpoint.",
        access=EVERYBODY,
        request=OneCheckpoint,
        reply=Nothing,
        errors=(NotFoundError,),
        handler=delete_checkpoint,
    ),
)
