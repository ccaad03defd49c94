"""Calls as the functions send them: once, with the token that they were given."""

from typing import TypeVar

from hanami_sdk.calls.call import Call
from hanami_sdk.client.retry import Retry
from hanami_sdk.client.session import Session
from hanami_sdk.hanami_request import send_call, strict_statuses

__all__ = ["PlainCaller"]

T = TypeVar("T")


class PlainCaller:
    """Neither repeats calls nor renews the token; every status but 200 is an exception."""

    def __init__(self, token: str, address: str, verify: bool) -> None:
        self._token = token
        self._address = address
        self.session = Session(
            address,
            user_id=None,
            passphrase=None,
            token=token,
            project_id=None,
            verify=verify,
            retry=Retry(attempts=1),
        )

    def do(self, call: Call[T]) -> T:
        """Send a call and return its result."""
        with strict_statuses():
            answer = send_call(self._token, self._address, call, self.session.verify)
        return call.read(answer)

    def valid_token(self) -> str:
        """Return the token."""
        return self._token
