"""What the ``target`` of a websocket's first message opens. A new target is a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from hanami_actors.api.upload_socket import open_upload
from hanami_actors.api.websocket import HanamiSocket, OpenSession, Session
from hanami_actors.domain.base import Who
from hanami_actors.domain.tables import find_visible
from hanami_actors.errors import ConflictError, NotFoundError

__all__ = ["TARGETS"]


def refuse_cluster(socket: HanamiSocket, who: Who, uuid: str) -> Session:
    """Refuse direct IO, which this version does not serve, with the reason."""
    if find_visible(socket.application.gateway.tables.clusters, who, uuid) is None:
        raise NotFoundError(f"Cluster with UUID '{uuid[:64]}' not found")
    raise ConflictError(
        "target 'cluster' (direct IO) is not served yet; use train and request tasks"
    )


TARGETS: Mapping[str, OpenSession] = MappingProxyType(
    {"cluster": refuse_cluster, "file_upload": open_upload}
)
