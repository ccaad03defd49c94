"""What datasets need from a store of immutable files."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from hanami_actors.types import Digest

__all__ = ["BlobStore", "BlobWriter", "PathOf"]

PathOf: TypeAlias = Callable[[Digest], Path]
"""Where the bytes of a digest lie: ``BlobStore.path``, or anything that behaves like it."""


class BlobWriter(Protocol):
    """A file that is being written and has no name yet."""

    def write(self, buffer: bytes | bytearray | memoryview, /) -> object:
        """Append all bytes of the buffer."""
        ...

    def finish(self) -> Digest:
        """Make the file durable under its digest and return that."""
        ...


class BlobStore(Protocol):
    """Files named by the digest of their bytes."""

    def create(self) -> AbstractContextManager[BlobWriter]:
        """Open a new file; leaving the context without `finish` leaves nothing behind."""
        ...

    def adopt(self, path: Path, /) -> Digest:
        """Move a finished file into the store without copying it."""
        ...

    def path(self, digest: Digest, /) -> Path:
        """Return where the bytes lie."""
        ...
