"""Users: create, look at, list, delete, and the own passphrase."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.credentials import one_passphrase
from hanami_actors.api.login.limits import Login
from hanami_actors.api.login.login import LoginAnswer as TokenReply
from hanami_actors.api.replies import ListReply
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import ADMINS, EVERYBODY, Empty, Endpoint, Nothing
from hanami_actors.api.table.fields import USER_ID, Base64Secret, PlainSecret, ResourceName, UserId
from hanami_actors.domain.base import format_timestamp
from hanami_actors.domain.tables import listing
from hanami_actors.domain.user.aggregate import UserState, apply, initial
from hanami_actors.domain.user.events import UserCreated
from hanami_actors.domain.user.messages import ChangePassphrase, CreateUser, DeleteUser
from hanami_actors.errors import ConflictError, LimitError, NotFoundError, UnauthorizedError

__all__ = ["ROWS", "AssignmentReply", "UserReply", "require_user", "user_reply"]

DIRECTORY = Target(kind=TargetKind.DIRECTORY)


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of passphrase (base64) and password (plain)."""

    id: UserId
    name: ResourceName
    passphrase: Base64Secret | UnsetType = UNSET
    password: PlainSecret | UnsetType = UNSET
    is_admin: bool = False


class OneUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a user."""

    id: Annotated[str, Meta(min_length=4, max_length=256, pattern=USER_ID)]


class DoomedUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a user."""

    id: UserId


class NewPassphrase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The passphrase of now and the next one; each as passphrase (base64) or password (plain)."""

    passphrase: Base64Secret | UnsetType = UNSET
    password: PlainSecret | UnsetType = UNSET
    new_passphrase: Base64Secret | UnsetType = UNSET
    new_password: PlainSecret | UnsetType = UNSET


class AssignmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """A project of a user, and what he is there."""

    is_project_admin: bool
    project_id: str
    role: str


class UserReply(msgspec.Struct, frozen=True, kw_only=True):
    """A user."""

    created_at: str
    creator_id: str
    id: str
    is_admin: bool
    name: str
    projects: list[AssignmentReply]


def user_reply(user: UserState) -> UserReply:
    """Return what is shown of a user."""
    return UserReply(
        created_at=format_timestamp(user.created_us),
        creator_id=user.creator_id,
        id=user.id,
        is_admin=user.is_admin,
        name=user.name,
        projects=_assignments(user),
    )


def require_user(context: Context, user_id: str) -> UserState:
    """Return a living user.

    Raises
    ------
    NotFoundError
    """
    row = context.tables.users.get(user_id)
    if row is None or not row.state.alive:
        raise NotFoundError(f"User with id '{user_id}' not found")
    return row.state


async def create_user(context: Context, request: NewUser) -> UserReply:
    """Create a user; he may log in once he has a project, admins at once."""
    if request.is_admin and not context.who.is_admin:
        raise UnauthorizedError("only admins create admins")
    passphrase = one_passphrase(request.passphrase, request.password)
    known = context.tables.users.get(request.id)
    # Before the hash, which costs as much as a login.
    if known is not None and known.state.alive:
        raise ConflictError(f"User with id '{request.id}' already exists; choose another id.")
    message = CreateUser(
        id=request.id,
        name=request.name,
        passphrase_hash=await context.services.passphrases.hash(passphrase),
        is_admin=request.is_admin,
    )
    return user_reply(await context.ask(DIRECTORY, message))


def first_user(effects: Effects) -> UserReply:
    """Return a user as he was created."""
    event, time_us = effects.first(UserCreated)
    return user_reply(apply(initial(), event, time_us))


async def get_user(context: Context, request: OneUser) -> UserReply:
    """Look at a user."""
    return user_reply(require_user(context, request.id))


async def list_users(context: Context, _request: Empty) -> ListReply:
    """List all users, oldest first."""
    return ListReply(
        header=["created_at", "id", "name", "creator_id", "projects", "is_admin"],
        body=[
            [
                format_timestamp(user.created_us),
                user.id,
                user.name,
                user.creator_id,
                _assignments(user),
                user.is_admin,
            ]
            for user in listing(context.tables.users)
        ],
    )


async def delete_user(context: Context, request: DoomedUser) -> Nothing:
    """Delete a user; his id is free at once, what he made stays."""
    await context.ask(DIRECTORY, DeleteUser(id=request.id))
    return Nothing()


async def change_passphrase(context: Context, request: NewPassphrase) -> TokenReply:
    """Change the own passphrase; all tokens from before it end, the answer holds a new one."""
    now = one_passphrase(request.passphrase, request.password)
    new = one_passphrase(request.new_passphrase, request.new_password, prefix="new_")
    user_id = context.who.user_id
    login = context.services.login
    await login.check(context.tables, Login(user_id, now, context.address))
    hashed = await context.services.passphrases.hash(new)
    await context.ask(DIRECTORY, ChangePassphrase(id=user_id, passphrase_hash=hashed))
    return login.renew(context.newest_tables, context.who, context.who.project_id)


def _assignments(user: UserState) -> list[AssignmentReply]:
    return [
        AssignmentReply(
            is_project_admin=one.is_project_admin, project_id=one.project_id, role=one.role
        )
        for one in user.projects
    ]


ROWS = (
    Endpoint(
        name="create_user",
        method="POST",
        path="user",
        summary="Create a user.",
        access=ADMINS,
        request=NewUser,
        reply=UserReply,
        errors=(ConflictError, LimitError),
        handler=create_user,
        first_answer=first_user,
        requires_admin=True,
    ),
    Endpoint(
        name="get_user",
        method="GET",
        path="user",
        summary="Look at a user.",
        access=ADMINS,
        request=OneUser,
        reply=UserReply,
        errors=(NotFoundError,),
        handler=get_user,
        requires_admin=True,
    ),
    Endpoint(
        name="list_users",
        method="GET",
        path="user/all",
        summary="List all users.",
        access=ADMINS,
        request=Empty,
        reply=ListReply,
        errors=(),
        handler=list_users,
        requires_admin=True,
    ),
    Endpoint(
        name="delete_user",
        method="DELETE",
        path="user",
        summary="Delete a user; nobody deletes himself or the last admin.",
        access=ADMINS,
        request=DoomedUser,
        reply=Nothing,
        errors=(NotFoundError, ConflictError),
        handler=delete_user,
        requires_admin=True,
    ),
    Endpoint(
        name="change_passphrase",
        method="PUT",
        path="user/passphrase",
        summary="Change the own passphrase; ends all tokens from before it.",
        access=EVERYBODY,
        request=NewPassphrase,
        reply=TokenReply,
        errors=(UnauthorizedError, LimitError),
        handler=change_passphrase,
        in_contract=False,
    ),
)
