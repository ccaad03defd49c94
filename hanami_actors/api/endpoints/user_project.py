"""Which user may work in which project, and as what."""

import msgspec
from msgspec import UNSET, UnsetType

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.user import (
    AssignmentReply,
    UserReply,
    require_user,
    user_reply,
)
from hanami_actors.api.login.login import LoginAnswer
from hanami_actors.api.table.endpoint import EVERYBODY, Endpoint
from hanami_actors.api.table.fields import ProjectId, RoleName, UserId
from hanami_actors.domain.access import ADMIN_PROJECT_ID
from hanami_actors.domain.user.messages import AssignProject, RemoveProject
from hanami_actors.errors import BadRequestError, ConflictError, NotFoundError, UnauthorizedError

__all__ = ["ROWS"]

DIRECTORY = Target(kind=TargetKind.DIRECTORY)


class Assign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user, the project and his role there.

    With ``project_id`` alone it asks for what ``PUT token`` does: clients of the original send
    that when they switch the project.
    """

    project_id: ProjectId
    id: UserId | UnsetType = UNSET
    role: RoleName | UnsetType = UNSET
    is_project_admin: bool | UnsetType = UNSET


class Unassign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user and the project."""

    id: UserId
    project_id: ProjectId


class WhoseProjects(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user; without it the caller."""

    user_id: UserId | UnsetType = UNSET


class ProjectsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The projects of a user; those of admins end with ``admin``."""

    projects: list[AssignmentReply]


async def assign_project(context: Context, request: Assign) -> UserReply | LoginAnswer:
    """Let a user work in a project."""
    if request.id is UNSET and request.role is UNSET and request.is_project_admin is UNSET:
        return context.services.login.renew(context.tables, context.who, request.project_id)
    context.require_admin("assigning projects")
    for name in ("id", "role"):
        if getattr(request, name) is UNSET:
            raise BadRequestError(f"field '{name}' is required, but is not set")
    message = AssignProject(
        id=str(request.id),
        project_id=request.project_id,
        role=str(request.role),
        is_project_admin=request.is_project_admin is True,
    )
    return user_reply(await context.ask(DIRECTORY, message))


async def remove_project(context: Context, request: Unassign) -> UserReply:
    """Take a project from a user; his tokens for it are refused at once."""
    context.require_admin("removing projects from users")
    message = RemoveProject(id=request.id, project_id=request.project_id)
    return user_reply(await context.ask(DIRECTORY, message))


async def list_projects_of_user(context: Context, request: WhoseProjects) -> ProjectsReply:
    """List the projects of the caller, or of another user."""
    user_id = context.who.user_id
    if isinstance(request.user_id, str):
        context.require_admin("looking at the projects of other users")
        user_id = request.user_id
    user = require_user(context, user_id)
    projects = user_reply(user).projects
    if user.is_admin:
        everywhere = AssignmentReply(
            is_project_admin=True, project_id=ADMIN_PROJECT_ID, role="admin"
        )
        projects = [*projects, everywhere]
    return ProjectsReply(projects=projects)


ROWS = (
    Endpoint(
        name="assign_project",
        method="POST",
        path="user/project",
        summary="Let a user work in a project; for admins. With project_id alone: as PUT token.",
        access=EVERYBODY,
        request=Assign,
        reply=UserReply,
        other_replies=(LoginAnswer,),
        errors=(UnauthorizedError, NotFoundError, ConflictError),
        handler=assign_project,
    ),
    Endpoint(
        name="remove_project_of_user",
        method="DELETE",
        path="user/project",
        summary="Take a project from a user; for admins.",
        access=EVERYBODY,
        request=Unassign,
        reply=UserReply,
        errors=(UnauthorizedError, NotFoundError),
        handler=remove_project,
    ),
    Endpoint(
        name="list_projects_of_user",
        method="GET",
        path="user/project",
        summary="List the own projects; for admins also those of others.",
        access=EVERYBODY,
        request=WhoseProjects,
        reply=ProjectsReply,
        errors=(UnauthorizedError, NotFoundError),
        handler=list_projects_of_user,
    ),
)
