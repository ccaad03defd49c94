"""What the ``target`` of a websocket's first message opens. A new target is a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from hanami_actors.api.cluster_socket import open_cluster
from hanami_actors.api.upload_socket import open_upload
from hanami_actors.api.websocket import OpenSession

__all__ = ["TARGETS"]

TARGETS: Mapping[str, OpenSession] = MappingProxyType(
    {"cluster": open_cluster, "file_upload": open_upload}
)
