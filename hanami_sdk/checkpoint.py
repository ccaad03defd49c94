"""Checkpoints: saved states of clusters. Made by `cluster.save_cluster`."""

from hanami_sdk.hanami_request import API_PREFIX, send_delete_request, send_get_request

__all__ = ["delete_checkpoint", "get_checkpoint", "list_checkpoints"]

PATH = f"{API_PREFIX}checkpoint"


def get_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Return one checkpoint as JSON."""
    return send_get_request(token, address, PATH, {"uuid": checkpoint_uuid}, verify_connection)


def list_checkpoints(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all visible checkpoints as JSON with ``header`` and ``body``."""
    return send_get_request(token, address, f"{PATH}/all", None, verify_connection)


def delete_checkpoint(
    token: str, address: str, checkpoint_uuid: str, verify_connection: bool = True
) -> bytes:
    """Delete a checkpoint."""
    return send_delete_request(token, address, PATH, {"uuid": checkpoint_uuid}, verify_connection)
