"""Directories that belong to their owner alone."""

import stat
from pathlib import Path

import pytest

from hanami_actors.errors import LogError
from hanami_actors.eventlog.directory import make_private_directory


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
