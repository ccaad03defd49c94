"""Directories that belong to their owner alone."""

import os
import stat
from pathlib import Path

import pytest

from hanami_actors.errors import LogError, LogLockedError
from hanami_actors.eventlog.directory import DirectoryLock, make_private_directory


def test_a_new_directory_is_its_owners_alone_and_an_old_one_stays_as_it_is(tmp_path: Path) -> None:
    new, old = tmp_path / "parent" / "new", tmp_path / "old"
    old.mkdir()
    old.chmod(0o750)
    for path in (new, old):
        make_private_directory(path)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (new, old)]
    assert modes == [0o700, 0o750]


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_file_in_its_place_is_named_and_stays(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    with pytest.raises(LogError, match=f"^{file} is a file and no directory"):
        make_private_directory(file / inside)
    assert file.read_text() == "precious"


def test_a_released_lock_is_free_while_a_child_being_started_still_has_the_descriptor(
    tmp_path: Path,
) -> None:
    lock = DirectoryLock(tmp_path / "lock")
    (ours,) = [fd for fd in Path("/proc/self/fd").iterdir() if fd.resolve().name == "lock"]
    copy = os.dup(int(ours.name))
    try:
        with pytest.raises(LogLockedError, match="another server"):
            DirectoryLock(tmp_path / "lock")
        lock.release()
        DirectoryLock(tmp_path / "lock").release()
    finally:
        os.close(copy)
