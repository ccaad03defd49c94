"""Files that are uploaded, read in a piece."""

import hashlib
from pathlib import Path

from hanami_sdk._upload import FilePath

__all__ = ["checksum_of", "read_file"]


def checksum_of(path: FilePath) -> str:
    """Return the checksum of a file as the server wants it."""
    with Path(path).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def read_file(path: FilePath) -> bytes:
    """Return all that a file has."""
    return Path(path).read_bytes()
