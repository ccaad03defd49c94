"""One row of the endpoint table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hanami_actors.api.table.effects import Effects
from hanami_actors.errors import HanamiError

__all__ = ["ADMINS", "EVERYBODY", "OPEN", "Access", "Empty", "Endpoint", "Nothing"]

CANONICAL_PREFIX = "v1.0alpha"
PREFIXES = ("/v1.0alpha/", "/v1/")


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may call a row, as the default policy says it.

    Attributes
    ----------
    roles : tuple of str
    is_open : bool
        No token is needed and no policy is consulted.
    """

    roles: tuple[str, ...]
    is_open: bool = False


EVERYBODY = Access(roles=("admin", "member"))
ADMINS = Access(roles=("admin",))
OPEN = Access(roles=(), is_open=True)


class Empty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request without fields."""


class Nothing(msgspec.Struct, frozen=True):
    """A reply without fields: ``{}``."""


Handler = Callable[[Any, Any], Awaitable[Any]]
"""``(context, request) -> reply``; a test holds the annotations of every handler against its row."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A REST endpoint. Routes, validation, policy, documentation and tests derive from it.

    Attributes
    ----------
    name : str
        Unique; the operation's id.
    method, path : str
        The path is relative to the prefixes ``/v1.0alpha/`` and ``/v1/``.
    summary : str
    access : Access
        Which roles the default policy lets in.
    request : type
        Struct of the fields of body and query, with their rules.
    reply : type
        Struct of the answer.
    other_replies : tuple of struct types
        Answers to other forms of the request.
    errors : tuple of error classes
        Besides those that every row may raise.
    handler : coroutine function
        ``(context, request) -> reply``.
    aliases : tuple of str
        Further whole paths.
    requires_admin : bool
        Whether the caller must be an admin whatever the policy says.
    timeout_s : float
        How long the handler waits for an actor or the disk.
    content_types : tuple of str
        What an answer may be. Rows that answer with a file have `FileContent` as their reply.
    first_answer : callable, optional
        What makes the reply again from what a call did, if its answer got lost; a row with one
        honours ``Idempotency-Key``. The name of such a row is stored: it never changes.
    in_contract : bool
        Of the original. A policy file that does not name the path of another one does not close it.
    """

    name: str
    method: str
    path: str
    summary: str
    access: Access
    request: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    errors: tuple[type[HanamiError], ...]
    handler: Handler
    other_replies: tuple[type[msgspec.Struct], ...] = ()
    aliases: tuple[str, ...] = ()
    requires_admin: bool = False
    timeout_s: float = 10.0
    content_types: tuple[str, ...] = ("text/json",)
    first_answer: Callable[[Effects], Any] | None = None
    in_contract: bool = True

    @property
    def canonical_path(self) -> str:
        """The path as policy files and audit logs write it."""
        return f"{CANONICAL_PREFIX}/{self.path}"

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths it is served under."""
        return (*(prefix + self.path for prefix in PREFIXES), *self.aliases)
