"""Checksums of whole files."""

import hashlib
from pathlib import Path

__all__ = ["file_checksum"]

DIGEST_BYTES = 32


def file_checksum(path: Path, algorithm: str) -> str:
    """Return ``<algorithm>:<hex>`` of a file; reads all of it, without the interpreter's lock.

    Parameters
    ----------
    path : Path
    algorithm : str
        ``sha256`` or ``blake2b``.
    """
    with path.open("rb") as file:
        if algorithm == "blake2b":
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=DIGEST_BYTES))
        else:
            digest = hashlib.file_digest(file, algorithm)
    return f"{algorithm}:{digest.hexdigest()}"
