"""Users and projects: what the directory does when they are created, changed and deleted."""

from hanami_actors.actors.system import System
from hanami_actors.actors.writer import append_to, persist
from hanami_actors.domain.base import Message, Stamp
from hanami_actors.domain.project import aggregate as project_aggregate
from hanami_actors.domain.project.aggregate import ProjectState
from hanami_actors.domain.project.messages import DeleteProject, ProjectMessage
from hanami_actors.domain.project_resources import resources_of
from hanami_actors.domain.tables import Tables
from hanami_actors.domain.user import aggregate as user_aggregate
from hanami_actors.domain.user.aggregate import UserState
from hanami_actors.domain.user.messages import DeleteUser, UserMessage
from hanami_actors.errors import ConflictError

__all__ = ["Accounts"]


class Accounts:
    """The part of the directory that knows users and projects. Runs in the directory's thread.

    Parameters
    ----------
    system : System
    """

    def __init__(self, system: System) -> None:
        self._system = system

    def answer(self, message: Message, stamp: Stamp) -> UserState | ProjectState | None:
        """Do what a message about a user or a project asks; None if it is about neither.

        Raises
        ------
        ConflictError
            Among others: the last admin would go, or something is left in the project.
        NotFoundError
        """
        if isinstance(message, UserMessage):
            return self._change_user(message, stamp)
        if isinstance(message, ProjectMessage):
            return self._change_project(message, stamp)
        return None

    @property
    def _tables(self) -> Tables:
        return self._system.published.tables

    def _change_user(self, message: UserMessage, stamp: Stamp) -> UserState:
        row = self._tables.users.get(message.id)
        state = row.state if row else user_aggregate.initial()
        events = user_aggregate.decide(state, message, stamp)
        if isinstance(message, DeleteUser):
            self._check_not_last_admin(message.id)
        version = row.version if row else 0
        persist(self._system.writer, stamp, append_to(f"user/{message.id}", version, events))
        return self._tables.users[message.id].state

    def _check_not_last_admin(self, user_id: str) -> None:
        # Nobody deletes himself, but two admins can delete each other at the same time.
        admins = [
            row.state.id
            for row in self._tables.users.values()
            if row.state.alive and row.state.is_admin
        ]
        if admins == [user_id]:
            raise ConflictError(
                f"User with id '{user_id}' is the only admin and can not be deleted; create "
                "another admin first."
            )

    def _change_project(self, message: ProjectMessage, stamp: Stamp) -> ProjectState:
        row = self._tables.projects.get(message.id)
        state = row.state if row else project_aggregate.initial()
        events = project_aggregate.decide(state, message, stamp)
        if isinstance(message, DeleteProject):
            left = resources_of(self._tables, message.id)
            if not left.is_empty:
                raise ConflictError(
                    f"Project with id '{message.id}' is not empty and can not be deleted; in it "
                    f"are {left.text}. Delete them first, or delete the project with force=true "
                    "and everything in it."
                )
        version = row.version if row else 0
        persist(self._system.writer, stamp, append_to(f"project/{message.id}", version, events))
        return self._tables.projects[message.id].state
