"""`AsyncClient`: every call has to be awaited."""

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hanami_sdk._transport import (
    TRANSPORT_ERRORS,
    Answer,
    answer_of,
    failure_of,
    is_checked,
    make_async_client,
)
from hanami_sdk.client import tasks
from hanami_sdk.client.awaiting_resources import (
    AsyncCheckpoints,
    AsyncClusters,
    AsyncDatasets,
    AsyncHosts,
    AsyncLogs,
    AsyncProjects,
    AsyncRequestTask,
    AsyncSystem,
    AsyncTasks,
    AsyncTrainTask,
    AsyncUsers,
)
from hanami_sdk.client.environment import from_environment
from hanami_sdk.client.flow import Download, Effect, Exclusive, Flow, Pause, Request
from hanami_sdk.client.pipeline import WINDOW_STEPS
from hanami_sdk.client.references import Links, Reference, Results, uuid_of
from hanami_sdk.client.results import Login
from hanami_sdk.client.sending import (
    DOWNLOAD_BLOCK_BYTES,
    headers_of,
    timeout_of,
    writing,
)
from hanami_sdk.client.session import Retry, Session

if TYPE_CHECKING:
    from hanami_sdk.client.direct import AsyncDirect

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

    async def log_in(self) -> Login:
        """Log in now, and not at the first call."""
        return await self.run(self.session.log_in())

    async def switch_project(self, project_id: str) -> Login:
        """Work in another project of the same user from now on."""
        return await self.run(self.session.switch_project(project_id))

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
        flow = tasks.create_train_task(
            self.session,
            cluster,
            inputs=inputs,
            outputs=outputs,
            epochs=epochs,
            name=name,
            time_length=time_length,
        )
        return AsyncTrainTask(self, uuid_of(cluster), await self.run(flow))

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
        flow = tasks.create_request_task(
            self.session,
            cluster,
            inputs=inputs,
            results=results,
            name=name,
            time_length=time_length,
        )
        columns = tasks.column_names(results)
        return AsyncRequestTask(self, uuid_of(cluster), await self.run(flow), columns)

    def direct(
        self,
        cluster: Reference,
        *,
        window: int = WINDOW_STEPS,
        switch_mode: bool = True,
        durability: str | None = None,
    ) -> "AsyncDirect":
        """Return a direct session for a ``async with`` block: values in, values out.

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
        from hanami_sdk.client.direct import AsyncDirect

        return AsyncDirect(
            self, uuid_of(cluster), window=window, switch_mode=switch_mode, durability=durability
        )

    async def run(self, flow: Flow[T]) -> T:
        """Perform what a flow asks for, until it returns."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = await self._perform(effect)
                except BaseException as error:  # noqa: BLE001  # the flow decides what it means
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as stop:
            ended: T = stop.value
            return ended

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Request():
                return await self._sent(effect)
            case Download():
                return await self._downloaded(effect)
            case Exclusive():
                async with self._lock:
                    return await self.run(effect.work())
            case Pause():
                await asyncio.sleep(effect.duration_s)
                return None
            case _:
                return await effect.work()

    async def _sent(self, request: Request) -> Answer:
        try:
            response = await self._http.request(
                request.method,
                request.url,
                headers=headers_of(request),
                content=request.body,
                timeout=timeout_of(request),
            )
        except TRANSPORT_ERRORS as error:
            raise failure_of(error, request.method, request.url) from error
        return answer_of(response)

    async def _downloaded(self, download: Download) -> Answer:
        request = download.request
        streaming = self._http.stream(
            request.method, request.url, headers=headers_of(request), timeout=timeout_of(request)
        )
        try:
            async with streaming as response:
                if response.status_code != 200:
                    await response.aread()
                    return answer_of(response)
                with writing(download, response.headers) as write:
                    async for block in response.aiter_bytes(DOWNLOAD_BLOCK_BYTES):
                        write(block)
        except TRANSPORT_ERRORS as error:
            raise failure_of(error, request.method, request.url) from error
        return Answer(response.status_code, b"", response.headers.get("X-Request-Id"))
