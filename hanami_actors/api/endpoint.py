"""One row of the endpoint table, and what its handler gets."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from hanami_actors.actors.gateway import Command, Gateway, Target
from hanami_actors.api import bridge
from hanami_actors.api.effects import Effects
from hanami_actors.domain.base import Message, Who
from hanami_actors.domain.tables import Tables
from hanami_actors.errors import BusyError, HanamiError, UnauthorizedError
from hanami_actors.settings import Settings

if TYPE_CHECKING:
    from hanami_actors.api.auth import LoginDesk, PassphraseChecker
    from hanami_actors.api.call_log import CallLog
    from hanami_actors.api.documents import Documents
    from hanami_actors.api.endpoints.replies import ListCache
    from hanami_actors.api.metrics import Metrics
    from hanami_actors.measure.sampler import Sampler

__all__ = [
    "ADMINS",
    "EVERYBODY",
    "OPEN",
    "Access",
    "Context",
    "Empty",
    "Endpoint",
    "EndpointServices",
    "Nothing",
]

T = TypeVar("T")

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


class EndpointServices(Protocol):
    """What endpoints need of the application, besides the gateway."""

    @property
    def gateway(self) -> Gateway:
        """The door to tables and actors."""
        ...

    @property
    def settings_api(self) -> Settings:
        """Limits and times."""
        ...

    @property
    def disk_pool(self) -> Executor:
        """Threads that may block on the disk."""
        ...

    @property
    def list_cache(self) -> "ListCache":
        """Encoded lists."""
        ...

    @property
    def is_ready(self) -> Callable[[], bool]:
        """Whether kernels are warm and tasks can run."""
        ...

    @property
    def desk(self) -> "LoginDesk":
        """Logins and tokens."""
        ...

    @property
    def documents(self) -> "Documents":
        """The interface, documented."""
        ...

    @property
    def metrics(self) -> "Metrics":
        """Figures for a monitoring system."""
        ...

    @property
    def sampler(self) -> "Sampler":
        """Readings of the machine."""
        ...

    @property
    def call_log(self) -> "CallLog":
        """Notes for audit and error log."""
        ...

    @property
    def passphrases(self) -> "PassphraseChecker":
        """Hashes of new passphrases."""
        ...

    def check_policy(self, who: Who, method: str, path: str) -> None:
        """Raise `UnauthorizedError` if the policy refuses the caller this method and path."""
        ...


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A token and whose it is."""

    id: str
    is_admin: bool
    name: str
    token: str


class Context:
    """What a handler gets besides the request; lives as long as the request.

    Parameters
    ----------
    services : EndpointServices
    who : Who or None
        The caller; None only at open endpoints.
    request_id : str
    timeout_s : float
        For each actor or disk the handler waits for.
    address : str
        Of the caller's machine, or of the proxy before us.
    """

    __slots__ = ("_who", "address", "request_id", "services", "tables", "timeout_s")

    def __init__(
        self,
        services: EndpointServices,
        who: Who | None,
        request_id: str,
        timeout_s: float,
        address: str = "",
    ) -> None:
        self.services = services
        self.address = address
        self._who = who
        self.request_id = request_id
        self.timeout_s = timeout_s
        self.tables = services.gateway.tables

    @property
    def who(self) -> Who:
        """The caller."""
        assert self._who is not None, "open endpoints have no caller"
        return self._who

    @property
    def newest_tables(self) -> Tables:
        """The tables of now; ``tables`` are those of the request's beginning."""
        return self.services.gateway.tables

    def require_admin(self, what: str) -> None:
        """Refuse callers who are no admins, unless the setting lifts this rule.

        Parameters
        ----------
        what : str
            What is for admins only, for the error.

        Raises
        ------
        UnauthorizedError
        """
        if self.services.settings_api.enforce_admin_rules and not self.who.is_admin:
            raise UnauthorizedError(f"{what} is for admins only")

    async def ask(self, target: Target, message: Message) -> Any:
        """Ask an actor in the name of the caller."""
        command = Command(message=message, who=self.who, correlation_id=self.request_id)
        return await bridge.ask(self.services.gateway, target, command, timeout_s=self.timeout_s)

    async def in_pool(self, work: Callable[[], T]) -> T:
        """Run blocking work in a worker thread."""
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self.services.disk_pool, work)
        try:
            return await asyncio.wait_for(running, self.timeout_s)
        except TimeoutError as error:
            raise BusyError(
                f"the disk did not answer within {self.timeout_s:g} s; try again later"
            ) from error


Handler = Callable[[Context, Any], Awaitable[Any]]


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
    ours : bool
        Not in the contract; a policy file that does not name the path does not close it.
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
    ours: bool = False

    @property
    def canonical_path(self) -> str:
        """The path as policy files and audit logs write it."""
        return f"{CANONICAL_PREFIX}/{self.path}"

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths it is served under."""
        return (*(prefix + self.path for prefix in PREFIXES), *self.aliases)
