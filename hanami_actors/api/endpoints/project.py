"""Projects: create, look at, list, delete with or without what is in them."""

import msgspec

from hanami_actors.actors.gateway import Target, TargetKind
from hanami_actors.api.context import Context
from hanami_actors.api.replies import ListReply
from hanami_actors.api.table.effects import Effects
from hanami_actors.api.table.endpoint import ADMINS, Empty, Endpoint, Nothing
from hanami_actors.api.table.fields import ProjectId, ResourceName
from hanami_actors.domain.base import Message, format_timestamp
from hanami_actors.domain.checkpoint.messages import DeleteCheckpoint
from hanami_actors.domain.cluster.messages import DeleteCluster
from hanami_actors.domain.dataset.messages import DeleteDataset
from hanami_actors.domain.project.aggregate import ProjectState, apply, initial
from hanami_actors.domain.project.events import ProjectCreated
from hanami_actors.domain.project.messages import CreateProject, DeleteProject
from hanami_actors.domain.project_resources import ProjectResources, resources_of
from hanami_actors.domain.tables import Tables, listing
from hanami_actors.domain.user.messages import RemoveProject
from hanami_actors.errors import ConflictError, NotFoundError

__all__ = ["ROWS"]

DIRECTORY = Target(kind=TargetKind.DIRECTORY)
DELETE_TIMEOUT_S = 60.0
ROUNDS_MAX = 3
"""How often a project is emptied when others put something in meanwhile."""


class NewProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Id and name."""

    id: ProjectId
    name: ResourceName


class OneProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a project."""

    id: ProjectId


class DoomedProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names a project; ``force`` deletes everything in it and takes it from its users."""

    id: ProjectId
    force: bool = False


class ProjectReply(msgspec.Struct, frozen=True, kw_only=True):
    """A project."""

    created_at: str
    creator_id: str
    id: str
    name: str


async def create_project(context: Context, request: NewProject) -> ProjectReply:
    """Create a project."""
    message = CreateProject(id=request.id, name=request.name)
    return _reply(await context.ask(DIRECTORY, message))


def first_project(effects: Effects) -> ProjectReply:
    """Return a project as it was created."""
    event, time_us = effects.first(ProjectCreated)
    return _reply(apply(initial(), event, time_us))


async def get_project(context: Context, request: OneProject) -> ProjectReply:
    """Look at a project."""
    return _reply(_require_project(context.tables, request.id))


async def list_projects(context: Context, _request: Empty) -> ListReply:
    """List all projects, oldest first."""
    return ListReply(
        header=["created_at", "id", "name", "creator_id"],
        body=[
            [format_timestamp(project.created_us), project.id, project.name, project.creator_id]
            for project in listing(context.tables.projects)
        ],
    )


async def delete_project(context: Context, request: DoomedProject) -> Nothing:
    """Delete a project: an empty one, or with ``force`` everything in it first."""
    _require_project(context.tables, request.id)
    for _ in range(ROUNDS_MAX if request.force else 0):
        left = resources_of(context.newest_tables, request.id)
        if left.is_empty:
            break
        # Each step is a message of its own: others are served in between, and what is gone when
        # a step is refused stays gone. The same call again goes on from there.
        for message in _steps(left, request.id):
            await _delete_one(context, message)
    await context.ask(DIRECTORY, DeleteProject(id=request.id))
    return Nothing()


def _steps(left: ProjectResources, project_id: str) -> list[Message]:
    # Users first: their tokens for the project end, so nothing new is made in it.
    return [
        *(RemoveProject(id=user_id, project_id=project_id) for user_id in left.users),
        *(DeleteCluster(uuid=uuid) for uuid in left.clusters),
        *(DeleteCheckpoint(uuid=uuid) for uuid in left.checkpoints),
        *(DeleteDataset(uuid=uuid) for uuid in left.datasets),
    ]


async def _delete_one(context: Context, message: Message) -> None:
    try:
        await context.ask(DIRECTORY, message)
    except NotFoundError:
        # Somebody else was faster, and what is wanted is so.
        return


def _require_project(tables: Tables, project_id: str) -> ProjectState:
    row = tables.projects.get(project_id)
    if row is None or not row.state.alive:
        raise NotFoundError(f"Project with id '{project_id}' not found")
    return row.state


def _reply(project: ProjectState) -> ProjectReply:
    return ProjectReply(
        created_at=format_timestamp(project.created_us),
        creator_id=project.creator_id,
        id=project.id,
        name=project.name,
    )


ROWS = (
    Endpoint(
        name="create_project",
        method="POST",
        path="project",
        summary="Create a project.",
        access=ADMINS,
        request=NewProject,
        reply=ProjectReply,
        errors=(ConflictError,),
        handler=create_project,
        first_answer=first_project,
        requires_admin=True,
    ),
    Endpoint(
        name="get_project",
        method="GET",
        path="project",
        summary="Look at a project.",
        access=ADMINS,
        request=OneProject,
        reply=ProjectReply,
        errors=(NotFoundError,),
        handler=get_project,
        requires_admin=True,
    ),
    Endpoint(
        name="list_projects",
        method="GET",
        path="project/all",
        summary="List all projects.",
        access=ADMINS,
        request=Empty,
        reply=ListReply,
        errors=(),
        handler=list_projects,
        requires_admin=True,
    ),
    Endpoint(
        name="delete_project",
        method="DELETE",
        path="project",
        summary="Delete a project; with force=true also everything in it.",
        access=ADMINS,
        request=DoomedProject,
        reply=Nothing,
        errors=(NotFoundError, ConflictError),
        handler=delete_project,
        requires_admin=True,
        timeout_s=DELETE_TIMEOUT_S,
    ),
)
