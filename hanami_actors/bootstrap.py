"""The first start of a data directory: the signing key and the first administrator."""

import base64
import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from hanami_actors.domain.tables import Tables
from hanami_actors.errors import SettingsError
from hanami_actors.eventlog.directory import fsync_directory, storage_errors
from hanami_actors.ports import Entropy

__all__ = [
    "PASSPHRASE_FILE",
    "SIGNING_KEY_FILE",
    "FirstAdmin",
    "announce_passphrase",
    "first_admin",
    "signing_key",
    "write_private",
]

SIGNING_KEY_FILE = "token.key"
SIGNING_KEY_SIZE_BYTES = 32
PASSPHRASE_FILE = "admin-passphrase"  # noqa: S105 - a file name
PASSPHRASE_SIZE_BYTES = 15
DEFAULT_ADMIN_ID = "admin"
PASSPHRASE_LEN_MIN = 8
USER_ID = re.compile(r"[a-zA-Z][a-zA-Z_0-9@]{3,253}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirstAdmin:
    """The administrator a first start creates.

    Attributes
    ----------
    passphrase : str
        Never logged.
    is_made_up : bool
        Whether the server chose the passphrase and has to tell somebody.
    """

    user_id: str
    name: str
    passphrase: str = dataclasses.field(repr=False)
    is_made_up: bool


def signing_key(data_dir: Path, entropy: Entropy) -> bytes:
    """Return the key that signs tokens; made at the first start, mode 0600.

    Raises
    ------
    SettingsError
        The file is too short to be a key.
    """
    path = data_dir / SIGNING_KEY_FILE
    if not path.exists():
        write_private(path, entropy.secret_bytes(SIGNING_KEY_SIZE_BYTES))
    with storage_errors(f"the signing key {path}"):
        key = path.read_bytes()
    if len(key) < SIGNING_KEY_SIZE_BYTES:
        raise SettingsError(
            f"the signing key {path} has {len(key)} bytes, at least {SIGNING_KEY_SIZE_BYTES} are"
            " needed; remove the file to have a new one made (all tokens become invalid)"
        )
    return key


def first_admin(tables: Tables, environ: Mapping[str, str], entropy: Entropy) -> FirstAdmin | None:
    """Return the administrator to be created, None when there is one already.

    ``HANAMI_ADMIN_USER_ID``, ``_USER_NAME`` and ``_PASSPHRASE`` (or ``_PASSWORD``) name him; without
    them he is called ``admin`` and gets a random passphrase.

    Raises
    ------
    SettingsError
        Only some of the variables are set, the id is none, or the passphrase is too short.
    """
    if any(row.state.alive and row.state.is_admin for row in tables.users.values()):
        return None
    user_id = environ.get("HANAMI_ADMIN_USER_ID", "")
    name = environ.get("HANAMI_ADMIN_USER_NAME", "")
    passphrase = environ.get("HANAMI_ADMIN_PASSPHRASE") or environ.get("HANAMI_ADMIN_PASSWORD", "")
    if not user_id and not name and not passphrase:
        made_up = base64.b32encode(entropy.secret_bytes(PASSPHRASE_SIZE_BYTES)).decode().lower()
        return FirstAdmin(
            user_id=DEFAULT_ADMIN_ID, name=DEFAULT_ADMIN_ID, passphrase=made_up, is_made_up=True
        )
    for variable, value in (
        ("HANAMI_ADMIN_USER_ID", user_id),
        ("HANAMI_ADMIN_USER_NAME", name),
        ("HANAMI_ADMIN_PASSPHRASE", passphrase),
    ):
        if not value:
            raise SettingsError(
                f"environment variable '{variable}' was not set, but is required to initialize a"
                " new admin-user; set all three, or none of them to have a passphrase made up"
            )
    if not USER_ID.fullmatch(user_id):
        raise SettingsError(
            f"HANAMI_ADMIN_USER_ID is {user_id!r}, with which nobody could log in; expected 4 to"
            " 254 characters: a letter, then letters, digits, '_' and '@'"
        )
    if len(passphrase) < PASSPHRASE_LEN_MIN:
        raise SettingsError(
            f"HANAMI_ADMIN_PASSPHRASE has {len(passphrase)} characters, at least"
            f" {PASSPHRASE_LEN_MIN} are needed"
        )
    return FirstAdmin(user_id=user_id, name=name, passphrase=passphrase, is_made_up=False)


def announce_passphrase(
    admin: FirstAdmin, data_dir: Path, show: Callable[[str], None] | None
) -> None:
    """Write a made-up passphrase into the data directory and show it once to a person.

    Parameters
    ----------
    admin : FirstAdmin
    data_dir : Path
    show : callable or None
        Prints to a terminal; None when nobody is looking.
    """
    path = data_dir / PASSPHRASE_FILE
    write_private(path, f"{admin.passphrase}\n".encode())
    if show is not None:
        show(
            f"First start: created the administrator '{admin.user_id}' with the passphrase\n"
            f"    {admin.passphrase}\nIt is also in {path} (readable by you only)."
        )


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, durably and all or nothing.

    Raises
    ------
    StorageFullError, LogError
        The file cannot be written; an older one of the name is still there.
    """
    temporary = path.with_name(f"{path.name}.new")
    with storage_errors(f"the file {path}"):
        # A leftover of a crash may have other rights.
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        fsync_directory(path.parent)
