"""Checksums of files as text: the name of the algorithm and the digest in hexadecimal digits."""

import re

from hanami_actors.errors import BadRequestError

__all__ = ["ALGORITHMS", "DEFAULT_ALGORITHM", "check_format", "normalize"]

DEFAULT_ALGORITHM = "sha256"
ALGORITHMS = (DEFAULT_ALGORITHM, "blake2b")
"""Both with digests of 32 bytes, as ``sha256sum`` and ``b2sum -l 256`` print them."""

_FORMAT = re.compile(rf"(?:{'|'.join(ALGORITHMS)}):[0-9a-f]{{64}}")


def normalize(text: str) -> str:
    """Return a checksum in the form of events: lower case, with its algorithm.

    Parameters
    ----------
    text : str
        ``<algorithm>:<hex>``, or the digits alone for SHA-256.

    Raises
    ------
    BadRequestError
    """
    lower = text.lower()
    checksum = lower if ":" in lower else f"{DEFAULT_ALGORITHM}:{lower}"
    check_format(checksum)
    return checksum


def check_format(checksum: str) -> None:
    """Refuse what is not a checksum in the form of events.

    Raises
    ------
    BadRequestError
    """
    if not _FORMAT.fullmatch(checksum):
        raise BadRequestError(
            f"Field 'checksum' is '{checksum[:100]}'; it must be {' or '.join(ALGORITHMS)}, a colon"
            " and 64 hexadecimal digits."
        )
