"""Hosts: where clusters compute."""

from hanami_sdk.hanami_request import API_PREFIX, send_get_request

__all__ = ["list_hosts"]


def list_hosts(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all hosts as JSON with ``header`` and ``body``."""
    return send_get_request(token, address, f"{API_PREFIX}host/all", None, verify_connection)
