"""One logged-in run of a command: calls the SDK and turns exceptions into what a shell sees."""

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import PROGRAM, Globals
from hanami_sdk.cli.config import Environment, read_environment
from hanami_sdk.cli.failures import CommandFailedError

if TYPE_CHECKING:
    from hanami_sdk import Client
    from hanami_sdk.calls.call import Call
    from hanami_sdk.calls.results import Login
    from hanami_sdk.hanami_exceptions import HanamiException

__all__ = ["Session", "open_failure", "open_session"]

T = TypeVar("T")

# The text of these says all; the others are worth a look into the log of the server.
QUIET = frozenset({400, 401, 404, 409})


def open_failure(error: OSError) -> CommandFailedError:
    """Return how an unreadable file is reported."""
    reason = (error.strerror or str(error)).lower()
    return CommandFailedError(f"open {error.filename}: {reason}")


def _sdk_failure(error: "HanamiException") -> CommandFailedError:
    """Return how an exception of the SDK is reported."""
    hint = f"request id: {error.request_id}" if error.request_id else ""
    if error.status is None or error.status == 200:
        return CommandFailedError(str(error), hint=hint)
    text = error.text
    if error.status == 500:
        text = getattr(error, "reason", None) or ""
    return CommandFailedError(
        f"status {error.status}: err {text}", hint=hint if error.status not in QUIET else ""
    )


class Session:
    """A server, a user and a token.

    Parameters
    ----------
    environment : Environment
        What the environment says.
    settings : Globals
        The global flags.
    """

    def __init__(self, environment: Environment, settings: Globals) -> None:
        self.address = environment.address
        self.settings = settings
        self._environment = environment
        self._verify = not settings.insecure
        self._token = environment.token
        self._client: Client | None = None

    @property
    def user(self) -> str:
        """The id of the user."""
        return self._environment.user

    @property
    def passphrase(self) -> str:
        """The passphrase of the user."""
        return self._environment.passphrase

    @property
    def has_passphrase(self) -> bool:
        """Whether a token that has run out can be replaced."""
        return not self._environment.token

    def log_in(self, *, enter_project: bool = True) -> None:
        """Get a token, for the project of the environment if there is one.

        Raises
        ------
        CommandFailedError
            With the text of the server, or why there is no answer.
        """
        known = self._environment
        if self.has_passphrase:
            self._fetch_token(calls.accounts.log_in(known.user, known.passphrase))
        if known.project and enter_project:
            self._fetch_token(calls.accounts.switch_project(known.project))

    @property
    def token(self) -> str:
        """The token that is valid now; a client renews it on long ways."""
        renewed = self._client.session.token if self._client is not None else None
        return renewed or self._token

    @property
    def client(self) -> "Client":
        """A client with the token of this session."""
        from hanami_sdk import Client

        if self._client is None:
            known = self._environment
            self._client = Client(
                self.address,
                known.user or None,
                known.passphrase or None,
                token=self._token,
                project_id=known.project or None,
                verify=self._verify,
            )
        return self._client

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def use(self, work: Callable[["Client"], T]) -> T:
        """Do something with the client.

        Raises
        ------
        CommandFailedError
            Instead of every exception of the SDK.
        """
        return self._guarded(lambda: work(self.client))

    def send(self, call: "Call[Any]") -> bytes:
        """Send a call and return the body of its answer.

        Raises
        ------
        CommandFailedError
            Instead of every exception of the SDK.
        """
        return self._guarded(lambda: self._answer(call))

    def ask(self, call: "Call[Any]") -> dict[str, Any]:
        """Send a call and return the JSON object of its answer, with all that the server sends."""
        answer: dict[str, Any] = json.loads(self.send(call))
        return answer

    def _answer(self, call: "Call[Any]") -> bytes:
        from hanami_sdk.hanami_request import send_call

        return send_call(self.token or None, self.address, call, self._verify)

    def _fetch_token(self, call: "Call[Login]") -> None:
        self._token = self._guarded(lambda: call.read(self._answer(call)).token)

    def _guarded(self, work: Callable[[], T]) -> T:
        from hanami_sdk.hanami_exceptions import HanamiException
        from hanami_sdk.hanami_request import strict_statuses

        try:
            with strict_statuses():
                return work()
        except HanamiException as error:
            raise _sdk_failure(error) from error


def open_session(ctx: click.Context, *, enter_project: bool = True) -> Session:
    """Read the environment and log in, as every command does first."""
    environment = read_environment(os.environ)
    session = Session(environment, ctx.ensure_object(Globals))
    if not environment.address.lower().startswith(("http://", "https://")):
        raise CommandFailedError(
            f"HANAMI_ADDRESS is {environment.address!r}; it must start with http:// or https://,"
            f" for instance http://127.0.0.1:11418 ({PROGRAM} --help)"
        )
    ctx.call_on_close(session.close)
    session.log_in(enter_project=enter_project)
    return session
