"""What happens to a project. Stream ``project/<id>``; an id can be used again after a deletion."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["ProjectCreated", "ProjectDeleted", "ProjectEvent"]


class ProjectCreated(Event, frozen=True, kw_only=True):
    """A project exists."""

    TAG: ClassVar[str] = "project.created"

    id: str
    name: str
    creator_id: str


class ProjectDeleted(Event, frozen=True, kw_only=True):
    """The project is gone; nothing was left in it."""

    TAG: ClassVar[str] = "project.deleted"


ProjectEvent = ProjectCreated | ProjectDeleted
