"""What may be asked of a checkpoint."""

from hanami_actors.domain.base import Message
from hanami_actors.domain.cluster.source import Source

__all__ = ["CheckpointMessage", "CreateCheckpoint", "DeleteCheckpoint"]


class CreateCheckpoint(Message, frozen=True, kw_only=True):
    """Name a moment; its owner is the caller. The directory chooses the uuid."""

    uuid: str = ""
    name: str
    cluster_uuid: str = ""
    cluster_name: str = ""
    source: Source


class DeleteCheckpoint(Message, frozen=True, kw_only=True):
    """Delete a checkpoint; asked of the directory."""

    uuid: str


CheckpointMessage = CreateCheckpoint | DeleteCheckpoint
