"""Checkpoints as files, from one server to another."""

import base64
import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.answers import FileContent, FileReply
from hanami_actors.api.bridge import settled
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.checkpoint import (
    CheckpointReply,
    OneCheckpoint,
    checkpoint_reply,
    require_checkpoint,
    require_source,
)
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import ResourceName
from hanami_actors.domain.checkpoint.aggregate import apply, initial
from hanami_actors.domain.checkpoint.events import CheckpointCreated
from hanami_actors.domain.checkpoint.messages import CreateCheckpoint
from hanami_actors.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    LimitError,
    NotFoundError,
)

if TYPE_CHECKING:
    from hanami_actors.domain.cluster.source import Source

__all__ = ["ROWS"]

BLOCK_BYTES = 256 * 1024
CONTENT_TYPE = "application/octet-stream"


class UploadedCheckpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``data``: base64 of a file that ``checkpoint/download`` gave."""

    name: ResourceName
    data: str


async def download_checkpoint(context: Context, request: OneCheckpoint) -> FileReply:
    """Send a checkpoint as a file that another server can restore."""
    state = require_checkpoint(context, request.uuid)
    source = require_source(context, request.uuid)
    gateway = context.services.gateway
    image = await _image(context, source)
    data = await context.in_pool(lambda: gateway.export_checkpoint(state.name, source, image))
    return FileReply(
        content_type=CONTENT_TYPE,
        file_name=f"{state.name}.checkpoint",
        size_bytes=len(data),
        blocks=_blocks(data),
    )


async def upload_checkpoint(context: Context, request: UploadedCheckpoint) -> CheckpointReply:
    """Create a checkpoint from a file of another server."""
    gateway = context.services.gateway
    source = await context.in_pool(lambda: gateway.import_checkpoint(_decoded(request.data)))
    message = CreateCheckpoint(name=request.name, source=source)
    return checkpoint_reply(await context.ask(Target(kind=TargetKind.DIRECTORY), message))


def first_checkpoint(effects: Effects) -> CheckpointReply:
    """Return a checkpoint as it was created."""
    event, time_us = effects.first(CheckpointCreated)
    return checkpoint_reply(apply(initial(), event, time_us))


async def _image(context: Context, source: "Source") -> Any:
    answer = await settled(
        context.services.gateway.fetch_image(source), timeout_s=context.timeout_s
    )
    if answer is None:
        raise BusyError(
            f"the state of the checkpoint was not computed within {context.timeout_s:g} s; try again"
            " later"
        )
    return answer.outcome()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError("field 'data': expected base64 of a checkpoint's file") from None


def _blocks(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), BLOCK_BYTES):
        yield data[at : at + BLOCK_BYTES]


ROWS = (
    Endpoint(
        name="download_checkpoint",
        method="GET",
        path="checkpoint/download",
        summary="Download a checkpoint as a file.",
        access=EVERYBODY,
        request=OneCheckpoint,
        reply=FileContent,
        errors=(NotFoundError, ConflictError),
        handler=download_checkpoint,
        content_types=(CONTENT_TYPE,),
        timeout_s=120.0,
        in_contract=False,
    ),
    Endpoint(
        name="upload_checkpoint",
        method="POST",
        path="checkpoint/upload",
        summary="Create a checkpoint from a file of another server.",
        access=EVERYBODY,
        request=UploadedCheckpoint,
        reply=CheckpointReply,
        errors=(BadRequestError, LimitError),
        handler=upload_checkpoint,
        first_answer=first_checkpoint,
        # A network in a file is taken as it is: whoever uploads one has to be trusted.
        requires_admin=True,
        timeout_s=120.0,
        in_contract=False,
    ),
)
