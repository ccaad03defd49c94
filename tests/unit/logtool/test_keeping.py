"""The whole directory: verify finds what does not hold, stats say why, backups are whole."""

import shutil
import stat
import subprocess
import sys
import threading

import lmdb
import pytest

from hanami_actors.domain.audit.events import CallMade
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.dataset.events import DatasetDeleted
from hanami_actors.eventlog.journal import Journal
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.types import StreamId, StreamVersion, TimestampUs
from tests.unit.domain.builders import uuid
from tests.unit.logtool.conftest import CLUSTER, DATASET, user_created


def contents(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "lock.mdb"
    }


def test_verify_says_what_holds_and_changes_nothing(hanami_log, data):
    before = contents(data.path)
    run = hanami_log("verify")
    assert run.code == 0
    assert run.lines[0].startswith("15 records hold")
    assert contents(data.path) == before
    report = hanami_log("verify", "--json").json
    assert report == {
        "blobs": 2, "findings": [], "holds": True, "records": 15, "snapshots": 1, "streams": 6,
    }  # fmt: skip


def test_verify_names_the_record_that_was_changed(hanami_log, data):
    path = data.directory.log / "data.mdb"
    raw = path.read_bytes()
    assert raw.count(b"bert") > 0
    path.write_bytes(raw.replace(b"\xa4bert\xa4", b"\xa4bent\xa4"))
    run = hanami_log("verify")
    assert run.code == 1
    assert "record 2" in run.out
    (finding,) = hanami_log("verify", "--json").json["findings"]
    assert (finding["what"], finding["where"]) == ("log", "record 2")


def test_verify_names_the_record_that_cannot_be_applied(hanami_log, data):
    data.append(DATASET, DatasetDeleted())
    data.append("user/carl", user_created("carl"))
    data.append(DATASET, DatasetDeleted())
    run = hanami_log("verify")
    assert run.code == 1
    assert "dataset.deleted at position 18" in run.out


def test_verify_finds_an_index_that_does_not_fit(hanami_log, data):
    with lmdb.open(str(data.directory.log), map_size=2**24, max_dbs=16, lib_version=0) as env:
        streams = env.open_db(b"streams", create=False)
        with env.begin(write=True, db=streams) as txn:
            key = CLUSTER.encode() + b"\0" + (2).to_bytes(8, "big")
            txn.put(key, (1).to_bytes(8, "big"))
    run = hanami_log("verify")
    assert run.code == 1
    assert f"the index of streams says '{CLUSTER}' version 2" in run.out


def test_verify_finds_damaged_and_missing_blobs_and_says_who_needs_them(hanami_log, data):
    kept, unneeded = (
        data.blobs.path(digest) for digest in sorted(data.blobs.iterate(), key=is_of_b(data))
    )
    unneeded.unlink()
    assert hanami_log("verify").code == 0
    kept.chmod(0o600)
    kept.write_bytes(b"x" * 40)
    run = hanami_log("verify")
    assert run.code == 1
    assert "damaged: its bytes have digest" in run.out
    assert f"(named by {CLUSTER}, {DATASET})" in run.out
    kept.unlink()
    run = hanami_log("verify")
    assert run.code == 1
    assert "is not in" in run.out
    assert hanami_log("verify", "--fast").code == 0


def is_of_b(data):
    return lambda digest: data.blobs.path(digest).read_bytes().startswith(b"b")


def test_verify_finds_a_damaged_snapshot(hanami_log, data):
    (path,) = [path for path in data.directory.snapshots.rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:-1])
    run = hanami_log("verify")
    assert run.code == 1
    assert "only a cache" in run.out


def test_stats_say_what_uses_how_much_and_why(hanami_log, data):
    usage = hanami_log("stats", "--json").json
    assert usage["record_count"] == 15
    assert {use["tag"]: use["record_count"] for use in usage["tags"]}["user.created"] == 2
    assert [(use["kept_by"], use["size_bytes"]) for use in usage["blobs"]] == [
        ("cluster and dataset", 40), ("named by nothing that lives", 40),
    ]  # fmt: skip
    (snapshots,) = usage["snapshots"]
    assert (snapshots["name"], snapshots["removable_bytes"]) == ("digits", 0)
    assert snapshots["kept_by"].startswith("the cluster lives")
    assert dict(usage["other"])["uploads"] < 100_000
    # What the fixture stored is young; with no grace it is not.
    removable = [use["removable_bytes"] for use in usage["blobs"]]
    assert removable == [0, 0]
    usage = hanami_log("stats", "--grace-s", "0", "--json").json
    assert [use["removable_bytes"] for use in usage["blobs"]] == [0, 40]
    lines = hanami_log("stats").lines
    assert lines[0].startswith("log: 15 records in 6 streams")
    assert any(line.startswith("user.created\t2\t") for line in lines)


def test_a_backup_is_whole_and_private_and_can_be_looked_at(hanami_log, data, tmp_path):
    target = tmp_path / "copies" / "monday"
    report = hanami_log("backup", target, "--json")
    assert report.code == 0
    assert (report.json["position"], report.json["blob_count"]) == (15, 2)
    assert hanami_log("list", data_dir=target).out == hanami_log("list").out
    assert hanami_log("verify", data_dir=target).code == 0
    for path in [target, *target.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    original, copy = data.path / "uploads" / uuid(30), target / "uploads" / uuid(30)
    assert copy.read_bytes() == original.read_bytes()
    assert copy.stat().st_blocks * 512 < 100_000
    assert (target / "token.key").read_bytes() == b"k" * 32
    # What was copied can be written on: it is a data directory like any other.
    LmdbEventLog(target / "log").close()


def test_a_backup_never_writes_over_something(hanami_log, tmp_path):
    target = tmp_path / "copy"
    assert hanami_log("backup", target).code == 0
    before = contents(target)
    again = hanami_log("backup", target)
    assert again.code == 3
    assert "is there already" in again.err
    assert contents(target) == before
    (tmp_path / "other.partial").mkdir()
    assert "did not end" in hanami_log("backup", tmp_path / "other").err


def test_a_backup_of_a_directory_that_lacks_a_blob_says_so(hanami_log, data, tmp_path):
    digest = next(iter(sorted(data.blobs.iterate(), key=is_of_b(data))))
    data.blobs.delete(digest)
    run = hanami_log("backup", tmp_path / "copy")
    assert run.code == 1
    assert digest in run.out


def test_a_backup_while_the_log_grows_is_a_state_it_had(hanami_log, data, tmp_path):
    stop = threading.Event()

    def grow() -> None:
        number = 0
        while not stop.is_set():
            data.append(f"user/u{number}", user_created(f"u{number}"))
            number += 1

    # The writer opens the log in this process, so the copy is made in another one.
    thread = threading.Thread(target=grow)
    thread.start()
    try:
        run_backup(data.path, tmp_path / "copy")
    finally:
        stop.set()
        thread.join()
    run = hanami_log("verify", "--json", data_dir=tmp_path / "copy")
    assert run.json["holds"]
    assert 15 <= run.json["records"] <= len(hanami_log("list").lines)


def run_backup(source, target):
    command = [sys.executable, "-m", "hanami_actors.logtool.cli", "--data-dir", source]
    subprocess.run([*command, "backup", target], check=True, capture_output=True)


@pytest.mark.parametrize(
    "words", [["list"], ["verify"], ["stats"], ["state", "x"], ["backup", "b"]]
)
def test_a_directory_without_a_log_is_a_sentence(hanami_log, tmp_path, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nowhere = tmp_path / "nowhere"
    run = hanami_log(*words, data_dir=nowhere)
    assert run.code == 3
    assert run.err.startswith("hanami-log: ")
    assert not nowhere.exists()
    assert not (tmp_path / "b").exists()


def test_a_copy_that_may_not_be_written_is_read(hanami_log, data, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(data.path, copy)
    for path in [*copy.rglob("*"), copy]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    (copy / "log").chmod(0o700)
    (copy / "log" / "lock.mdb").unlink()
    (copy / "log").chmod(0o500)
    try:
        assert hanami_log("verify", data_dir=copy).code == 0
        assert not (copy / "log" / "lock.mdb").exists()
    finally:
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o700)


@pytest.fixture
def journal(data):
    """A journal with two notes, closed."""
    made = Journal(data.path / "audit", retention_us=10**15, size_max_bytes=2**20)
    event = CallMade(endpoint="v1/cluster", request_type="POST")
    stamp = Stamp(now_us=TimestampUs(5), who=Who(user_id="alice", project_id="lab"))
    append = Append(
        stream=StreamId("audit/alice"), expected_version=StreamVersion(0), events=(event, event)
    )
    made.append([Batch(appends=(append,), stamp=stamp)])
    made.close()
    return data.path / "audit" / "00000001"


def test_journals_are_verified_and_backed_up_too(hanami_log, journal, tmp_path):
    assert hanami_log("verify").code == 0
    assert hanami_log("backup", tmp_path / "copy").code == 0
    copy = Journal(tmp_path / "copy" / "audit", retention_us=10**15, size_max_bytes=2**20)
    assert [record.version for record in copy.records()] == [1, 2]
    copy.close()
    assert dict(hanami_log("stats", "--json").json["other"])["audit"] > 0
    path = journal / "data.mdb"
    path.write_bytes(path.read_bytes().replace(b"v1/cluster", b"v1/closter"))
    run = hanami_log("verify", "--json")
    assert run.code == 1
    assert [finding["what"] for finding in run.json["findings"]] == ["journal"]
