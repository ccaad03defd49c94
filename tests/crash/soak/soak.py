"""Many clients, one server, and somebody who kills it at random moments."""

import json
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.crash.faults.powercut import PowerCut
from tests.crash.soak.cluster_worker import ClusterWorker, Dataset
from tests.crash.soak.upload_worker import UploadWorker
from tests.crash.soak.worker import Ledger, Worker
from tests.journey import Journey, write_idx
from tests.server import ServerProcess

__all__ = ["Report", "Soak"]

ROOT = Path(__file__).parents[3]
ROWS = (300, 130)
LIFE_S = (0.2, 2.5)
TERM_SHARE = 0.2
END_TIMEOUT_S = 300.0


@dataclass
class Report:
    """What came of it."""

    seed: int
    kills: int
    terminations: int
    taken_back: int
    acknowledged: int
    unknown: int
    checked: int
    lost: list[str]
    verified: dict[str, Any]

    def __str__(self) -> str:
        shown = {**asdict(self), "lost": len(self.lost)}
        lines = [f"{name}: {value}" for name, value in shown.items()]
        return "\n".join([*lines, *(f"LOST {text}" for text in self.lost)])


class Soak:
    """A run on a new data directory.

    Parameters
    ----------
    data_dir : Path
    seed : int
        Of all choices; the moments of threads are still their own.
    flags : str
        Settings of the server.
    power_cut : bool
        Every kill also takes back all that was not synced.
    """

    def __init__(
        self,
        data_dir: Path,
        seed: int,
        *flags: str,
        cluster_workers: int = 3,
        upload_workers: int = 1,
        power_cut: bool = False,
    ) -> None:
        self._power = PowerCut(data_dir, data_dir.with_name("journal")) if power_cut else None
        environ = self._power.environ if self._power else {}
        flags = ("--snapshot-interval-s", "0.3", *flags)
        self.server = ServerProcess(data_dir, *flags, environ=environ)
        self.ledger = Ledger()
        self._seed = seed
        self._source = random.Random(seed)
        self._counts = (cluster_workers, upload_workers)
        self._workers: list[Worker] = []
        self._kills = self._terminations = self._taken_back = 0
        self._pause = threading.Event()

    def run(self, *, kills: int = 0, seconds: float = 0.0) -> Report:
        """Kill so often, or so long; then compare, stop in an orderly way and verify."""
        self.server.start()
        try:
            self._make_workers()
            self._open_gates()
            for worker in self._workers:
                worker.start()
            deadline = time.monotonic() + seconds
            while self._kills + self._terminations < kills or time.monotonic() < deadline:
                self._pause.wait(self._source.uniform(*LIFE_S))
                self._end_a_life()
            self._end()
            self.server.terminate()
        finally:
            self.server.stop()
        return self._report()

    def remove(self) -> None:
        """Remove the directory around the data directory, which is the run's own."""
        shutil.rmtree(self.server.data_dir.parent)

    def _end_a_life(self) -> None:
        for worker in self._workers:
            worker.is_up.clear()
        if self._source.random() < TERM_SHARE:
            self._terminations += 1
            self.server.terminate()
            self.server.close()
        else:
            self._kills += 1
            self.server.kill()
            self.server.close()
            if self._power is not None:
                self._taken_back += self._power.strike()
        self.server.start(wait_until_ready=False)
        self._open_gates()

    def _open_gates(self) -> None:
        for worker in self._workers:
            worker.is_up.set()

    def _make_workers(self) -> None:
        journey = Journey(self.server)
        datasets = []
        for number, row_count in enumerate(ROWS):
            files = write_idx(self.server.data_dir, row_count, seed=number)
            uuid = journey.upload(*files, f"data-{number}")
            for file in files:
                file.unlink()
            datasets.append(Dataset(uuid, row_count))
        clusters, uploads = self._counts
        common = (self.server, journey.token, self.ledger)
        self._workers += [
            ClusterWorker(f"cluster-{number}", *common, datasets) for number in range(clusters)
        ]
        self._workers += [UploadWorker(f"upload-{number}", *common) for number in range(uploads)]
        for worker in self._workers:
            worker.seed(self._seed)

    def _end(self) -> None:
        for worker in self._workers:
            worker.ending.set()
        deadline = time.monotonic() + END_TIMEOUT_S
        for worker in self._workers:
            if not worker.join(max(0.0, deadline - time.monotonic())):
                self.ledger.report(f"{worker.name} did not come to an end")

    def _report(self) -> Report:
        ledger = self.ledger
        verified = verify(self.server.data_dir)
        if not verified["holds"]:
            ledger.report(f"verify found {verified['findings']}")
        return Report(
            seed=self._seed,
            kills=self._kills,
            terminations=self._terminations,
            taken_back=self._taken_back,
            acknowledged=ledger.acknowledged,
            unknown=ledger.unknown,
            checked=ledger.checked,
            lost=ledger.lost,
            verified={name: value for name, value in verified.items() if name != "findings"},
        )


def verify(data_dir: Path) -> dict[str, Any]:
    """Run ``hanami-log verify --recompute`` and return what it says."""
    command = [sys.executable, "-m", "hanami_actors.logtool.cli", "--data-dir", str(data_dir)]
    done = subprocess.run(
        [*command, "verify", "--recompute", "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode in {0, 1}, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown
