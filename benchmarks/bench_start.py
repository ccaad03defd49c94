"""Measure how a server starts on a long log: time until ready, memory, waking of clusters.

scripts/bench start [--events N] [--clusters N] [--dir DIR] [--json] [--docs]

A log of so many events in so many clusters is made, a server is started on it three times: with no
stored tables (it folds everything), with those it stored at its stop, and after a kill.
"""

import argparse
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from demo import memory_bytes

from benchmarks.server_figures import Row, add_options, report
from hanami_actors.domain.base import Event, Stamp, Who
from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    CyclesTrained,
    Task,
    TaskFinished,
    TaskQueued,
    TaskStarted,
)
from hanami_actors.domain.cluster.template_parser import (
    default_template,
    parse_template,
)
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.types import StreamId, StreamVersion, TimestampUs
from tests.server import ADMIN_ID, ServerProcess

TEMPLATE = parse_template(default_template())
TASK_EVENTS = 12
WOKEN_COUNT = 200
BATCHES_AT_ONCE = 50


def main(argv: Sequence[str]) -> int:
    """Return 0; a missed target is shown, not punished."""
    parser = argparse.ArgumentParser(prog="scripts/bench start", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--clusters", type=int, default=10_000)
    parser.add_argument("--dir", type=Path, help="where to write")
    add_options(parser)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-bench-", dir=options.dir) as name:
        rows = measure(Path(name), options.events, options.clusters)
    report("start", rows, options)
    return 0


def measure(directory: Path, event_count: int, cluster_count: int) -> list[Row]:
    """Return all figures."""
    rows: list[Row] = []
    empty = ServerProcess(directory / "empty")
    empty.start()
    empty.terminate()
    empty.close()
    begin = time.perf_counter()
    empty.start()
    rows.append(Row(name="ready, empty log", value=time.perf_counter() - begin, unit="s"))
    empty_bytes = memory_bytes(empty.pid)[0]
    empty.stop()

    data_dir = directory / "data"
    # The first start makes the host and the administrator; clusters need the host's uuid.
    server = ServerProcess(data_dir)
    server.start()
    host_uuid = _host_uuid(server)
    server.terminate()
    server.close()
    seconds, streams = make_log(data_dir, event_count, cluster_count, host_uuid)
    rows.append(Row(name=f"making a log of {event_count:,} events", value=seconds, unit="s"))

    cases = (
        ("ready, everything folded", None, "terminate"),
        ("ready, tables from the disk", 3.0, "kill"),
        ("ready, after a kill", 3.0, "terminate"),
    )
    for what, target, end in cases:
        begin = time.perf_counter()
        server.start()
        rows.append(Row(name=what, value=time.perf_counter() - begin, unit="s", at_most=target))
        if end == "kill":
            rows += _memory(server, empty_bytes, cluster_count)
            rows += _waking(server, streams)
            server.kill()
        else:
            server.terminate()
            server.close()
    return rows


def make_log(
    data_dir: Path, event_count: int, cluster_count: int, host_uuid: str
) -> tuple[float, list[str]]:
    """Append ended tasks to new clusters until there are so many events; return seconds and uuids."""
    begin = time.perf_counter()
    log = LmdbEventLog(DataDirectory(data_dir).log, sync=False)
    stamp = Stamp(
        now_us=TimestampUs(1_700_000_000_000_000),
        who=Who(user_id=ADMIN_ID, project_id="admin"),
        correlation_id="00000000-0000-4000-8000-000000000002",
    )
    per_cluster = max(1, event_count // cluster_count - 1)
    uuids = [f"10000000-0000-4000-8000-{number:012x}" for number in range(cluster_count)]
    batches: list[Batch] = []
    for number, uuid in enumerate(uuids):
        events = (_created(uuid, number, host_uuid), *_tasks(number, per_cluster))
        append = Append(
            stream=StreamId(f"cluster/{uuid}"), expected_version=StreamVersion(0), events=events
        )
        batches.append(Batch(appends=(append,), stamp=stamp))
        if len(batches) == BATCHES_AT_ONCE:
            log.append(batches)
            batches = []
    log.append(batches)
    log.close()
    return time.perf_counter() - begin, uuids


def _created(uuid: str, number: int, host_uuid: str) -> ClusterCreated:
    return ClusterCreated(
        uuid=uuid,
        name=f"cluster-{number}",
        owner_id=ADMIN_ID,
        project_id="admin",
        template_text=default_template(),
        template=TEMPLATE,
        seed=number,
        host_uuid=host_uuid,
    )


def _tasks(number: int, count: int) -> list[Event]:
    """Return so many events of tasks; the last one has ended."""
    events: list[Event] = []
    while len(events) < count:
        size = min(TASK_EVENTS, count - len(events))
        if size < 4:
            size += TASK_EVENTS
        task = Task(
            uuid=f"2{len(events):07x}-0000-4000-8000-{number:012x}",
            kind="request",
            name="task",
            row_count=1_000_000,
            user_id=ADMIN_ID,
            project_id="admin",
        )
        events.append(TaskQueued(task=task))
        events.append(TaskStarted(task_uuid=task.uuid, kernel_version=1))
        events += [CyclesTrained(task_uuid=task.uuid, cycle=cycle) for cycle in range(1, size - 2)]
        events.append(TaskFinished(task_uuid=task.uuid, cycle=1_000_000, digest="0" * 64))
    return events


def _memory(server: ServerProcess, empty_bytes: int, cluster_count: int) -> list[Row]:
    used = memory_bytes(server.pid)[0]
    return [
        Row(name="memory with all clusters asleep", value=used / 2**20, unit="MiB"),
        Row(
            name="memory per sleeping cluster",
            value=(used - empty_bytes) / cluster_count / 1024,
            unit="KiB",
            at_most=1.0,
        ),
    ]


def _waking(server: ServerProcess, uuids: list[str]) -> list[Row]:
    """Ask clusters that sleep, one after the other, for their tasks."""
    token = server.token()
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    times_ms: list[float] = []
    for uuid in uuids[:: max(1, len(uuids) // WOKEN_COUNT)]:
        begin = time.perf_counter()
        connection.request(
            "GET", f"/v1.0alpha/task/all?cluster_uuid={uuid}", headers={"X-Auth-Token": token}
        )
        answer = connection.getresponse()
        answer.read()
        times_ms.append((time.perf_counter() - begin) * 1e3)
        assert answer.status == 200, answer.status
    connection.close()
    return [
        Row(
            name="waking a cluster, median",
            value=statistics.median(times_ms),
            unit="ms",
            at_most=20,
        ),
        Row(name="waking a cluster, 99 %", value=sorted(times_ms)[-2], unit="ms", at_most=20),
    ]


def _host_uuid(server: ServerProcess) -> str:
    answer = server.request("GET", "/v1.0alpha/host/all", token=server.token())
    body = answer.json()
    return str(body["body"][0][body["header"].index("uuid")])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
