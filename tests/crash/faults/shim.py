"""The preloaded shim that makes system calls on a directory fail; see faults.c."""

import functools
import mmap
import shutil
import struct
import subprocess
import sys
import tempfile
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Self

SOURCE = Path(__file__).with_name("faults.c")
FIELDS = struct.Struct("6q")


class Fault(IntEnum):
    """What goes wrong; the numbers stand in faults.c too."""

    NONE = 0
    FAIL_WRITE = 1
    FAIL_SYNC = 2
    FULL_DISK = 3
    SHORT_WRITE = 4
    SLOW_SYNC = 5
    SHORT_READ = 6


@functools.cache
def compiled_shim() -> Path | None:
    """Return the compiled shim; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    target = Path(tempfile.mkdtemp(prefix="hanami-faults-"), "faults.so")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(target), str(SOURCE), "-ldl"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return target if done.returncode == 0 else None


class Faults:
    """Faults on the files of a directory; use as a context manager.

    `environ` goes to the process that is to suffer; `strike` may be called while it runs.
    """

    def __init__(self, directory: Path, control: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._control = control
        control.write_bytes(bytes(FIELDS.size))
        with control.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), FIELDS.size)
        self._directory = directory

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._map.close()

    @property
    def environ(self) -> dict[str, str]:
        """What the process needs in its environment."""
        return {
            "LD_PRELOAD": str(compiled_shim()),
            "FAULTS_DIRECTORY": str(self._directory),
            "FAULTS_CONTROL": str(self._control),
        }

    def strike(self, kind: Fault, *, skip: int = 0, once: bool = False, delay_us: int = 0) -> None:
        """Let calls fail from now on, but the next ``skip`` ones."""
        _, _, _, _, strikes, calls = FIELDS.unpack(self._map[:])
        self._map[:] = FIELDS.pack(kind, skip, once, delay_us, strikes, calls)

    def heal(self) -> None:
        """Let everything go well again."""
        self.strike(Fault.NONE)

    @property
    def strike_count(self) -> int:
        """How often a fault has struck."""
        return int(FIELDS.unpack(self._map[:])[4])

    @property
    def call_count(self) -> int:
        """Writes and syncs so far."""
        return int(FIELDS.unpack(self._map[:])[5])
