"""Logging in."""

import base64
import binascii

import msgspec
from msgspec import UNSET, UnsetType

from hanami_actors.api.endpoint import OPEN, Context, Endpoint, LoginAnswer
from hanami_actors.api.fields import Base64Secret, PlainSecret, UserId
from hanami_actors.errors import BadRequestError, LimitError, UnauthorizedError

__all__ = ["ROWS"]


class LogIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of passphrase (base64) and password (plain)."""

    id: UserId
    passphrase: Base64Secret | UnsetType = UNSET
    password: PlainSecret | UnsetType = UNSET


async def log_in(context: Context, request: LogIn) -> LoginAnswer:
    """Check the passphrase and issue a token."""
    return await context.services.log_in(request.id, _passphrase_bytes(request))


def _passphrase_bytes(request: LogIn) -> bytes:
    if isinstance(request.passphrase, str):
        if isinstance(request.password, str):
            raise BadRequestError("fields 'passphrase' and 'password' exclude each other; send one")
        try:
            return base64.b64decode(request.passphrase, validate=True)
        except binascii.Error:
            raise BadRequestError("field 'passphrase': expected base64 of the UTF-8 text") from None
    if isinstance(request.password, str):
        return request.password.encode()
    raise BadRequestError("field 'passphrase' is required, but is not set")


ROWS = (
    Endpoint(
        name="create_token",
        method="POST",
        path="token",
        summary="Log in and get a token.",
        access=OPEN,
        request=LogIn,
        reply=LoginAnswer,
        errors=(UnauthorizedError, LimitError),
        handler=log_in,
    ),
)
