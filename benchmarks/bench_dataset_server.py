"""Datasets through a running server: how fast, and what other requests notice of it.

Usage: ``scripts/bench dataset_server [--megabytes N]``. A server on loopback in a new directory; one
client uploads, imports, downloads and compares, while another asks ``GET cluster/all`` on one
keep-alive connection with a small pause between. Latencies are shown with nothing else going on
first; the machine's own noise is in all of them.
"""

import argparse
import asyncio
import http.client
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.bench_datasets import csv_texts
from hanami_sdk import dataset
from tests.server import ServerProcess

PAUSE_S = 0.002
READ_BYTES = 1024 * 1024
ALONE_S = 3.0


class Prober:
    """Asks for a list again and again from a thread and notes how long each answer takes."""

    def __init__(self, address: str, token: str) -> None:
        self._place = urlsplit(address)
        self._headers = {"X-Auth-Token": token}
        self._stop = threading.Event()
        self._times_ms: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Prober":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def shown(self) -> str:
        """Return the figures as text."""
        times_ms = np.array(self._times_ms)
        p50, p99 = np.percentile(times_ms, [50, 99])
        return f"p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  max {times_ms.max():7.2f} ms"

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port)
        while not self._stop.wait(PAUSE_S):
            start_s = time.perf_counter()
            connection.request("GET", "/v1/cluster/all", headers=self._headers)
            connection.getresponse().read()
            self._times_ms.append(1e3 * (time.perf_counter() - start_s))
        connection.close()


class Bench:
    """One server and what is done with it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.token = server.token()

    def measured(self, name: str, size_bytes: int, action: Callable[[], object]) -> None:
        """Do something while the prober asks; print both figures."""
        with Prober(self.server.address, self.token) as prober:
            start_s = time.perf_counter()
            action()
            seconds = time.perf_counter() - start_s
        rate = f"{size_bytes / 1e6 / seconds:8.1f} MB/s" if size_bytes else " " * 13
        print(f"{name:40}{rate}   others: {prober.shown()}")

    def ask(self, method: str, path: str, **values: object) -> Any:
        """Send one request; return the fields of its answer."""
        answer = self.server.request(method, f"/v1/{path}", token=self.token, json=values)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def announce(self, data: bytes) -> tuple[str, str]:
        """Announce a file; return the uuids of the dataset and the file."""
        reply = self.ask("POST", "dataset/upload/csv", name="table", input_data_size=len(data))
        return reply["uuid"], reply["uuid_input_file"]

    def send(self, uuid: str, file_uuid: str, data: bytes) -> None:
        """Send a file as the SDK does."""
        asyncio.run(dataset.send_data(self.token, self.server.address, uuid, file_uuid, data))

    def finalize(self, uuid: str, file_uuid: str) -> None:
        """Import it."""
        self.ask("PUT", "dataset/upload/csv", uuid=uuid, uuid_input_file=file_uuid)

    def table(self, kind: str, data: bytes) -> str:
        """Take a file in and out again; return the uuid of the dataset."""
        size_bytes = len(data)
        uuid, file_uuid = self.announce(data)
        self.measured(f"upload, {kind}", size_bytes, lambda: self.send(uuid, file_uuid, data))
        self.measured(f"import, {kind}", size_bytes, lambda: self.finalize(uuid, file_uuid))
        for form in ("npy", "csv"):
            query = f"download?uuid={uuid}&format={form}"
            done_bytes = self.fetch(query)
            self.measured(f"download as {form}", done_bytes, partial(self.fetch, query))
        return uuid

    def fetch(self, query: str) -> int:
        """Download and throw away; return the number of bytes."""
        place = urlsplit(self.server.address)
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        headers = {"X-Auth-Token": self.token}
        connection.request("GET", f"/v1/dataset/{query}", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        size_bytes = 0
        while block := answer.read(READ_BYTES):
            size_bytes += len(block)
        connection.close()
        return size_bytes


def main() -> None:
    """Run everything in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100, help="size of each CSV file")
    arguments = parser.parse_args()
    texts = csv_texts(arguments.megabytes * 1_000_000)
    kinds = ("six decimals, 20 columns", "pixels, 785 columns")
    with tempfile.TemporaryDirectory(prefix="hanami-bench-") as name:
        server = ServerProcess(Path(name) / "data", "--no-access-log")
        try:
            bench = Bench(server.start())
            bench.measured("nothing else", 0, lambda: time.sleep(ALONE_S))
            for uuid in [bench.table(kind, texts[kind]) for kind in kinds]:
                query = f"report?uuid={uuid}&reference_uuid={uuid}&column=c0&reference_column=c1"
                bench.measured("report of one column", 0, partial(bench.fetch, query))
        finally:
            server.close()


if __name__ == "__main__":
    main()
