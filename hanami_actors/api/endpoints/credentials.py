"""Passphrases in requests: plain or as base64, exactly one of them."""

import base64
import binascii

from msgspec import UnsetType

from hanami_actors.errors import BadRequestError

__all__ = ["one_passphrase"]


def one_passphrase(
    passphrase: str | UnsetType, password: str | UnsetType, *, prefix: str = ""
) -> bytes:
    """Return the bytes of a passphrase, in whichever spelling it was sent.

    Parameters
    ----------
    passphrase : str or UNSET
        Base64 of the UTF-8 text.
    password : str or UNSET
        The text itself.
    prefix : str
        Of the names of both fields, for errors.

    Raises
    ------
    BadRequestError
        None of them, both of them, or no base64.
    """
    name, plain_name = f"{prefix}passphrase", f"{prefix}password"
    if isinstance(passphrase, str):
        if isinstance(password, str):
            raise BadRequestError(
                f"fields '{name}' and '{plain_name}' exclude each other; send one"
            )
        try:
            return base64.b64decode(passphrase, validate=True)
        except binascii.Error:
            raise BadRequestError(f"field '{name}': expected base64 of the UTF-8 text") from None
    if isinstance(password, str):
        return password.encode()
    raise BadRequestError(f"field '{name}' is required, but is not set")
