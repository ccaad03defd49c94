"""Loss of power: takes back what a dead process has changed and not synced; see powercut.c."""

import functools
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("powercut.c")
HEAD = struct.Struct("7q")


class Kind(IntEnum):
    """What an entry of the journal is about; the numbers stand in powercut.c too."""

    WRITE = 1
    SIZE = 2
    SYNC = 3
    CREATE = 4
    RENAME = 5
    UNLINK = 6
    SYNC_NAMES = 7


class Entry(NamedTuple):
    """A change, or a sync of all changes of a file or a directory so far."""

    kind: Kind
    inode: int
    at: int
    old_size: int
    name: str
    other: str
    data: bytes


@functools.cache
def compiled_powercut() -> Path | None:
    """Return the compiled shim; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    target = Path(tempfile.mkdtemp(prefix="hanami-powercut-"), "powercut.so")
    command = [
        compiler,
        "-shared",
        "-fPIC",
        "-O1",
        "-o",
        str(target),
        str(SOURCE),
        "-ldl",
        "-lpthread",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


class PowerCut:
    """The journal of one data directory.

    `environ` goes to the processes that may lose power; `strike` is called once they are dead.
    """

    def __init__(self, directory: Path, journal_dir: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (journal_dir / "graves").mkdir(parents=True)
        self._directory = directory
        self._journal_dir = journal_dir

    @property
    def environ(self) -> dict[str, str]:
        """What the processes need in their environment."""
        return {
            "LD_PRELOAD": str(compiled_powercut()),
            "POWERCUT_DIRECTORY": str(self._directory),
            "POWERCUT_JOURNAL": str(self._journal_dir),
        }

    def strike(self) -> int:
        """Take back everything that was not synced; return how many changes that were."""
        lost = [entry for entry, is_safe in _with_safety(self._entries()) if not is_safe]
        for entry in reversed(lost):
            self._take_back(entry)
        self.forget()
        return len(lost)

    def forget(self) -> None:
        """Begin a new journal: all that was changed has reached the disk."""
        (self._journal_dir / "journal").unlink(missing_ok=True)
        shutil.rmtree(self._journal_dir / "graves")
        (self._journal_dir / "graves").mkdir()

    def _entries(self) -> list[Entry]:
        path = self._journal_dir / "journal"
        raw = path.read_bytes() if path.exists() else b""
        entries, at = [], 0
        while at + HEAD.size <= len(raw):
            kind, inode, where, size, old_size, name_len, other_len = HEAD.unpack_from(raw, at)
            at += HEAD.size
            ends = (at + name_len, at + name_len + other_len, at + name_len + other_len + size)
            if ends[-1] > len(raw):
                break  # cut off with the process; the change it announces was not made
            name, other = raw[at : ends[0]].decode(), raw[ends[0] : ends[1]].decode()
            entries.append(
                Entry(Kind(kind), inode, where, old_size, name, other, raw[ends[1] : ends[2]])
            )
            at = ends[-1]
        return entries

    def _take_back(self, entry: Entry) -> None:
        name = Path(entry.name)
        if entry.kind in {Kind.WRITE, Kind.SIZE}:
            for path in self._paths_of(entry.inode)[:1]:
                _restore(path, entry)
        elif entry.kind is Kind.CREATE:
            if name.is_dir():
                shutil.rmtree(name)
            else:
                name.unlink(missing_ok=True)
        elif entry.kind is Kind.RENAME:
            new = Path(entry.other)
            if new.exists() and not name.exists():
                new.rename(name)
            _dig_up(entry, new)
        else:
            _dig_up(entry, name)

    def _paths_of(self, inode: int) -> list[Path]:
        roots = (self._directory, self._journal_dir / "graves")
        return [
            path
            for root in roots
            for path in root.rglob("*")
            if path.is_file() and path.stat().st_ino == inode
        ]


def _with_safety(entries: list[Entry]) -> list[tuple[Entry, bool]]:
    """Return every change with whether a later sync made it safe."""
    synced: set[tuple[bool, int]] = set()
    judged: list[tuple[Entry, bool]] = []
    for entry in reversed(entries):
        is_name = entry.kind in {Kind.CREATE, Kind.RENAME, Kind.UNLINK, Kind.SYNC_NAMES}
        key = (is_name, entry.inode)
        if entry.kind in {Kind.SYNC, Kind.SYNC_NAMES}:
            synced.add(key)
        else:
            judged.append((entry, key in synced))
    judged.reverse()
    return judged


def _dig_up(entry: Entry, path: Path) -> None:
    """Give a file the name back that it had lost."""
    if entry.data and path.parent.is_dir():
        path.unlink(missing_ok=True)
        os.link(entry.data.decode(), path)


def _restore(path: Path, entry: Entry) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(descriptor, entry.old_size)
        if entry.data:
            os.pwrite(descriptor, entry.data, entry.at)
    finally:
        os.close(descriptor)
