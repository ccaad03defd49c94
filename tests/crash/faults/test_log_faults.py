"""Faults below the log: what was acknowledged stays, nothing is torn, and it goes on afterwards."""

import pytest

from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from tests.crash.faults.conftest import FaultyVictim
from tests.crash.faults.shim import Fault
from tests.crash.faults.victim import EVENTS_PER_STREAM, STREAMS

BATCH = EVENTS_PER_STREAM * len(STREAMS)
CALLS_MAX = 12


def read_by_another_process(victim: FaultyVictim) -> int:
    """Return how many records somebody else sees; all of them hold."""
    log = LmdbEventLog(victim.data_dir / "log", readonly=True)
    try:
        count = sum(1 for _ in log.read_all())
        assert log.check_chain() == log.head()
    finally:
        log.close()
    return count


@pytest.mark.parametrize("size", [10, 20_000], ids=["small", "large"])
@pytest.mark.parametrize(
    "kind", [Fault.FAIL_WRITE, Fault.FAIL_SYNC, Fault.FULL_DISK, Fault.SHORT_WRITE]
)
def test_a_fault_at_any_call_of_an_append_loses_nothing(
    victim: FaultyVictim, kind: Fault, size: int
) -> None:
    known = victim.do("append", size=size)["position"]
    for skip in range(CALLS_MAX):
        before = victim.faults.strike_count
        victim.faults.strike(kind, skip=skip, once=True)
        answer = victim.do("append", size=size)
        victim.faults.heal()
        if victim.faults.strike_count == before:
            assert answer["position"] == known + BATCH
            break
        assert answer["error"] in {"log", "storage_full"}, answer
        # In the same process, as the writer does it, and for anybody else.
        found = victim.do("check")["position"]
        assert found in {known, known + BATCH}
        assert read_by_another_process(victim) == found
        known = victim.do("append", size=size)["position"]
        assert known == found + BATCH
        assert victim.do("reopen")["position"] == known
    else:
        pytest.fail("the fault struck at every call; there are more than expected")


def test_a_full_disk_refuses_until_there_is_room_again(victim: FaultyVictim) -> None:
    known = victim.do("append")["position"]
    victim.faults.strike(Fault.FULL_DISK)
    for _ in range(5):
        answer = victim.do("append")
        assert answer["error"] == "storage_full"
        assert "free some space" in answer["message"]
        assert victim.do("check")["position"] == known
    victim.faults.heal()
    assert victim.do("append")["position"] == known + BATCH


def test_a_disk_that_fails_for_a_while_is_used_again(victim: FaultyVictim) -> None:
    known = victim.do("append")["position"]
    for kind in (Fault.FAIL_WRITE, Fault.FAIL_SYNC):
        victim.faults.strike(kind)
        for _ in range(3):
            assert victim.do("append")["error"] == "log"
        victim.faults.heal()
        known += BATCH
        assert victim.do("append")["position"] == known


def test_a_slow_disk_only_takes_longer(victim: FaultyVictim) -> None:
    victim.faults.strike(Fault.SLOW_SYNC, delay_us=50_000)
    for count in range(1, 4):
        assert victim.do("append")["position"] == count * BATCH
    assert victim.faults.strike_count >= 3


def test_every_append_is_written_and_synced(victim: FaultyVictim) -> None:
    victim.do("append")
    before = victim.faults.call_count
    victim.do("append")
    # The pages, one sync, and the meta page by a file that is synced with every write.
    assert victim.faults.call_count - before >= 3
