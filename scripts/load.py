"""Let many users work at the same time; see scripts/load."""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from load_client import Connection, Figures  # noqa: E402
from load_user import TEMPLATE, User, idx_files  # noqa: E402

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message  # noqa: E402
from tests.protocol.hostile.figures import figures_of  # noqa: E402
from tests.server import ADMIN_ID, ADMIN_PASSPHRASE, ServerProcess  # noqa: E402

SMALL = ("list", "get cluster", "get task", "read content", "who am i")
SAMPLE_S = 1.0
PROJECTS = 10
BEGIN_AT_ONCE = 8
CLIENT_SHARE = "client's share of a core"
HANAMI_LOG = "import sys; from hanami_actors.logtool.cli import main; sys.exit(main())"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the server takes at a moment."""

    at_s: float
    memory_mib: float
    threads: int
    files: int
    processor_s: float


def main(argv: Sequence[str]) -> int:
    """Return 0 when there was no error and nothing is lost."""
    parser = argparse.ArgumentParser(prog="scripts/load", description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between actions")
    parser.add_argument("--trainings", type=int, default=2, help="that go on all the time")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="hanami-load-") as folder:
        server = ServerProcess(Path(folder, "data"), "--login-failures-max", "0", "--no-access-log")
        try:
            load = Load(server.start(), arguments)
            asyncio.run(load.run())
            server.kill()
            load.check_again(server.start())
        finally:
            server.close()
    report = load.report()
    print(json.dumps(report) if arguments.json else shown(report))
    return 1 if report["errors"] or report["lost"] else 0


class Load:
    """One run."""

    def __init__(self, server: ServerProcess, arguments: argparse.Namespace) -> None:
        self._server = server
        self._arguments = arguments
        self._figures = Figures()
        port = int(server.address.rpartition(":")[2])
        self._users = [User(number, port, self._figures) for number in range(arguments.users)]
        self._admin = Connection(port, Figures())
        self._samples: list[Sample] = []
        self._lost: list[str] = []
        self._seconds = 0.0
        self._client_s = 0.0
        self._cycles = 0
        self._background: list[str] = []

    async def run(self) -> None:
        """Make the users, let them work, look what is there."""
        await self._begin()
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        end_s = start_s + self._arguments.minutes * 60
        self._cycles = -await self._cycles_of_background()
        self._client_s = -time.process_time()
        sampler = asyncio.create_task(self._sample(end_s))
        working = [user.work(end_s, self._arguments.think) for user in self._users]
        await asyncio.gather(*working)
        self._seconds = loop.time() - start_s
        await sampler
        self._client_s += time.process_time()
        self._cycles += await self._cycles_of_background()
        # What follows is no traffic.
        self._figures.stop_noting()
        for user in self._users:
            self._lost += await user.check()
            user.http.close()
        self._admin.close()

    def check_again(self, server: ServerProcess) -> None:
        """Look again after a kill, and have the directory verified."""

        async def look() -> None:
            for user in self._users:
                self._lost += [f"after the kill: {what}" for what in await user.check()]
                user.http.close()

        asyncio.run(look())
        checked = subprocess.run(
            [sys.executable, "-c", HANAMI_LOG, "--data-dir", str(server.data_dir), "verify"],
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            self._lost.append(f"hanami-log verify: {checked.stdout}{checked.stderr}")

    def report(self) -> dict[str, Any]:
        """Return everything that was measured."""
        operations = {
            name: _quantiles(values) for name, values in sorted(self._figures.durations_ms.items())
        }
        small = [ms for name in SMALL for ms in self._figures.durations_ms[name]]
        return {
            "users": self._arguments.users,
            "seconds": round(self._seconds, 1),
            "trainings": self._arguments.trainings,
            "operations": operations,
            "small requests": _quantiles(small),
            "per second": round(
                sum(row["count"] for row in operations.values()) / max(self._seconds, 1e-9), 1
            ),
            CLIENT_SHARE: round(self._client_s / max(self._seconds, 1e-9), 2),
            "cycles trained beside": self._cycles,
            "memory in quarters, mib": self._memory(),
            "mib sent": round(self._figures.bytes_sent / 2**20, 1),
            "errors": dict(self._figures.errors),
            "lost": self._lost,
            "samples": [asdict(sample) for sample in self._samples],
        }

    def _memory(self) -> list[float]:
        """Return the medians of the four quarters: the first one is the warm-up."""
        taken = [sample.memory_mib for sample in self._samples]
        size = max(1, len(taken) // 4)
        quarters = [taken[first : first + size] for first in range(0, 4 * size, size)]
        return [statistics.median(quarter) for quarter in quarters if quarter]

    async def _cycles_of_background(self) -> int:
        cycles = 0
        for uuid in self._background:
            stats = await self._admin.call("stats", "GET", f"cluster/stats?uuid={uuid}")
            cycles += stats["trained_cycles"] if stats else 0
        return cycles

    async def _begin(self) -> None:
        body = {"id": ADMIN_ID, "password": ADMIN_PASSPHRASE}
        answer = await self._admin.call("log in", "POST", "token", body)
        assert answer is not None, dict(self._admin.figures.errors)
        self._admin.token = answer["token"]
        for number in range(PROJECTS):
            project = {"id": f"load_project_{number}", "name": "Load"}
            await self._admin.call("create project", "POST", "project", project)
        for number, user in enumerate(self._users):
            new = {"id": user.id, "name": "Load User", "password": user.passphrase}
            await self._admin.call("create user", "POST", "user", new)
            assignment = {
                "id": user.id,
                "project_id": f"load_project_{number % PROJECTS}",
                "role": "member",
            }
            await self._admin.call("assign", "POST", "user/project", assignment)
        assert not self._admin.figures.errors, dict(self._admin.figures.errors)
        for first in range(0, len(self._users), BEGIN_AT_ONCE):
            batch = self._users[first : first + BEGIN_AT_ONCE]
            begun = await asyncio.gather(*(user.begin() for user in batch))
            assert all(begun), dict(self._figures.errors)
        for number in range(self._arguments.trainings):
            await self._train_for_ever(number)
        self._figures.durations_ms.clear()

    async def _train_for_ever(self, number: int) -> None:
        """Keep a core busy: the admin learns pictures of 28 x 28 all the time."""
        from load_client import Socket

        files = idx_files(2000, 28)
        body = {
            "name": "pictures",
            "input_data_size": len(files[0]),
            "label_data_size": len(files[1]),
        }
        made = await self._admin.call("announce", "POST", "dataset/upload/mnist", body)
        assert made is not None
        uuids = [made["uuid_input_file"], made["uuid_label_file"]]
        for uuid, data in zip(uuids, files, strict=True):
            socket = await Socket.open(self._admin.port, self._admin.token, "file_upload", uuid)
            await socket.ask(FileUpload_Message(position=0, data=data).SerializeToString())
            socket.close()
        end = {"uuid": made["uuid"], "uuid_input_file": uuids[0], "uuid_label_file": uuids[1]}
        await self._admin.call("finalize", "PUT", "dataset/upload/mnist", end)
        new = {"name": f"background {number}", "template": TEMPLATE}
        cluster = await self._admin.call("create", "POST", "cluster", new)
        assert cluster is not None
        self._background.append(cluster["uuid"])

        def bound(column: str) -> list[dict[str, str]]:
            return [
                {"dataset_uuid": made["uuid"], "dataset_column": column, "hexagon_name": column}
            ]

        task = {
            "name": "background",
            "cluster_uuid": cluster["uuid"],
            "inputs": bound("picture"),
            "outputs": bound("label"),
            "number_of_epochs": 1_000_000,
        }
        await self._admin.call("train", "POST", "task/train", task)
        assert not self._admin.figures.errors, dict(self._admin.figures.errors)

    async def _sample(self, end_s: float) -> None:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        while loop.time() < end_s:
            now = figures_of(self._server.pid)
            self._samples.append(
                Sample(
                    at_s=round(loop.time() - start_s, 1),
                    memory_mib=round(now.memory_kib / 1024, 1),
                    threads=now.threads,
                    files=now.files,
                    processor_s=_processor_s(self._server.pid),
                )
            )
            await asyncio.sleep(SAMPLE_S)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 2)


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"count": 0}
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else []
    at = {name: cuts[index] if cuts else values[0] for name, index in _CUTS.items()}
    rounded = {name: round(value, 2) for name, value in at.items()}
    return {"count": len(values), **rounded, "max": round(max(values), 2)}


_CUTS = {"p50": 49, "p95": 94, "p99": 98}


def shown(report: dict[str, Any]) -> str:
    """Return a report for people."""
    lines = [
        f"{report['users']} users, {report['seconds']} s, {report['trainings']} trainings beside: "
        f"{report['per second']} operations a second, {report['mib sent']} MiB sent, "
        f"{report['cycles trained beside']} cycles trained",
        f"{'milliseconds':24}{'count':>8}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}",
    ]
    rows = report["operations"] | {"all small requests": report["small requests"]}
    for name, row in rows.items():
        cells = "".join(f"{row.get(column, 0):9.1f}" for column in ("p50", "p95", "p99", "max"))
        lines.append(f"{name:24}{row['count']:8}{cells}")
    lines.append(f"client: {report[CLIENT_SHARE]} of a core")
    lines.append(f"memory in quarters, MiB: {report['memory in quarters, mib']}")
    samples = report["samples"]
    for at in sorted({0, len(samples) // 4, len(samples) // 2, len(samples) - 1}):
        if samples:
            now = samples[at]
            lines.append(
                f"after {now['at_s']:6.0f} s: {now['memory_mib']:7.1f} MiB, "
                f"{now['threads']} threads, {now['files']} files, "
                f"{now['processor_s']:.0f} s of processors"
            )
    lines += [f"ERROR {count} x {what}" for what, count in report["errors"].items()]
    lines += [f"LOST {what}" for what in report["lost"]]
    if not report["errors"] and not report["lost"]:
        lines.append("no error; everything that was acknowledged is there, also after a kill")
    return "\n".join(lines)


if __name__ == "__main__":
    started_s = time.monotonic()
    status = main(sys.argv[1:])
    print(f"took {time.monotonic() - started_s:.0f} s", file=sys.stderr)
    raise SystemExit(status)
