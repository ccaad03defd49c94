"""What happens to a user. Stream ``user/<id>``; an id can be used again after a deletion."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["UserCreated", "UserDeleted", "UserEvent"]


class UserCreated(Event, frozen=True, kw_only=True):
    """A user exists.

    Attributes
    ----------
    passphrase_hash : str
        argon2id in PHC form; the passphrase itself is nowhere.
    """

    TAG: ClassVar[str] = "user.created"

    id: str
    name: str
    passphrase_hash: str
    is_admin: bool
    creator_id: str


class UserDeleted(Event, frozen=True, kw_only=True):
    """The user is gone; tokens are refused at once."""

    TAG: ClassVar[str] = "user.deleted"


UserEvent = UserCreated | UserDeleted
