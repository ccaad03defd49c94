"""Logging in, changing the project of a session, and asking what a token may do."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.credentials import one_passphrase
from hanami_actors.api.login.limits import Login
from hanami_actors.api.login.login import LoginAnswer
from hanami_actors.api.table.endpoint import EVERYBODY, OPEN, Endpoint
from hanami_actors.api.table.fields import (
    Base64Secret,
    EndpointPath,
    PlainSecret,
    ProjectId,
    UserId,
)
from hanami_actors.errors import BadRequestError, LimitError, UnauthorizedError

__all__ = ["ROWS"]

HTTP_TYPES = {1: "DELETE", 2: "GET", 3: "HEAD", 4: "POST", 5: "PUT"}


class LogIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of passphrase (base64) and password (plain)."""

    id: UserId
    passphrase: Base64Secret | UnsetType = UNSET
    password: PlainSecret | UnsetType = UNSET


class RenewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The project of the new token: an assigned one, or ``admin`` for admins."""

    project_id: ProjectId


class CheckToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Optionally what the token is to be good for: a path without the leading slash, a method.

    ``http_type`` is 1 DELETE, 2 GET, 3 HEAD, 4 POST or 5 PUT.
    """

    endpoint: EndpointPath | UnsetType = UNSET
    http_type: Annotated[int, Meta(ge=1, le=5)] | UnsetType = UNSET


class CallerReply(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token it is, and what it may do where."""

    id: str
    name: str
    is_admin: bool
    project_id: str
    role: str
    is_project_admin: bool


async def log_in(context: Context, request: LogIn) -> LoginAnswer:
    """Check the passphrase and issue a token."""
    passphrase = one_passphrase(request.passphrase, request.password)
    login = Login(request.id, passphrase, context.address)
    return await context.services.login.log_in(context.tables, login)


async def renew_token(context: Context, request: RenewToken) -> LoginAnswer:
    """Issue a token of the same user in another project, or a fresh one in the same."""
    return context.services.login.renew(context.tables, context.who, request.project_id)


async def check_token(context: Context, request: CheckToken) -> CallerReply:
    """Tell whose token it is; refuse it if the policy does not let it call the endpoint."""
    if isinstance(request.endpoint, str) and isinstance(request.http_type, int):
        method = HTTP_TYPES[request.http_type]
        context.services.check_policy(context.who, method, f"/{request.endpoint}")
    elif request.endpoint is not UNSET or request.http_type is not UNSET:
        raise BadRequestError("fields 'endpoint' and 'http_type' belong together; send both")
    who = context.who
    return CallerReply(
        id=who.user_id,
        name=context.tables.users[who.user_id].state.name,
        is_admin=who.is_admin,
        project_id=who.project_id,
        role=who.role,
        is_project_admin=who.is_project_admin,
    )


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
    Endpoint(
        name="renew_token",
        method="PUT",
        path="token",
        summary="Get a new token, in this or another project of the caller.",
        access=EVERYBODY,
        request=RenewToken,
        reply=LoginAnswer,
        errors=(UnauthorizedError,),
        handler=renew_token,
    ),
    Endpoint(
        name="check_token",
        method="GET",
        path="auth",
        summary="Tell whose token it is, and whether it may call an endpoint.",
        access=EVERYBODY,
        request=CheckToken,
        reply=CallerReply,
        errors=(UnauthorizedError,),
        handler=check_token,
    ),
)
