"""From a path and a method to a row, its decoder and the roles that may call it."""

from collections.abc import Iterable
from dataclasses import dataclass

from hanami_actors.api.table.decode import RequestDecoder
from hanami_actors.api.table.endpoint import Endpoint
from hanami_actors.api.table.policy import Policy
from hanami_actors.domain.base import Who
from hanami_actors.errors import (
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthorizedError,
)

__all__ = ["Route", "Routes"]

SHOWN_PATH_LENGTH_MAX = 120
DENIED = "Access denied by policy"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A row, ready to be served."""

    row: Endpoint
    decoder: RequestDecoder
    roles: frozenset[str]
    needs_admin: bool
    has_body: bool

    def check_policy(self, who: Who) -> None:
        """Raise `UnauthorizedError` if the policy refuses the caller."""
        if who.role not in self.roles:
            raise UnauthorizedError(DENIED)

    def check_admin(self, who: Who) -> None:
        """Raise `UnauthorizedError` if the row is for admins and the caller is none."""
        if self.needs_admin and not who.is_admin:
            raise UnauthorizedError(f"{self.row.method} {self.row.path} is for admins only")


class Routes:
    """All rows by path and method.

    Parameters
    ----------
    rows : iterable of Endpoint
    policy : Policy
    enforce_admin_rules : bool
        Whether ``requires_admin`` of a row counts.
    """

    def __init__(
        self, rows: Iterable[Endpoint], policy: Policy, *, enforce_admin_rules: bool
    ) -> None:
        self._by_path: dict[str, dict[str, Route]] = {}
        for row in rows:
            route = Route(
                row=row,
                decoder=RequestDecoder(row.request),
                roles=policy.roles_for(row),
                needs_admin=row.requires_admin and enforce_admin_rules,
                has_body=row.method in {"POST", "PUT"},
            )
            for path in row.paths:
                taken = self._by_path.setdefault(path, {}).setdefault(row.method, route)
                assert taken is route, f"two rows for {row.method} {path}"

    def find(self, method: str, path: str) -> Route:
        """Return the route.

        Raises
        ------
        BadRequestError
            The path climbs.
        NotFoundError
        MethodNotAllowedError
        """
        methods = self._by_path.get(path)
        if methods is None:
            if ".." in path:
                raise BadRequestError("the path must not contain '..'")
            raise NotFoundError(f"there is no endpoint '{path[:SHOWN_PATH_LENGTH_MAX]}'")
        route = methods.get(method)
        if route is None:
            raise MethodNotAllowedError(
                f"'{path}' has no method {method[:20]}; allowed: {self.allowed(path)}"
            )
        return route

    def check_policy(self, who: Who, method: str, path: str) -> None:
        """Raise `UnauthorizedError` if the caller may not call this; so may nobody what is not."""
        route = self._by_path.get(path, {}).get(method)
        if route is None:
            raise UnauthorizedError(DENIED)
        if not route.row.access.is_open:
            route.check_policy(who)

    def allowed(self, path: str) -> str:
        """Return the methods of a path as the header ``Allow`` lists them."""
        return ", ".join(sorted(self._by_path.get(path, ())))
