"""What the parts of the client want from it."""

from pathlib import Path
from typing import Protocol, TypeVar

from hanami_sdk._progress import Report
from hanami_sdk.calls.call import Call
from hanami_sdk.client.session import Session

__all__ = ["AsyncCaller", "AsyncSender"]

T = TypeVar("T")


class AsyncCaller(Protocol):
    """Sends calls for one user of one server."""

    session: Session

    async def do(self, call: Call[T]) -> T:
        """Send a call and return its result."""
        ...

    async def valid_token(self) -> str:
        """Return a token that is good for a while."""
        ...


class AsyncSender(AsyncCaller, Protocol):
    """The client."""

    async def do_once(self, call: Call[T]) -> T:
        """Send a call; a token that is refused is not replaced."""
        ...

    async def download(self, call: Call[bytes], path: Path, report: Report | None) -> None:
        """Write the answer of a call to a file."""
        ...
