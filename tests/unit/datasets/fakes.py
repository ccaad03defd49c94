"""A small store of immutable files that keeps book of what was opened and what was left."""

import hashlib
from pathlib import Path
from typing import BinaryIO

from hanami_actors.types import Digest


class FakeBlobs:
    """Files in one folder; ``leftovers`` are unfinished files, ``names`` finished ones."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write_sizes: list[int] = []
        directory.mkdir(parents=True, exist_ok=True)

    def create(self) -> "FakeWriter":
        return FakeWriter(self)

    def adopt(self, path: Path) -> Digest:
        digest = digest_of(path.read_bytes())
        path.rename(self.directory / digest)
        return digest

    def path(self, digest: str) -> Path:
        return self.directory / digest

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())


class FakeWriter:
    def __init__(self, blobs: FakeBlobs) -> None:
        self._blobs = blobs
        self._path = blobs.directory / "unfinished"
        self._file: BinaryIO = self._path.open("xb")

    def __enter__(self) -> "FakeWriter":
        return self

    def write(self, buffer: bytes | bytearray | memoryview) -> None:
        assert isinstance(buffer, bytes | bytearray) or buffer.format == "B"
        self._blobs.write_sizes.append(len(buffer))
        self._file.write(buffer)

    def finish(self) -> Digest:
        self._file.close()
        hasher = hashlib.blake2b(digest_size=32)
        with self._path.open("rb") as file:
            while block := file.read(1 << 16):
                hasher.update(block)
        digest = Digest(hasher.hexdigest())
        self._path.rename(self._blobs.directory / digest)
        return digest

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def digest_of(data: bytes) -> Digest:
    return Digest(hashlib.blake2b(data, digest_size=32).hexdigest())
