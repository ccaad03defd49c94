"""What a process takes, from /proc."""

from pathlib import Path
from typing import NamedTuple

__all__ = ["Figures", "figures_of"]


class Figures(NamedTuple):
    """Memory of its own (not of files), threads and open files."""

    memory_kib: int
    threads: int
    files: int


def figures_of(pid: int) -> Figures:
    """Look at a process."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return Figures(
        memory_kib=int(status["RssAnon"].split()[0]),
        threads=int(status["Threads"]),
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
    )
