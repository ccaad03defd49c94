"""Faults below blobs and snapshots: a name always means whole and right bytes."""

import pytest

from hanami_actors.eventlog.blobs import BlobStore
from tests.crash.faults.conftest import FaultyVictim
from tests.crash.faults.shim import Fault

CALLS_MAX = 8


@pytest.mark.parametrize("kind", [Fault.FAIL_WRITE, Fault.FAIL_SYNC, Fault.FULL_DISK])
def test_a_blob_is_whole_or_not_there(victim: FaultyVictim, kind: Fault) -> None:
    stored: set[str] = set()
    for skip in range(CALLS_MAX):
        before = victim.faults.strike_count
        victim.faults.strike(kind, skip=skip, once=True)
        answer = victim.do("put_blob", text=f"blob {skip} ")
        victim.faults.heal()
        if victim.faults.strike_count == before:
            assert "digest" in answer
            break
        assert answer["error"] == ("storage_full" if kind is Fault.FULL_DISK else "log")
        stored.add(victim.do("put_blob", text=f"blob {skip} ")["digest"])
    else:
        pytest.fail("the fault struck at every call; there are more than expected")
    blobs = BlobStore(victim.data_dir / "blobs", readonly=True)
    found = set(blobs.iterate())
    assert stored <= found
    for digest in found:
        blobs.check(digest)


def test_a_write_that_falls_short_is_continued(victim: FaultyVictim) -> None:
    victim.faults.strike(Fault.SHORT_WRITE)
    answer = victim.do("put_blob", text="some text ")
    victim.do("put_snapshot", name="one", text="snapshot")
    victim.faults.heal()
    assert victim.do("check_blob", digest=answer["digest"]) == {}
    assert victim.do("load_snapshot", name="one") == {"text": "snapshot"}


@pytest.mark.parametrize("kind", [Fault.FAIL_WRITE, Fault.FAIL_SYNC, Fault.FULL_DISK])
def test_a_snapshot_that_cannot_be_stored_leaves_the_older_one(
    victim: FaultyVictim, kind: Fault
) -> None:
    assert victim.do("put_snapshot", name="one", text="old") == {}
    for skip in range(CALLS_MAX):
        before = victim.faults.strike_count
        victim.faults.strike(kind, skip=skip, once=True)
        answer = victim.do("put_snapshot", name="one", text="new")
        victim.faults.heal()
        text = victim.do("load_snapshot", name="one")["text"]
        if victim.faults.strike_count == before:
            assert text == "new"
            break
        assert "error" in answer
        assert text in {"old", "new"}
        assert victim.do("put_snapshot", name="one", text="old") == {}
    else:
        pytest.fail("the fault struck at every call; there are more than expected")


def test_reads_that_fall_short_are_continued(victim: FaultyVictim) -> None:
    digest = victim.do("put_blob", text="some text ")["digest"]
    victim.do("put_snapshot", name="one", text="snapshot")
    victim.faults.strike(Fault.SHORT_READ)
    assert victim.do("check_blob", digest=digest) == {}
    assert victim.do("load_snapshot", name="one") == {"text": "snapshot"}
    assert victim.faults.strike_count > 0
