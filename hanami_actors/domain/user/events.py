"""What happens to a user. Stream ``user/<id>``; an id can be used again after a deletion."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = [
    "UserCreated",
    "UserDeleted",
    "UserEvent",
    "UserPassphraseChanged",
    "UserProjectAssigned",
    "UserProjectRemoved",
]


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


class UserProjectAssigned(Event, frozen=True, kw_only=True):
    """The user may work in a project, in this role."""

    TAG: ClassVar[str] = "user.project_assigned"

    project_id: str
    role: str
    is_project_admin: bool


class UserProjectRemoved(Event, frozen=True, kw_only=True):
    """The user may not work in a project any more; tokens for it are refused at once."""

    TAG: ClassVar[str] = "user.project_removed"

    project_id: str


class UserPassphraseChanged(Event, frozen=True, kw_only=True):
    """The user has another passphrase; tokens from before it are refused.

    Attributes
    ----------
    passphrase_hash : str
        argon2id in PHC form.
    """

    TAG: ClassVar[str] = "user.passphrase_changed"

    passphrase_hash: str


UserEvent = (
    UserCreated | UserDeleted | UserProjectAssigned | UserProjectRemoved | UserPassphraseChanged
)
