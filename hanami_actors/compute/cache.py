"""Where compiled kernels are kept, and whether they are all there; without importing numba.

numba looks only at the time stamp of the file that holds an entry, never at the functions it
calls, so a shared cache directory would mix old and new kernels. The directory used here carries
a digest of all kernel sources, which rules that out. A marker in it lists the files that a process
with the same numba on the same kind of processor needs.
"""

import hashlib
import json
import os
import platform
import sys
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

__all__ = ["choose_directory", "is_warm", "mark_warm", "source_digest"]

KERNELS = Path(__file__).parent / "kernels"
ENTRIES = KERNELS / "cycle.py"
"""The one file with functions that numba caches."""

DATA_SUFFIX = ".nbc"
MACHINE_FACTS = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
"""Lines of /proc/cpuinfo that decide which code is made."""


@cache
def source_digest() -> str:
    """Return 16 hex digits that change with any kernel source."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(KERNELS.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _directory_in(parent: Path) -> Path:
    """Return where these kernels are kept below a cache directory."""
    return parent / f"kernels-{source_digest()}"


def _usable(directory: Path) -> bool:
    """Say whether files can be made in ``directory``, which is created if it is missing."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def choose_directory() -> Path | None:
    """Return the first usable cache directory, or None: kernels are then compiled once a process.

    ``NUMBA_CACHE_DIR`` if set; else beside the kernels, else below ``~/.cache``.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        candidates = [Path(given)]
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME")
        candidates = [KERNELS / "__pycache__"]
        if home:
            candidates.append(Path(home) / ".cache" / "hanami_actors")
    directories = [_directory_in(candidate) for candidate in candidates]
    return next((directory for directory in directories if _usable(directory)), None)


def _machine() -> list[str]:
    """Return what is known about the processor without asking LLVM."""
    facts = [platform.machine(), platform.processor()]
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        return facts
    return facts + [line for line in lines if line.split("\t", 1)[0].strip() in MACHINE_FACTS]


def _marker(directory: Path) -> Path:
    """Return the marker for this processor, these versions and settings of numba."""
    stat = ENTRIES.stat()
    settings = [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith("NUMBA_") and name != "NUMBA_CACHE_DIR"
    ]
    facts = [
        *(version(name) for name in ("numba", "llvmlite", "numpy")),
        *(str(sys.implementation.cache_tag), str(ENTRIES), str(stat.st_mtime_ns)),
        *settings,
        *_machine(),
    ]
    digest = hashlib.blake2b("\n".join(facts).encode(), digest_size=8).hexdigest()
    return directory / f"warm-{digest}.json"


def is_warm(parent: Path) -> bool:
    """Say whether all kernels can be loaded from a cache directory, without compiling.

    Parameters
    ----------
    parent : Path
        The directory ``NUMBA_CACHE_DIR`` names. If the answer is wrong, kernels are compiled when
        they are first used.
    """
    directory = _directory_in(parent)
    try:
        needed: dict[str, int] = json.loads(_marker(directory).read_text())
        return bool(needed) and all(
            (directory / name).stat().st_size == size or not name.endswith(DATA_SUFFIX)
            for name, size in needed.items()
        )
    except (OSError, ValueError):
        return False


def mark_warm(directory: Path) -> None:
    """Note that everything in a directory made by `choose_directory` was loaded just now.

    A marker that cannot be written is no failure; the next process then compiles or loads again.
    """
    files = {
        str(path.relative_to(directory)): path.stat().st_size
        for path in sorted(directory.rglob("*.nb[ci]"))
    }
    marker = _marker(directory)
    try:
        with tempfile.NamedTemporaryFile("w", dir=directory, delete=False) as file:
            json.dump(files, file)
        Path(file.name).replace(marker)
    except OSError:
        return
