"""The audit log (who called what) and the error log, in pages of 100 entries."""

from hanami_sdk.calls import accounts
from hanami_sdk.hanami_request import send_call

__all__ = ["list_audit_logs", "list_error_logs"]


def list_audit_logs(
    token: str, address: str, user_id: str | None, page: int, verify_connection: bool = True
) -> bytes:
    """Return a page of calls; without a user id those of the user of the token."""
    return send_call(token, address, accounts.audit_log(user_id or None, page), verify_connection)


def list_error_logs(
    token: str, address: str, user_id: str | None, page: int, verify_connection: bool = True
) -> bytes:
    """Return a page of internal errors; for admins only."""
    return send_call(token, address, accounts.error_log(user_id or None, page), verify_connection)
