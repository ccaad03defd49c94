"""What only the log on disk does: reopening, locks, growth, room, modes, versions."""

import errno
import itertools
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import lmdb
import pytest

from hanami_actors.errors import (
    LogCorruptError,
    LogError,
    LogLockedError,
    NewerSchemaError,
    StorageFullError,
)
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.types import StreamId
from tests.unit.eventlog.builders import (
    MAP_SIZE_BYTES,
    TestCatalogue,
    append,
    batch,
    committed,
    cycles,
    open_log,
    started,
)

A = StreamId("cluster/a")
LONG = "x" * 4_000


def run_child(code: str, *arguments: object) -> str:
    """Run Python in a process of its own, as a tool beside the server would."""
    prelude = (
        "import sys\nfrom pathlib import Path\n"
        "from hanami_actors.eventlog.lmdb_log import LmdbEventLog\n"
        "from tests.unit.eventlog.builders import *\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", prelude + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "log"


def test_a_reopened_log_has_the_same_records_and_goes_on(path: Path) -> None:
    log = open_log(path, sync=True)
    records = committed(log.append([batch(append(A, 0, started(), *cycles(3)))])[0])
    head = log.head()
    log.close()
    log = open_log(path)
    assert tuple(log.read_all()) == tuple(log.read_stream(A)) == records
    assert log.head() == head == log.check_chain()
    log.append([batch(append(A, 4, started()))])
    assert log.head().position == 5
    assert log.check_chain() == log.head()
    log.close()


def test_only_the_owner_can_read_the_files(path: Path) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, started()))])
    log.close()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()}
    assert modes == dict.fromkeys(("FORMAT", "data.mdb", "lock.mdb", "writer.lock"), 0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_second_writer_is_told_who_has_the_directory(path: Path) -> None:
    log = open_log(path)
    with pytest.raises(LogLockedError, match=f"process {os.getpid()}"):
        open_log(path)
    code = (
        "from hanami_actors.errors import LogLockedError\n"
        "try: open_log(Path(sys.argv[1]))\n"
        "except LogLockedError as error: print(error)\n"
    )
    assert f"process {os.getpid()}" in run_child(code, path)
    log.close()
    open_log(path).close()


def test_a_full_disk_is_no_reason_not_to_open_a_log(path: Path, monkeypatch) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, started()))])
    log.close()

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", refuse)
    log = open_log(path)
    assert log.stream_version(A) == 1
    with pytest.raises(LogLockedError, match="process unknown"):
        open_log(path)
    log.close()


def test_another_process_reads_while_the_writer_writes_and_grows(path: Path) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, *cycles(10)))])
    code = (
        "log = LmdbEventLog(Path(sys.argv[1]), readonly=True)\n"
        "print(len(list(log.read_all())), flush=True)\n"
        "sys.stdin.readline()\n"
        "print(len(list(log.read_all())), log.check_chain().position, flush=True)\n"
    )
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\n"
            "from hanami_actors.eventlog.lmdb_log import LmdbEventLog\n" + code,
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "10\n"
        for version in range(10, 6_010, 600):
            log.append([batch(append(A, version, *cycles(600, task_uuid="x" * 400)))])
        assert log.map_size_bytes() > MAP_SIZE_BYTES
        out, _ = child.communicate("go on\n", timeout=60)
        assert out == "6010 6010\n"
    assert child.returncode == 0
    log.close()


def test_a_reader_that_was_killed_does_not_make_the_file_grow(path: Path) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, started()))])
    killed = (
        "import os, signal\n"
        "log = LmdbEventLog(Path(sys.argv[1]), readonly=True)\n"
        "with log._environment.reading():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with pytest.raises(AssertionError):
        run_child(killed, path)
    before_bytes = (path / "data.mdb").stat().st_size
    for version in range(1, 101):
        log.append([batch(append(A, version, *cycles(1)))])
    grown_bytes = (path / "data.mdb").stat().st_size - before_bytes
    log.close()
    # Without it every append took about ten new pages.
    assert grown_bytes < 100 * 4096


def test_a_copy_can_be_read_and_is_left_untouched(path: Path, tmp_path: Path) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, *cycles(10)))])
    log.close()
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(path / "data.mdb", copy)
    before = (copy / "data.mdb").read_bytes()
    reader = LmdbEventLog(copy, readonly=True)
    assert len(list(reader.read_all())) == 10
    with pytest.raises(LogError, match="reading only"):
        reader.append([batch(append(A, 10, started()))])
    reader.close()
    assert [file.name for file in copy.iterdir()] == ["data.mdb"]
    assert (copy / "data.mdb").read_bytes() == before


def test_reading_a_log_in_the_process_that_writes_it_is_refused_with_a_reason(path: Path) -> None:
    log = open_log(path)
    with pytest.raises(LogLockedError, match="already open in this process"):
        LmdbEventLog(path, readonly=True)
    log.append([batch(append(A, 0, started()))])
    log.close()


def test_a_log_of_a_newer_program_is_refused_and_left_alone(path: Path) -> None:
    newer = open_log(path, catalogue=TestCatalogue(version=9))
    newer.append([batch(append(A, 0, started()))])
    newer.close()
    before = (path / "data.mdb").read_bytes()
    for readonly in (False, True):
        with pytest.raises(NewerSchemaError, match=r"catalogue version 9.*up to 1"):
            open_log(path, readonly=readonly)
    assert (path / "data.mdb").read_bytes() == before
    open_log(path, catalogue=TestCatalogue(version=9)).close()


def test_opening_with_a_newer_program_changes_the_version_only_with_the_first_event(
    path: Path,
) -> None:
    open_log(path).close()
    newer = open_log(path, catalogue=TestCatalogue(version=2))
    newer.close()
    open_log(path).close()
    newer = open_log(path, catalogue=TestCatalogue(version=2))
    newer.append([batch(append(A, 0, started()))])
    newer.close()
    with pytest.raises(NewerSchemaError):
        open_log(path)


def test_the_map_grows_before_it_is_full(path: Path) -> None:
    log = open_log(path)
    for version in range(0, 2_000, 100):
        log.append([batch(append(A, version, *cycles(100, task_uuid=LONG)))])
    assert log.map_size_bytes() >= 8 * MAP_SIZE_BYTES
    assert log.check_chain().position == 2_000
    log.close()
    log = open_log(path)
    assert len(list(log.read_stream(A))) == 2_000
    log.append([batch(append(A, 2_000, started()))])
    log.close()


def test_the_map_grows_while_other_threads_read(path: Path) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, started()))])
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                positions = [record.position for record in log.read_all()]
                assert positions == list(range(1, len(positions) + 1))
                assert log.stream_version(A) >= len(positions)
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in range(1, 1_001, 50):
        log.append([batch(append(A, version, *cycles(50, task_uuid=LONG)))])
    done.set()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert log.map_size_bytes() > MAP_SIZE_BYTES
    log.close()


def test_a_full_map_refuses_and_tears_nothing(path: Path) -> None:
    log = open_log(path, map_size_max_bytes=MAP_SIZE_BYTES)

    def fill() -> None:
        for version in itertools.count(step=10):
            log.append([batch(append(A, version, *cycles(10, task_uuid=LONG)))])

    with pytest.raises(StorageFullError, match="map"):
        fill()
    version = int(log.stream_version(A))
    assert version > 0
    assert int(log.head().position) == version
    assert len(list(log.read_all())) == version
    with pytest.raises(StorageFullError):
        log.append([batch(append(A, version, *cycles(50, task_uuid=LONG)))])
    log.close()
    roomy = open_log(path, map_size_bytes=4 * MAP_SIZE_BYTES)
    roomy.append([batch(append(A, version, *cycles(50, task_uuid=LONG)))])
    assert roomy.check_chain().position == version + 50
    roomy.close()


def test_a_full_disk_refuses_tears_nothing_and_goes_on_when_there_is_room(path: Path) -> None:
    # A limit on the size of files is the full disk that needs no rights to make.
    code = """
import resource
from hanami_actors.errors import StorageFullError
log = open_log(Path(sys.argv[1]), sync=True)
log.append([batch(append("a", 0, *cycles(100)))])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
size = (Path(sys.argv[1]) / "data.mdb").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
version, refused = 100, 0
while refused < 5:
    try:
        log.append([batch(append("a", version, *cycles(10, task_uuid="x" * 1500)))])
        version += 10
    except StorageFullError as error:
        refused += 1
assert log.head().position == log.stream_version("a") == version
assert len(list(log.read_all())) == version
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append([batch(append("a", version, *cycles(10, task_uuid="x" * 1500)))])
assert log.check_chain().position == version + 10
log.close()
log = open_log(Path(sys.argv[1]))
assert len(list(log.read_stream("a"))) == version + 10
print("went on")
"""
    assert run_child(code, path) == "went on"


def test_foreign_files_are_refused_with_a_sentence_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.mkdir()
    (text / "data.mdb").write_bytes(b"no LMDB" * 4_000)
    foreign = tmp_path / "foreign"
    environment = lmdb.open(str(foreign), map_size=MAP_SIZE_BYTES, lib_version=0)
    with environment, environment.begin(write=True) as txn:
        txn.put(b"key", b"value")
    for directory, words in ((text, "not an event log"), (foreign, "not an event log")):
        before = (directory / "data.mdb").read_bytes()
        for readonly in (True, False):
            with pytest.raises(LogError, match=words):
                open_log(directory, readonly=readonly)
        assert (directory / "data.mdb").read_bytes() == before


def test_a_log_of_the_next_lmdb_engine_is_refused(tmp_path: Path) -> None:
    lmdb.open(str(tmp_path / "next"), map_size=MAP_SIZE_BYTES, lib_version=1).close()
    with pytest.raises(LogError, match="not an event log of this version"):
        open_log(tmp_path / "next")


def test_reading_where_no_log_is_makes_none(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no event log"):
        LmdbEventLog(tmp_path, readonly=True)
    with pytest.raises(LogError, match="no event log"):
        LmdbEventLog(tmp_path / "absent", readonly=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept_bytes", [0, 5_000, 20_000])
def test_a_file_that_was_cut_off_is_found_on_opening(path: Path, kept_bytes: int) -> None:
    log = open_log(path)
    log.append([batch(append(A, 0, *cycles(500)))])
    log.close()
    os.truncate(path / "data.mdb", kept_bytes)
    for readonly in (True, False):
        with pytest.raises(LogError, match="restore"):
            open_log(path, readonly=readonly)
    assert (path / "data.mdb").stat().st_size == kept_bytes


def test_a_file_that_vanished_is_found_on_opening(path: Path) -> None:
    open_log(path).close()
    (path / "data.mdb").unlink()
    with pytest.raises(LogCorruptError, match="has held a log"):
        open_log(path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LogError, match="file is a file and no directory"):
        open_log(tmp_path / "file" / "log")
