"""Loss of power: what was acknowledged is there although everything unsynced has gone."""

from pathlib import Path

import pytest

from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.types import Digest, StreamId
from tests.crash.faults.conftest import DrivenVictim
from tests.crash.faults.powercut import PowerCut, compiled_powercut


@pytest.fixture
def power(tmp_path: Path) -> PowerCut:
    if compiled_powercut() is None:
        pytest.skip("there is no C compiler for the shim that remembers what is not synced")
    return PowerCut(tmp_path / "data", tmp_path / "journal")


def records_of(path: Path) -> int:
    log = LmdbEventLog(path / "log", readonly=True)
    try:
        assert log.check_chain() == log.head()
        return sum(1 for _ in log.read_all())
    finally:
        log.close()


def test_every_acknowledged_append_survives_a_loss_of_power(
    power: PowerCut, tmp_path: Path
) -> None:
    position = 0
    for _ in range(4):
        victim = DrivenVictim(tmp_path / "data", power.environ)
        for size in (1, 300, 9_000):
            position = victim.do("append", size=size)["position"]
        victim.close()
        power.strike()
        assert records_of(tmp_path / "data") == position


def test_the_cut_takes_back_what_is_not_synced(power: PowerCut, tmp_path: Path) -> None:
    victim = DrivenVictim(tmp_path / "data", power.environ)
    position = victim.do("append")["position"]
    victim.close()
    power.strike()
    victim = DrivenVictim(tmp_path / "data", power.environ, "--no-sync")
    for _ in range(5):
        assert victim.do("append")["position"] > position
    victim.close()
    assert records_of(tmp_path / "data") > position
    assert power.strike() > 0
    assert records_of(tmp_path / "data") == position


def test_stored_blobs_and_snapshots_survive_a_loss_of_power(
    power: PowerCut, tmp_path: Path
) -> None:
    victim = DrivenVictim(tmp_path / "data", power.environ)
    digests = [victim.do("put_blob", text=f"blob {number} ")["digest"] for number in range(5)]
    for number in range(3):
        victim.do("put_snapshot", name="one", text=f"snapshot {number}")
    victim.close()
    power.strike()
    blobs = BlobStore(tmp_path / "data" / "blobs", readonly=True)
    for digest in digests:
        blobs.check(Digest(digest))
    snapshots = SnapshotStore(tmp_path / "data" / "snapshots", readonly=True)
    payload = snapshots.load(StreamId("cluster/a"), "one")
    assert payload == b"snapshot 2" * 1000
