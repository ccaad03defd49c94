"""A process that appends until it is killed and says what was acknowledged.

Batch number n has n % 5 + 1 events in each of two streams; the number stands in every event.
"""

import sys
from pathlib import Path

from tests.unit.eventlog.builders import append, batch, cycles, open_log

STREAMS = ("cluster/a", "cluster/b")


def events_per_stream(number: int) -> int:
    """Return how many events batch ``number`` has in each stream."""
    return number % 5 + 1


def main() -> None:
    """Append groups of three batches for ever; one line is written per acknowledged group."""
    log = open_log(Path(sys.argv[1]), sync=True)
    versions = [int(log.stream_version(stream)) for stream in STREAMS]  # type: ignore[arg-type]
    number = int(sys.argv[2])
    while True:
        group = []
        for _ in range(3):
            count = events_per_stream(number)
            events = cycles(count, task_uuid=f"{number}")
            group.append(
                batch(*[append(s, v, *events) for s, v in zip(STREAMS, versions, strict=True)])
            )
            versions = [version + count for version in versions]
            number += 1
        log.append(group)
        print(number, flush=True)


if __name__ == "__main__":
    main()
