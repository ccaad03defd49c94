"""A process that suffers faults: does what it is told on standard input and says how it went.

Commands are JSON lines; so are the answers.
"""

import json
import sys
from pathlib import Path
from typing import Any

from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.types import Digest, StreamId
from tests.unit.eventlog.builders import append, batch, cycles

STREAMS = ("cluster/a", "cluster/b")
EVENTS_PER_STREAM = 3


class Victim:
    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self._sync = sync
        self._directory = DataDirectory(path)
        self._directory.create()
        self._log = LmdbEventLog(self._directory.log, map_size_bytes=2**20, sync=self._sync)
        self._blobs = BlobStore(self._directory.blobs)
        self._snapshots = SnapshotStore(self._directory.snapshots)

    def append(self, size: int = 10) -> dict[str, Any]:
        """Append one batch over two streams, at whatever versions they are."""
        appends = []
        for stream in STREAMS:
            version = self._log.stream_version(StreamId(stream))
            events = cycles(EVENTS_PER_STREAM, first=version, task_uuid="t" * size)
            appends.append(append(stream, version, *events))
        self._log.append([batch(*appends)])
        return {"position": self._log.head().position}

    def check(self) -> dict[str, Any]:
        """Read everything and compute the chain again."""
        records = [record.position for record in self._log.read_all()]
        assert records == list(range(1, len(records) + 1))
        assert self._log.check_chain() == self._log.head()
        return {"position": len(records)}

    def reopen(self) -> dict[str, Any]:
        """Do what a restart does."""
        self._log.close()
        self._log = LmdbEventLog(self._directory.log, map_size_bytes=2**20, sync=self._sync)
        return self.check()

    def put_blob(self, text: str) -> dict[str, Any]:
        return {"digest": self._blobs.put(text.encode() * 1000)}

    def check_blob(self, digest: str) -> dict[str, Any]:
        self._blobs.check(Digest(digest))
        return {}

    def put_snapshot(self, name: str, text: str) -> dict[str, Any]:
        self._snapshots.put(StreamId("cluster/a"), name, text.encode() * 1000)
        return {}

    def load_snapshot(self, name: str) -> dict[str, Any]:
        payload = self._snapshots.load(StreamId("cluster/a"), name)
        return {"text": payload[: len(payload) // 1000].decode()}


def main() -> None:
    victim = Victim(Path(sys.argv[1]), sync="--no-sync" not in sys.argv)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(victim, command.pop("do"))(**command)
        except HanamiError as error:
            answer = {"error": error.code, "message": error.message}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
