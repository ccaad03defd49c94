"""Writes golden histories: ``python -m tests.replay.make_histories [--force] [NAME...]``.

A history is recorded once and then stays as it is: later programs must read it and come to the
same states. Only missing ones are written; ``--force`` is for those that were never released.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.verify import fold_all
from tests.replay.bad_histories import BAD
from tests.replay.container import (
    Container,
    pack_directory,
    unpack_directory,
    write_container,
)
from tests.replay.good_histories import GOOD
from tests.replay.history import History

HISTORIES = Path(__file__).parent / "histories"


def expectation_of(container: Container, directory: Path) -> dict[str, Any]:
    """Return what a history comes to, as plain values."""
    log = LmdbEventLog(unpack_directory(container, directory).log, readonly=True)
    try:
        folded = fold_all(log)
        head = log.head()
    finally:
        log.close()
    return {
        "position": head.position,
        "chain_hash": head.chain_hash.hex(),
        "kernel_version": KERNEL_VERSION,
        "streams": {
            stream: {"version": version, "state": msgspec.to_builtins(state)}
            for stream, (state, version) in sorted(folded.states.items())
        },
    }


def make(name: str) -> Container:
    """Record a history, good or bad."""
    record, spoil = (GOOD[name], None) if name in GOOD else BAD[name]
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder, "data"))
        record(history)
        history.close()
        container = pack_directory(history.directory, (spoil or record).__doc__ or "")
        if spoil is not None:
            return spoil(container)
        return container._replace(expect=expectation_of(container, Path(folder, "again")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*GOOD, *BAD])
    parser.add_argument("--force", action="store_true", help="also those that are there")
    arguments = parser.parse_args()
    for name in arguments.names:
        path = HISTORIES / f"{name}.log"
        if arguments.force or not path.exists():
            write_container(path, make(name))
            print(f"written: {path} ({path.stat().st_size} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
