"""What may be asked of a project."""

from hanami_actors.domain.base import Message

__all__ = ["CreateProject", "DeleteProject", "ProjectMessage"]


class CreateProject(Message, frozen=True, kw_only=True):
    """Create a project."""

    id: str
    name: str


class DeleteProject(Message, frozen=True, kw_only=True):
    """Delete a project in which nothing is left."""

    id: str


ProjectMessage = CreateProject | DeleteProject
