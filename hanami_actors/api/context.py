"""What the handler of an endpoint gets besides the request."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from hanami_actors.actors.gateway import Command, Target
from hanami_actors.api import bridge
from hanami_actors.api.services import Services
from hanami_actors.domain.base import Message, Who
from hanami_actors.domain.tables import Tables
from hanami_actors.errors import BusyError, UnauthorizedError

__all__ = ["Context"]

T = TypeVar("T")


class Context:
    """What a handler gets besides the request; lives as long as the request.

    Parameters
    ----------
    services : Services
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
        services: Services,
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
        if self.services.settings.enforce_admin_rules and not self.who.is_admin:
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
