"""Logins, renewed tokens and changes of passphrases."""

import msgspec

from hanami_actors.api.login.limits import Login, LoginLimits
from hanami_actors.api.login.passphrases import PassphraseChecker
from hanami_actors.api.login.tokens import TokenKeeper, caller_after_login, caller_in_project
from hanami_actors.domain.base import Who
from hanami_actors.domain.tables import Tables
from hanami_actors.domain.user.aggregate import UserState
from hanami_actors.errors import UnauthorizedError

__all__ = ["LoginAnswer", "LoginService"]

WRONG_LOGIN = "ACCESS DENIED!\nUser or passphrase is incorrect."


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A token and whose it is."""

    id: str
    is_admin: bool
    name: str
    token: str


class LoginService:
    """Answers logins, renewals and changes of passphrases.

    Parameters
    ----------
    checker : PassphraseChecker
    tokens : TokenKeeper
    limits : LoginLimits
    """

    def __init__(
        self, checker: PassphraseChecker, tokens: TokenKeeper, limits: LoginLimits
    ) -> None:
        self._checker = checker
        self._tokens = tokens
        self._limits = limits

    async def log_in(self, tables: Tables, login: Login) -> LoginAnswer:
        """Return a token.

        Raises
        ------
        UnauthorizedError
            Unknown user, wrong passphrase (the same text for both), or no project.
        LimitError
            Too many failures lately, or too many logins at the same time.
        """
        user = await self.check(tables, login)
        who = caller_after_login(user)
        if who is None:
            raise UnauthorizedError(f"User with id '{login.user_id}' has no project assigned.")
        return self._answer(user, who)

    async def check(self, tables: Tables, login: Login) -> UserState:
        """Return the user if the passphrase is his; raises as `log_in`."""
        row = tables.users.get(login.user_id)
        user = row.state if row is not None and row.state.alive else None
        failed = False
        await self._limits.begin(login)
        try:
            failed = not await self._checker.check(user, login.passphrase)
        finally:
            self._limits.end(login, failed=failed)
        if user is None or failed:
            raise UnauthorizedError(WRONG_LOGIN)
        return user

    def renew(self, tables: Tables, who: Who, project_id: str) -> LoginAnswer:
        """Return a token of the same user in a project of his.

        Raises
        ------
        UnauthorizedError
            The user is gone, or may not work in the project.
        """
        row = tables.users.get(who.user_id)
        if row is None or not row.state.alive:
            raise UnauthorizedError(WRONG_LOGIN)
        there = caller_in_project(row.state, project_id)
        if there is None:
            raise UnauthorizedError(
                f"User with id '{who.user_id}' is not assigned to the project with id "
                f"'{project_id}'."
            )
        return self._answer(row.state, there)

    def _answer(self, user: UserState, who: Who) -> LoginAnswer:
        return LoginAnswer(
            id=user.id, is_admin=user.is_admin, name=user.name, token=self._tokens.issue(user, who)
        )
