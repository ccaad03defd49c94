"""What happens to a checkpoint. Stream ``checkpoint/<uuid>``."""

from typing import ClassVar

from hanami_actors.domain.base import Event
from hanami_actors.domain.cluster.source import Source

__all__ = ["CheckpointCreated", "CheckpointDeleted", "CheckpointEvent"]


class CheckpointCreated(Event, frozen=True, kw_only=True):
    """A moment has a name; while it lives, everything that leads there stays readable.

    Attributes
    ----------
    cluster_uuid, cluster_name : str
        Of the cluster that was saved; empty when the checkpoint was uploaded.
    source : Source
    """

    TAG: ClassVar[str] = "checkpoint.created"

    uuid: str
    name: str
    owner_id: str
    project_id: str
    cluster_uuid: str = ""
    cluster_name: str = ""
    source: Source


class CheckpointDeleted(Event, frozen=True, kw_only=True):
    """The name is gone; clusters that were restored from it keep what they have."""

    TAG: ClassVar[str] = "checkpoint.deleted"


CheckpointEvent = CheckpointCreated | CheckpointDeleted
