"""One logged-in run of a command: calls the SDK and turns exceptions into what a shell sees."""

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hanami_sdk.cli.command_line import PROGRAM, Globals
from hanami_sdk.cli.config import read_environment
from hanami_sdk.cli.failures import CommandFailedError

__all__ = ["Session", "open_failure", "open_session"]

T = TypeVar("T")


def open_failure(error: OSError) -> CommandFailedError:
    """Return how an unreadable file is reported."""
    reason = (error.strerror or str(error)).lower()
    return CommandFailedError(f"open {error.filename}: {reason}")


def _sdk_failure(error: Exception) -> CommandFailedError:
    """Return how an exception of the SDK is reported."""
    from hanami_sdk import hanami_exceptions as sdk

    statuses: dict[type[Exception], int] = {
        sdk.BadRequestException: 400,
        sdk.UnauthorizedException: 401,
        sdk.NotFoundException: 404,
        sdk.ConflictException: 409,
    }
    request_id = getattr(error, "request_id", None)
    hint = f"request id: {request_id}" if request_id else ""
    match error:
        case sdk.InternalServerErrorException():
            return CommandFailedError(f"status 500: err {error.reason or ''}", hint=hint)
        case sdk.UnexpectedStatusException():
            text = error.message.decode("utf-8", "replace")
            return CommandFailedError(f"status {error.status}: err {text}", hint=hint)
        case sdk.ConnectionFailedException():
            return CommandFailedError(str(error))
        case _:
            return CommandFailedError(f"status {statuses[type(error)]}: err {error}")


class Session:
    """A server, a user and a token.

    Parameters
    ----------
    address, user, passphrase : str
        From the environment.
    settings : Globals
        The global flags.
    """

    def __init__(self, address: str, user: str, passphrase: str, settings: Globals) -> None:
        self.address = address
        self.settings = settings
        self._user = user
        self._passphrase = passphrase
        self._verify = not settings.insecure
        self._token = ""

    def log_in(self) -> None:
        """Get a token.

        Raises
        ------
        CommandFailedError
            With the text of the server, or why there is no answer.
        """
        from hanami_sdk import hanami_token

        self._token = self._guarded(
            lambda: hanami_token.request_token(
                self.address, self._user, self._passphrase, self._verify
            )
        )

    def call(self, function: Callable[..., T], *arguments: object, **keywords: object) -> T:
        """Call a function of the SDK with token and address in front.

        Raises
        ------
        CommandFailedError
            Instead of every exception of the SDK.
        """
        return self._guarded(
            lambda: function(
                self._token,
                self.address,
                *arguments,
                verify_connection=self._verify,
                **keywords,
            )
        )

    def ask(
        self, function: Callable[..., bytes], *arguments: object, **keywords: object
    ) -> dict[str, Any]:
        """Call a function of the SDK and return its JSON object."""
        answer: dict[str, Any] = json.loads(self.call(function, *arguments, **keywords))
        return answer

    def _guarded(self, work: Callable[[], T]) -> T:
        from hanami_sdk.hanami_exceptions import HanamiException
        from hanami_sdk.hanami_request import strict_statuses

        try:
            with strict_statuses():
                return work()
        except HanamiException as error:
            raise _sdk_failure(error) from error


def open_session(ctx: click.Context) -> Session:
    """Read the environment and log in, as every command does first."""
    environment = read_environment(os.environ)
    session = Session(*environment, settings=ctx.ensure_object(Globals))
    if not environment.address.lower().startswith(("http://", "https://")):
        raise CommandFailedError(
            f"HANAMI_ADDRESS is {environment.address!r}; it must start with http:// or https://,"
            f" for instance http://127.0.0.1:11418 ({PROGRAM} --help)"
        )
    session.log_in()
    return session
