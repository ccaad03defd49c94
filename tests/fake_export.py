"""A download without a dataset."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["FakeExport"]


@dataclass
class FakeExport:
    """A file made of given blocks; a block may be an exception."""

    parts: list[bytes | Exception] = field(default_factory=lambda: [b"picture\n", b"1.0\n"])
    content_type: str = "text/csv"
    extension: str = "csv"
    size_bytes: int | None = None
    taken_count: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def blocks(self) -> Iterator[bytes]:
        try:
            for part in self.parts:
                self.taken_count += 1
                if isinstance(part, Exception):
                    raise part
                yield part
        finally:
            # Also when nobody wants the rest.
            self.ended.set()
