"""Checkpoints: saved states of clusters. Made by `cluster.save_cluster`."""

from hanami_sdk.calls import clusters
from hanami_sdk.hanami_request import send_call

__all__ = [
    "delete_checkpoint",
    "download_checkpoint",
    "get_checkpoint",
    "list_checkpoints",
    "upload_checkpoint",
]


def get_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return one checkpoint as JSON."""
    return send_call(token, address, clusters.get_checkpoint(checkpoint_uuid), verify_connection)


def list_checkpoints(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all visible checkpoints as JSON with ``header`` and ``body``."""
    return send_call(token, address, clusters.list_checkpoints(), verify_connection)


def download_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return a checkpoint as the content of a file that another server can restore."""
    return send_call(
        token, address, clusters.download_checkpoint(checkpoint_uuid), verify_connection
    )


def upload_checkpoint(
    token: str, address: str, name: str, data: bytes, verify_connection: bool = True
) -> bytes:
    """Create a checkpoint from such a file; return it as JSON. Only admins may do this."""
    return send_call(token, address, clusters.upload_checkpoint(name, data), verify_connection)


def delete_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Delete a checkpoint."""
    return send_call(token, address, clusters.delete_checkpoint(checkpoint_uuid), verify_connection)
