"""Send bad requests and open idle connections, and look what stays; see scripts/fuzz."""

import argparse
import contextlib
import itertools
import json
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.protocol.hostile.bad_requests import BadRequest, bad_requests, send_bad  # noqa: E402
from tests.protocol.hostile.disturbances import disturb  # noqa: E402
from tests.protocol.hostile.figures import Figures, figures_of  # noqa: E402
from tests.protocol.raw_clients import RawHttp  # noqa: E402
from tests.server import ServerProcess  # noqa: E402

LIVE = "/v1/health/live"
WARM_UP_COUNT = 5000
BATCH = 5000
DISTURBANCE_SHARE = 20
MEMORY_GROWTH_MAX_KIB = 8 * 1024
SETTLE_S = 0.5
WAIT_S = 30.0


def main(argv: Sequence[str]) -> int:
    """Return 0 when nothing has grown and everything was answered as it should be."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    arguments = parser.parse_args(argv)
    _allow_files(arguments.connections)
    with tempfile.TemporaryDirectory(prefix="hanami-fuzz-") as folder:
        limit = ("--connection-count-max", str(arguments.connections))
        server = ServerProcess(Path(folder, "data"), "--no-access-log", *limit)
        try:
            server.start(wait_until_ready=False)
            fuzz = Fuzz(server, quiet=arguments.json)
            fuzz.send_requests(arguments.requests, arguments.seed)
            fuzz.disturb(max(1, arguments.requests // DISTURBANCE_SHARE))
            fuzz.open_connections(arguments.connections)
            fuzz.end()
        finally:
            server.close()
    if arguments.json:
        print(json.dumps({"answers": dict(fuzz.answers), "wrong": fuzz.wrong}))
    else:
        print("\n".join(f"WRONG {what}" for what in fuzz.wrong) or "nothing has grown")
    return 1 if fuzz.wrong else 0


class Fuzz:
    """One run against one server."""

    def __init__(self, server: ServerProcess, *, quiet: bool) -> None:
        self._server = server
        self._quiet = quiet
        self._port = int(server.address.rpartition(":")[2])
        self.answers: Counter[int] = Counter()
        self.wrong: list[str] = []

    def send_requests(self, count: int, seed: int) -> None:
        """Send requests that must all be refused as the client's fault."""
        supply = bad_requests(seed)
        token = self._server.token()
        self._send(supply, token, min(count, WARM_UP_COUNT))
        before = self._settled()
        left = count - min(count, WARM_UP_COUNT)
        start_s = time.monotonic()
        while left > 0:
            self._send(supply, token, min(left, BATCH))
            left -= min(left, BATCH)
            self._say(f"{self.answers.total():8} bad requests: {figures_of(self._server.pid)}")
        took_s = time.monotonic() - start_s
        self._compare(f"{count} bad requests in {took_s:.0f} s", before)

    def disturb(self, count: int) -> None:
        """Open connections that say something odd."""
        for number in range(count // 4):
            disturb(self._port, number)
        before = self._settled()
        for number in range(count // 4, count):
            disturb(self._port, number)
        self._compare(f"{count} broken connections", before)

    def open_connections(self, count: int) -> None:
        """Fill the server with connections that do nothing; one more must be refused in words."""
        before = self._settled()
        # The allocator keeps what so many take; the second time must not take more than the first.
        full = [self._fill(count) for _ in range(2)]
        grown_kib = full[1].memory_kib - full[0].memory_kib
        if grown_kib > MEMORY_GROWTH_MAX_KIB:
            self.wrong.append(f"{count} connections take {grown_kib} KiB more the second time")
        self._await_files(f"{count} idle connections", before)

    def _fill(self, count: int) -> Figures:
        with contextlib.ExitStack() as stack:
            start_s = time.monotonic()
            clients = []
            for _ in range(count):
                client = stack.enter_context(RawHttp(self._port))
                clients.append(client)
                if client.request("GET", LIVE).answer()[0] != 200:
                    self.wrong.append("a connection within the limit was refused")
                    break
            took_s = time.monotonic() - start_s
            full = figures_of(self._server.pid)
            self._say(f"{count} idle connections in {took_s:.0f} s: {full}")
            with RawHttp(self._port) as refused:
                status, headers, body = refused.request("GET", LIVE).answer()
            if status != 503 or "retry-after" not in headers or b"connection_count" not in body:
                self.wrong.append(f"beyond the limit: {status} {headers} {body!r}")
            # Those that are there are served.
            if clients[0].request("GET", LIVE).answer()[0] != 200:
                self.wrong.append("a full server no longer serves its clients")
        self._wait(self._is_served, "no room again after the idle connections were closed")
        return full

    def end(self) -> None:
        """Stop the server and look at what it has printed."""
        status = self._server.terminate()
        if status != 0:
            self.wrong.append(f"the server ended with {status}")
        for text in ("Traceback", " ERROR "):
            if text in self._server.log:
                self.wrong.append(f"{text.strip()} in the server's log:\n{self._server.log}")

    def _send(self, supply: Iterator[BadRequest], token: str, count: int) -> None:
        with RawHttp(self._port) as client:
            for bad in itertools.islice(supply, count):
                self.answers[send_bad(client, token, bad)] += 1

    def _is_served(self) -> bool:
        with contextlib.suppress(OSError, IndexError), RawHttp(self._port) as client:
            return client.request("GET", LIVE).answer()[0] == 200
        return False

    def _settled(self) -> Figures:
        """Wait until what was only passing is gone."""
        threading.Event().wait(SETTLE_S)
        return figures_of(self._server.pid)

    def _compare(self, what: str, before: Figures) -> None:
        self._await_files(what, before)
        after = self._settled()
        grown_kib = after.memory_kib - before.memory_kib
        self._say(f"{what}: {before} -> {after}")
        if grown_kib > MEMORY_GROWTH_MAX_KIB:
            self.wrong.append(f"{what}: the memory has grown by {grown_kib} KiB")

    def _await_files(self, what: str, before: Figures) -> None:
        self._wait(lambda: self._files_are_back(before), f"{what}: files or threads stay open")

    def _files_are_back(self, before: Figures) -> bool:
        now = figures_of(self._server.pid)
        return now.files <= before.files and now.threads <= before.threads

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        end_s = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end_s:
                self.wrong.append(otherwise)
                return
            threading.Event().wait(SETTLE_S / 10)

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, flush=True)


def _allow_files(connections: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 100
    if hard != resource.RLIM_INFINITY and hard < 2 * connections:
        raise SystemExit(
            f"the system allows {hard} open files (ulimit -Hn); with --connections {hard // 2} it fits"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
