"""The client: logins, tokens and repeated attempts around each call."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from hanami_sdk._progress import Report
from hanami_sdk._transport import (
    TRANSPORT_ERRORS,
    Answer,
    answer_of,
    failure_of,
    is_checked,
    make_async_client,
)
from hanami_sdk.calls import accounts
from hanami_sdk.calls.call import Call
from hanami_sdk.calls.results import Login
from hanami_sdk.client._async.resources import (
    AsyncCheckpoints,
    AsyncClusters,
    AsyncDatasets,
    AsyncHosts,
    AsyncLogs,
    AsyncProjects,
    AsyncSystem,
    AsyncUsers,
)
from hanami_sdk.client._async.tasks import AsyncRequestTask, AsyncTasks, AsyncTrainTask
from hanami_sdk.client.environment import from_environment
from hanami_sdk.client.pipeline import WINDOW_STEPS
from hanami_sdk.client.references import Links, Reference, Results, column_names, uuid_of
from hanami_sdk.client.retry import Retry
from hanami_sdk.client.sending import (
    DOWNLOAD_BLOCK_BYTES,
    Download,
    checked,
    headers_of,
    timeout_of,
)
from hanami_sdk.client.session import Session
from hanami_sdk.hanami_exceptions import ConnectionFailedException, UnauthorizedException
from hanami_sdk.hanami_request import content_of, url_of

if TYPE_CHECKING:
    from hanami_sdk.client._async.direct import AsyncDirect

__all__ = ["AsyncClient"]

T = TypeVar("T")


class AsyncClient:
    """One user of one server, for programs with an event loop.

    Parameters
    ----------
    address : str
        For instance ``http://127.0.0.1:11418``.
    user_id, passphrase : str, optional
        For the login at the first call, and for later ones when the token has run out.
    token : str, optional
        A token instead of a login; it is renewed as long as it is valid.
    project_id : str, optional
        The project to work in; without it the one that the server chooses.
    verify : bool
        False accepts any certificate of a https server.
    retry : Retry
        When attempts are repeated.

    Examples
    --------
    >>> async with AsyncClient("http://127.0.0.1:11418", "asdf", "secret") as client:  # doctest: +SKIP
    ...     inputs, outputs = {"in": (data, "picture")}, {"out": (data, "label")}
    ...     task = await client.train(cluster, inputs=inputs, outputs=outputs, epochs=2)
    ...     await task.wait(progress=True)
    """

    def __init__(
        self,
        address: str,
        user_id: str | None = None,
        passphrase: str | None = None,
        *,
        token: str | None = None,
        project_id: str | None = None,
        verify: bool = True,
        retry: Retry | None = None,
    ) -> None:
        self.session = Session(
            address,
            user_id=user_id,
            passphrase=passphrase,
            token=token,
            project_id=project_id,
            verify=verify,
            retry=retry or Retry(),
        )
        self._lock = asyncio.Lock()
        self._http = make_async_client(is_checked(address, verify))
        self.users = AsyncUsers(self)
        self.projects = AsyncProjects(self)
        self.datasets = AsyncDatasets(self)
        self.clusters = AsyncClusters(self)
        self.tasks = AsyncTasks(self)
        self.checkpoints = AsyncCheckpoints(self)
        self.hosts = AsyncHosts(self)
        self.logs = AsyncLogs(self)
        self.system = AsyncSystem(self)

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """Return a client from ``HANAMI_ADDRESS``, ``HANAMI_USER`` and so on, as hanamictl has it.

        Raises
        ------
        KeyError
            When a variable is missing; the text names it.
        """
        return cls(**from_environment(), **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def train(
        self,
        cluster: Reference,
        *,
        inputs: Links,
        outputs: Links,
        epochs: int | None = None,
        name: str = "train",
        time_length: int | None = None,
    ) -> AsyncTrainTask:
        """Queue the training of a cluster.

        Parameters
        ----------
        cluster : Cluster or str
            What to train.
        inputs, outputs : mapping or list
            ``{"hexagon": (dataset, "column")}``: which column goes to which input, and which one
            is expected from which output.
        epochs : int, optional
            How often all rows are trained, 1 without it.
        name : str
            Of the task.
        time_length : int, optional
            How many rows one input consists of, 1 without it.
        """
        created = await self.tasks.create_train(
            cluster,
            inputs=inputs,
            outputs=outputs,
            epochs=epochs,
            name=name,
            time_length=time_length,
        )
        return AsyncTrainTask(self, uuid_of(cluster), created)

    async def request(
        self,
        cluster: Reference,
        *,
        inputs: Links,
        results: Results,
        name: str = "request",
        time_length: int | None = None,
    ) -> AsyncRequestTask:
        """Queue questions to a cluster; ``result()`` of the task has the answers.

        Parameters
        ----------
        cluster : Cluster or str
            What to ask.
        inputs : mapping or list
            As for a training.
        results : str, mapping or list
            Names of outputs, or ``{"hexagon": "column"}`` to give their columns other names.
        name : str
            Of the task and of the dataset with the answers.
        time_length : int, optional
            How many rows one input consists of, 1 without it.
        """
        created = await self.tasks.create_request(
            cluster, inputs=inputs, results=results, name=name, time_length=time_length
        )
        return AsyncRequestTask(self, uuid_of(cluster), created, column_names(results))

    def direct(
        self,
        cluster: Reference,
        *,
        window: int = WINDOW_STEPS,
        switch_mode: bool = True,
        durability: str | None = None,
    ) -> "AsyncDirect":
        """Return a direct session for an ``async with`` block: values in, values out.

        Parameters
        ----------
        cluster : Cluster or str
            Its task queue must be empty.
        window : int
            How many steps of training may be on the way without an answer.
        switch_mode : bool
            False leaves the mode as it is; requests are answered in every mode, also while a
            task trains.
        durability : str, optional
            ``committed`` has every step answered only after it is safe on the disk.
        """
        from hanami_sdk.client._async.direct import AsyncDirect

        return AsyncDirect(
            self, uuid_of(cluster), window=window, switch_mode=switch_mode, durability=durability
        )

    async def log_in(self) -> Login:
        """Log in now, and not at the first call."""
        login = await self._send(self.session.login(), None)
        self.session.keep(login.token)
        if self.session.project_id is not None:
            login = await self._enter(self.session.project_id)
        return login

    async def switch_project(self, project_id: str) -> Login:
        """Work in another project of the same user from now on."""
        await self.valid_token()
        login = await self._enter(project_id)
        self.session.project_id = project_id
        return login

    async def _enter(self, project_id: str) -> Login:
        login = await self._send(accounts.switch_project(project_id), self.session.token)
        self.session.keep(login.token)
        return login

    async def valid_token(self) -> str:
        """Return a token that is good for a while; log in or renew it if need be."""
        if self.session.needs_token:
            async with self._lock:
                # Somebody else may have been faster.
                if self.session.needs_token:
                    await self._renew()
        token = self.session.token
        assert token is not None, "a login ends with a token or an exception"
        return token

    async def _renew(self) -> None:
        if self.session.has_passphrase:
            await self.log_in()
        else:
            await self._enter(self.session.project_to_enter)

    async def do(self, call: Call[T]) -> T:
        """Send a call with a valid token and return its result; a refused token is replaced once.

        Raises
        ------
        HanamiException
            What the server answered instead, or that it did not answer.
        """
        token = await self.valid_token()
        try:
            return await self._send(call, token)
        except UnauthorizedException:
            if not self.session.has_passphrase:
                raise
        async with self._lock:
            if self.session.token == token:
                await self.log_in()
        return await self._send(call, self.session.token)

    async def do_once(self, call: Call[T]) -> T:
        """Send a call with a valid token; one that is refused is not replaced."""
        return await self._send(call, await self.valid_token())

    async def download(self, call: Call[bytes], path: Path, report: Report | None) -> None:
        """Write the answer of a call to a file; the file is complete or not there.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        await self._answer(call, await self.valid_token(), Download(path, report))

    async def _send(self, call: Call[T], token: str | None) -> T:
        answer = await self._answer(call, token, None)
        return call.read(answer.body)

    async def _answer(self, call: Call[Any], token: str | None, file: Download | None) -> Answer:
        """Send a call, again where that is safe; return the answer of a call that was done."""
        retry = self.session.retry
        attempt = 1
        while True:
            try:
                answer = await self._attempt(call, token, file)
            except ConnectionFailedException as error:
                if not retry.repeats(call, attempt, error):
                    raise
            else:
                if not retry.repeats(call, attempt, answer):
                    return checked(answer)
            await asyncio.sleep(retry.pause_s(attempt))
            attempt += 1

    async def _attempt(self, call: Call[Any], token: str | None, file: Download | None) -> Answer:
        url = url_of(self.session.address, call)
        try:
            request = self._http.build_request(
                call.method,
                url,
                headers=headers_of(token),
                content=content_of(call),
                timeout=timeout_of(call),
            )
            response = await self._http.send(request, stream=True)
            try:
                return await self._received(response, file)
            finally:
                await response.aclose()
        except TRANSPORT_ERRORS as error:
            raise failure_of(error, call.method, url) from error

    async def _received(self, response: httpx.Response, file: Download | None) -> Answer:
        if file is None or response.status_code != 200:
            await response.aread()
            return answer_of(response)
        with file.writing(response.headers) as write:
            async for block in response.aiter_bytes(DOWNLOAD_BLOCK_BYTES):
                write(block)
        return Answer(response.status_code, b"", response.headers.get("X-Request-Id"))
