"""The audit log (who called what) and the error log, in pages of 100 entries."""

from hanami_sdk.hanami_request import API_PREFIX, send_get_request

__all__ = ["list_audit_logs", "list_error_logs"]


def _values(user_id: str | None, page: int) -> dict[str, object]:
    return {"user_id": user_id, "page": page} if user_id else {"page": page}


def list_audit_logs(
    token: str, address: str, user_id: str | None, page: int, verify_connection: bool = True
) -> bytes:
    """Return a page of calls; without a user id those of the user of the token."""
    path = f"{API_PREFIX}audit_log"
    return send_get_request(token, address, path, _values(user_id, page), verify_connection)


def list_error_logs(
    token: str, address: str, user_id: str | None, page: int, verify_connection: bool = True
) -> bytes:
    """Return a page of internal errors; for admins only."""
    path = f"{API_PREFIX}error_log"
    return send_get_request(token, address, path, _values(user_id, page), verify_connection)
