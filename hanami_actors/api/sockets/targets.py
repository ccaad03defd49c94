"""What the ``target`` of a websocket's first message opens. A new target is a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from hanami_actors.api.sockets.direct import open_cluster
from hanami_actors.api.sockets.handshake import SessionFactory
from hanami_actors.api.sockets.upload import open_upload

__all__ = ["TARGETS"]

TARGETS: Mapping[str, SessionFactory] = MappingProxyType(
    {"cluster": open_cluster, "file_upload": open_upload}
)
