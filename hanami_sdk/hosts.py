"""Hosts: where clusters compute."""

from hanami_sdk.calls import clusters
from hanami_sdk.hanami_request import send_call

__all__ = ["list_hosts"]


def list_hosts(token: str, address: str, verify_connection: bool = True) -> bytes:
    """Return all hosts as JSON with ``header`` and ``body``."""
    return send_call(token, address, clusters.list_hosts(), verify_connection)
