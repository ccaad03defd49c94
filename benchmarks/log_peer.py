"""The library eventsourcing on SQLite, where it is installed: durable appends of one event."""

import importlib.util
import time
import uuid
from pathlib import Path

from benchmarks.server_figures import Row

__all__ = ["measure_peer"]

PAYLOAD = b"x" * 200


def measure_peer(directory: Path, seconds: float) -> list[Row]:
    """Return its figure, or none when it is not installed."""
    if importlib.util.find_spec("eventsourcing") is None:
        return []
    from eventsourcing.persistence import StoredEvent  # type: ignore[import-not-found]
    from eventsourcing.sqlite import (  # type: ignore[import-not-found]
        SQLiteApplicationRecorder,
        SQLiteDatastore,
    )

    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(directory / "peer.sqlite")))
    recorder.create_table()
    stream = uuid.UUID(int=1)
    count = 0
    begin = now = time.perf_counter()
    while now - begin < seconds:
        event = StoredEvent(stream, count, "cluster:CyclesTrained", PAYLOAD)
        recorder.insert_events([event])
        count += 1
        now = time.perf_counter()
    name = "durable appends, eventsourcing on SQLite, 1 producer"
    return [Row(name=name, value=count / (now - begin), unit="/s")]
