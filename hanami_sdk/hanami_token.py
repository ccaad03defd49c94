"""Log in: every other call needs the token from here."""

from hanami_sdk._arguments import one_of
from hanami_sdk.calls import accounts
from hanami_sdk.hanami_request import send_call, strict_statuses

__all__ = ["request_token"]


def request_token(
    address: str,
    user_id: str,
    passphrase: str | None = None,
    verify_connection: bool = True,
    *,
    pw: str | None = None,
    password: str | None = None,
) -> str:
    """Return a token for a user.

    Parameters
    ----------
    address : str
        For instance ``http://127.0.0.1:11418``, without a trailing slash.
    user_id : str
        The id, not the name, of the user.
    passphrase, pw, password : str
        The passphrase, under any one of these names.
    verify_connection : bool
        False accepts any certificate of a https server.
    """
    secret = one_of("request_token", passphrase=passphrase, pw=pw, password=password)
    call = accounts.log_in(user_id, secret)
    with strict_statuses():
        answer = send_call(None, address, call, verify_connection)
    return call.read(answer).token
