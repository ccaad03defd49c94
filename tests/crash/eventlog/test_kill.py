"""A writer is killed at a random moment: what it acknowledged is there, and nothing is torn."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from hanami_actors.domain.cluster.events import CyclesTrained
from hanami_actors.eventlog.port import Record
from hanami_actors.types import StreamId
from tests.crash.eventlog.appender import STREAMS, events_per_stream
from tests.unit.eventlog.builders import open_log

ROUND_COUNT = int(os.environ.get("HANAMI_KILL_ROUNDS", "6"))
SEED = int(os.environ.get("HANAMI_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


def run_and_kill(path: Path, first_number: int, group_count: int, spin_count: int) -> int:
    """Kill an appender some time after its n-th acknowledgement; return the last number it gave."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.eventlog.appender", str(path), str(first_number)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    acknowledged = first_number
    with child:
        assert child.stdout is not None
        for _ in range(group_count):
            acknowledged = int(child.stdout.readline())
        # A few microseconds of work move the kill to another place within the next append.
        for _ in range(spin_count):
            pass
        child.send_signal(signal.SIGKILL)
        for line in child.stdout:
            if line.endswith("\n"):
                acknowledged = int(line)
    assert child.returncode == -signal.SIGKILL
    return acknowledged


def numbers_of_whole_batches(records: list[Record]) -> list[int]:
    """Return the batch numbers in order, having checked that each batch is complete."""
    numbers: list[int] = []
    rest = records
    while rest:
        assert isinstance(rest[0].event, CyclesTrained)
        number = int(rest[0].event.task_uuid)
        count = events_per_stream(number)
        whole, rest = rest[: 2 * count], rest[2 * count :]
        assert [
            (record.stream, record.event.task_uuid, record.event.cycle)
            for record in whole
            if isinstance(record.event, CyclesTrained)
        ] == [(stream, f"{number}", cycle) for stream in STREAMS for cycle in range(count)]
        numbers.append(number)
    return numbers


def test_what_was_acknowledged_survives_sigkill_and_nothing_is_torn(tmp_path: Path) -> None:
    print(f"seed {SEED}: rerun with HANAMI_SEED={SEED}")
    source = random.Random(SEED)
    path = tmp_path / "log"
    recovered = 0
    for round_number in range(ROUND_COUNT):
        group_count, spin_count = source.randint(1, 60), source.randint(0, 50_000)
        acknowledged = run_and_kill(path, recovered, group_count, spin_count)
        log = open_log(path)
        try:
            records = list(log.read_all())
            numbers = numbers_of_whole_batches(records)
            print(f"round {round_number}: acknowledged {acknowledged}, recovered {len(numbers)}")
            assert [record.position for record in records] == list(range(1, len(records) + 1))
            assert numbers == list(range(len(numbers)))
            assert acknowledged <= len(numbers) <= acknowledged + 3
            assert len(numbers) % 3 == 0
            assert log.check_chain() == log.head()
            assert log.head().position == len(records)
            for stream in STREAMS:
                assert [record.version for record in log.read_stream(StreamId(stream))] == list(
                    range(1, len(records) // 2 + 1)
                )
        finally:
            log.close()
        recovered = len(numbers)
