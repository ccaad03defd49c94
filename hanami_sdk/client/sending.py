"""What both clients need to perform requests and downloads."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from hanami_sdk._transport import CONNECT_TIMEOUT_S, TIMEOUT
from hanami_sdk.client.flow import Download, Request

__all__ = ["DOWNLOAD_BLOCK_BYTES", "headers_of", "timeout_of", "writing"]

DOWNLOAD_BLOCK_BYTES = 1024 * 1024


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers of a request."""
    return {} if request.token is None else {"X-Auth-Token": request.token}


def timeout_of(request: Request) -> httpx.Timeout:
    """Return how long a request may take."""
    if request.timeout_s is None:
        return TIMEOUT
    return httpx.Timeout(request.timeout_s, connect=CONNECT_TIMEOUT_S)


@contextmanager
def writing(download: Download, headers: Mapping[str, str]) -> Iterator[Callable[[bytes], None]]:
    """Write blocks to a file beside the wanted one, which gets its name when all of it is there."""
    total_bytes = int(headers.get("Content-Length", 0))
    done_bytes = 0
    partial = Path(f"{download.path}.part")
    try:
        with partial.open("wb") as file:

            def write(block: bytes) -> None:
                nonlocal done_bytes
                file.write(block)
                done_bytes += len(block)
                if download.report is not None:
                    download.report(done_bytes, max(total_bytes, done_bytes))

            yield write
        partial.replace(download.path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what counts
            partial.unlink(missing_ok=True)
        raise
