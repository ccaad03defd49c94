"""What both clients need to send calls and to write downloads."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hanami_sdk._progress import Report
from hanami_sdk._transport import CONNECT_TIMEOUT_S, TIMEOUT, Answer
from hanami_sdk.calls.call import Call
from hanami_sdk.hanami_request import error_of

__all__ = ["DOWNLOAD_BLOCK_BYTES", "Download", "checked", "headers_of", "timeout_of"]

DOWNLOAD_BLOCK_BYTES = 1024 * 1024


def headers_of(token: str | None) -> dict[str, str]:
    """Return the headers of a request."""
    return {} if token is None else {"X-Auth-Token": token}


def timeout_of(call: Call[Any]) -> httpx.Timeout:
    """Return how long a request may take."""
    if call.timeout_s is None:
        return TIMEOUT
    return httpx.Timeout(call.timeout_s, connect=CONNECT_TIMEOUT_S)


def checked(answer: Answer) -> Answer:
    """Return an answer that says that the call was done; raise what any other one means."""
    if answer.status != 200:
        raise error_of(answer)
    return answer


@dataclass(frozen=True, slots=True)
class Download:
    """A file for the answer of a call, and whom to tell how much of it is there."""

    path: Path
    report: Report | None

    @contextmanager
    def writing(self, headers: Mapping[str, str]) -> Iterator[Callable[[bytes], None]]:
        """Write blocks to a file beside, which gets the wanted name when all of it is there."""
        total_bytes = int(headers.get("Content-Length", 0))
        done_bytes = 0
        partial = Path(f"{self.path}.part")
        try:
            with partial.open("wb") as file:

                def write(block: bytes) -> None:
                    nonlocal done_bytes
                    file.write(block)
                    done_bytes += len(block)
                    if self.report is not None:
                        self.report(done_bytes, max(total_bytes, done_bytes))

                yield write
            partial.replace(self.path)
        except BaseException:
            with suppress(OSError):  # what went wrong first is what counts
                partial.unlink(missing_ok=True)
            raise
