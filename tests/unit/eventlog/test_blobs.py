"""Files named by their digest."""

import hashlib
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hanami_actors.errors import BlobMissingError, FaultError, LogError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.types import Digest

CONTENT = bytes(range(256)) * 5_000
DIGEST = Digest(hashlib.blake2b(CONTENT, digest_size=32).hexdigest())
ABSENT = Digest("0" * 64)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def files_of(store: BlobStore) -> list[Path]:
    return [path for path in store.path_of_directory.rglob("*") if path.is_file()]


def test_written_bytes_are_found_under_their_digest(store: BlobStore) -> None:
    with store.create() as writer:
        writer.write(CONTENT[:1_000])
        writer.write(bytearray(CONTENT[1_000:1_001]))
        writer.write(memoryview(CONTENT)[1_001:])
        assert writer.size_bytes == len(CONTENT)
        assert writer.finish() == DIGEST
    assert store.path(DIGEST) == store.path_of_directory / DIGEST[:2] / DIGEST
    assert store.path(DIGEST).read_bytes() == CONTENT
    assert store.has(DIGEST)
    assert store.size_bytes(DIGEST) == len(CONTENT)
    assert list(store.iterate()) == [DIGEST]
    assert files_of(store) == [store.path(DIGEST)]


def test_items_wider_than_a_byte_are_written_as_their_bytes(store: BlobStore) -> None:
    words = memoryview(CONTENT).cast("I")
    assert store.put(words) == DIGEST


def test_an_empty_blob_is_a_blob(store: BlobStore) -> None:
    assert store.size_bytes(store.put(b"")) == 0


def test_an_abandoned_writer_leaves_nothing(store: BlobStore) -> None:
    with store.create() as writer:
        writer.write(b"unfinished")

    def interrupt() -> None:
        with store.create() as writer:
            writer.write(b"interrupted")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupt()
    assert files_of(store) == []
    assert list(store.iterate()) == []


def test_only_the_owner_can_read_blobs(store: BlobStore, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.write_bytes(b"loose")
    loose.chmod(0o644)
    for digest in (store.put(CONTENT), store.adopt(loose)):
        assert stat.S_IMODE(store.path(digest).stat().st_mode) == 0o600
        assert stat.S_IMODE(store.path(digest).parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.path_of_directory.stat().st_mode) == 0o700


def test_an_adopted_file_is_moved_not_copied(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(CONTENT)
    inode = source.stat().st_ino
    assert store.adopt(source) == DIGEST
    assert not source.exists()
    assert store.path(DIGEST).stat().st_ino == inode
    assert store.path(DIGEST).read_bytes() == CONTENT


def test_adopting_what_is_there_already_keeps_one_good_file(
    store: BlobStore, tmp_path: Path
) -> None:
    store.put(CONTENT)
    with store.path(DIGEST).open("rb") as reader:
        source = tmp_path / "again"
        source.write_bytes(CONTENT)
        assert store.adopt(source) == DIGEST
        assert reader.read() == CONTENT
    assert files_of(store) == [store.path(DIGEST)]


def test_adopting_what_is_not_there_names_the_file(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="upload"):
        store.adopt(tmp_path / "upload")
    assert list(store.iterate()) == []


def test_writers_of_the_same_bytes_at_the_same_time_all_succeed(store: BlobStore) -> None:
    barrier = threading.Barrier(8)
    digests: list[str] = []

    def write() -> None:
        with store.create() as writer:
            writer.write(CONTENT)
            barrier.wait(timeout=30)
            digests.append(writer.finish())

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert digests == [DIGEST] * 8
    assert files_of(store) == [store.path(DIGEST)]
    store.check(DIGEST)


@pytest.mark.parametrize("digest", [ABSENT, "", "../../etc/passwd", "A" * 64, "0" * 63])
def test_what_is_not_there_is_reported_as_missing(store: BlobStore, digest: str) -> None:
    assert not store.has(Digest(digest))
    for use in (store.path, store.size_bytes, store.check):
        with pytest.raises(BlobMissingError):
            use(Digest(digest))


def test_a_deleted_blob_is_gone_and_deleting_twice_is_no_error(store: BlobStore) -> None:
    store.put(CONTENT)
    store.delete(DIGEST)
    store.delete(DIGEST)
    assert not store.has(DIGEST)
    assert list(store.iterate()) == []


def test_a_changed_blob_is_found_when_checked(store: BlobStore) -> None:
    store.put(CONTENT)
    store.check(DIGEST)
    with store.path(DIGEST).open("r+b") as file:
        file.write(b"x")
    with pytest.raises(FaultError, match="damaged"):
        store.check(DIGEST)


def test_iteration_yields_all_digests_sorted(store: BlobStore) -> None:
    digests = sorted(store.put(bytes([index])) for index in range(50))
    assert list(store.iterate()) == digests


def test_leftovers_of_a_dead_process_are_removed_and_living_writers_keep_theirs(
    store: BlobStore,
) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from hanami_actors.eventlog.blobs import BlobStore\n"
        "writer = BlobStore(Path(sys.argv[1])).create()\n"
        "writer.write(b'half')\n"
        "os._exit(0)\n"
    )
    with store.create() as writer:
        writer.write(CONTENT)
        subprocess.run(
            [sys.executable, "-c", code, str(store.path_of_directory)],
            check=True,
            timeout=60,
            cwd=Path(__file__).parents[3],
        )
        assert len(files_of(store)) == 2
        BlobStore(store.path_of_directory, readonly=True)
        assert len(files_of(store)) == 2
        BlobStore(store.path_of_directory)
        assert len(files_of(store)) == 1
        assert writer.finish() == DIGEST
    store.check(DIGEST)


def test_looking_into_a_store_that_is_not_there_makes_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "absent", readonly=True)
    assert list(store.iterate()) == []
    assert not store.has(DIGEST)
    assert list(tmp_path.iterdir()) == []
