"""What may be asked of a user."""

from hanami_actors.domain.base import Message

__all__ = ["CreateUser", "DeleteUser", "UserMessage"]


class CreateUser(Message, frozen=True, kw_only=True):
    """Create a user from an already hashed passphrase."""

    id: str
    name: str
    passphrase_hash: str
    is_admin: bool = False


class DeleteUser(Message, frozen=True, kw_only=True):
    """Delete a user; nobody deletes himself."""

    id: str


UserMessage = CreateUser | DeleteUser
