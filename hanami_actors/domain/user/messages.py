"""What may be asked of a user."""

from hanami_actors.domain.base import Message

__all__ = [
    "AssignProject",
    "ChangePassphrase",
    "CreateUser",
    "DeleteUser",
    "RemoveProject",
    "UserMessage",
]


class CreateUser(Message, frozen=True, kw_only=True):
    """Create a user from an already hashed passphrase."""

    id: str
    name: str
    passphrase_hash: str
    is_admin: bool = False


class DeleteUser(Message, frozen=True, kw_only=True):
    """Delete a user; nobody deletes himself."""

    id: str


class AssignProject(Message, frozen=True, kw_only=True):
    """Let a user work in a project; whether the project exists is not looked at."""

    id: str
    project_id: str
    role: str
    is_project_admin: bool = False


class RemoveProject(Message, frozen=True, kw_only=True):
    """Take a project from a user; what he made in it stays."""

    id: str
    project_id: str


class ChangePassphrase(Message, frozen=True, kw_only=True):
    """Replace the passphrase by another, already hashed one."""

    id: str
    passphrase_hash: str


UserMessage = CreateUser | DeleteUser | AssignProject | RemoveProject | ChangePassphrase
