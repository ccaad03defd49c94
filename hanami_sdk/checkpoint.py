"""Checkpoints: saved states of clusters. Made by `cluster.save_cluster`."""

from base64 import b64encode

from hanami_sdk.hanami_request import (
    API_PREFIX,
    send_delete_request,
    send_get_request,
    send_post_request,
)

__all__ = [
    "delete_checkpoint",
    "download_checkpoint",
    "get_checkpoint",
    "list_checkpoints",
    "upload_checkpoint",
]

PATH = f"{API_PREFIX}checkpoint"


def get_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return one checkpoint as JSON."""
    return send_get_request(token, address, PATH, {"uuid": checkpoint_uuid}, verify_connection)


def list_checkpoints(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all visible checkpoints as JSON with ``header`` and ``body``."""
    return send_get_request(token, address, f"{PATH}/all", None, verify_connection)


def download_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return a checkpoint as the content of a file that another server can restore."""
    values = {"uuid": checkpoint_uuid}
    return send_get_request(token, address, f"{PATH}/download", values, verify_connection)


def upload_checkpoint(
    token: str, address: str, name: str, data: bytes, verify_connection: bool = True
) -> bytes:
    """Create a checkpoint from such a file; return it as JSON. Only admins may do this."""
    body = {"name": name, "data": b64encode(data).decode("ascii")}
    return send_post_request(token, address, f"{PATH}/upload", body, verify_connection)


def delete_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Delete a checkpoint."""
    return send_delete_request(token, address, PATH, {"uuid": checkpoint_uuid}, verify_connection)
