"""Direct sessions: values in, values out, training step by step over one websocket."""

import logging
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hanami_sdk._websocket import (
    HandshakeRefusedError,
    closed_exception,
    open_sync_websocket,
    open_websocket,
)
from hanami_sdk.client.clusters import cluster_stats, set_mode
from hanami_sdk.client.flow import Flow
from hanami_sdk.client.pipeline import Exchange, Pipeline, Rows, Samples
from hanami_sdk.client.session import Session
from hanami_sdk.hanami_exceptions import (
    ConflictException,
    HanamiException,
    NotFoundException,
    UnauthorizedException,
)

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.sync.connection import Connection

    from hanami_sdk.client.methods import AsyncRunner, Runner

__all__ = ["AsyncDirect", "Direct"]

T = TypeVar("T")

DIRECT, TASK = "DIRECT", "TASK"

_log = logging.getLogger("hanami_sdk")


def enter_direct_mode(session: Session, cluster_uuid: str) -> Flow[bool]:
    """Switch the mode; return whether it was another one before."""
    try:
        yield from set_mode(session, cluster_uuid, DIRECT)
    except ConflictException as error:
        if not (yield from _is_direct(session, cluster_uuid)):
            raise error from None
        return False
    return True


def _is_direct(session: Session, cluster_uuid: str) -> Flow[bool]:
    try:
        return (yield from cluster_stats(session, cluster_uuid)).mode == DIRECT
    except (NotFoundException, UnauthorizedException):
        return False  # a server of the original interface, which does not say


def _options(durability: str | None) -> dict[str, str]:
    return {} if durability is None else {"durability": durability}


class _Base:
    """What both kinds of session have in common."""

    def __init__(
        self,
        cluster_uuid: str,
        *,
        window: int,
        switch_mode: bool,
        durability: str | None,
    ) -> None:
        self.cluster_uuid = cluster_uuid
        self._pipeline = Pipeline(window)
        self._switch_mode = switch_mode
        self._has_switched = False
        self._first_options = _options(durability)
        self._token: str | None = None

    @property
    def steps_accepted(self) -> int:
        """Steps of training that the server has answered so far."""
        return self._pipeline.steps_accepted

    @property
    def steps_sent(self) -> int:
        """Steps of training sent so far."""
        return self._pipeline.steps_sent

    def _restore_failed(self, error: HanamiException, cause: BaseException | None) -> None:
        """Raise, or only say that the mode stays if something else went wrong before."""
        if cause is None:
            raise error
        _log.warning("cluster %s stays in direct mode: %s", self.cluster_uuid, error)


class Direct(_Base):
    """A direct session with a cluster; made by `Client.direct`, used in a ``with`` block.

    Training does not wait for every answer: ``window`` steps may be on the way. Leaving the block
    waits for all of them and lets the cluster work on its task queue again.
    """

    def __init__(self, runner: "Runner", cluster_uuid: str, **options: Any) -> None:
        super().__init__(cluster_uuid, **options)
        self._runner = runner
        self._stack = ExitStack()
        self._websocket: Connection | None = None

    def __enter__(self) -> Self:
        session = self._runner.session
        self._token = self._runner.run(session.valid_token())
        if self._switch_mode:
            self._has_switched = self._runner.run(enter_direct_mode(session, self.cluster_uuid))
        try:
            opening = open_sync_websocket(
                session.address,
                self._token,
                target="cluster",
                uuid=self.cluster_uuid,
                verify=session.verify,
                options=self._first_options,
            )
            self._websocket = self._stack.enter_context(opening)
        except BaseException as error:
            self._leave(error)
            if isinstance(error, HandshakeRefusedError):
                raise ConflictException(str(error).encode()) from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cause = error
        try:
            if cause is None:
                self.flush()
        except BaseException as failure:
            cause = failure
            raise
        finally:
            self._websocket = None
            self._stack.close()
            self._leave(cause)

    def _leave(self, cause: BaseException | None) -> None:
        if not self._has_switched:
            return
        self._has_switched = False
        try:
            self._runner.run(set_mode(self._runner.session, self.cluster_uuid, TASK))
        except HanamiException as error:
            self._restore_failed(error, cause)

    def train(self, inputs: Samples, expected: Samples) -> None:
        """Train one step: ``{"hexagon": values}`` for the inputs and for the outputs."""
        self._drive(self._pipeline.train(inputs, expected))

    def train_many(self, inputs: Rows, expected: Rows) -> int:
        """Train a step for every row of the values; return how many the server has accepted."""
        return self._drive(self._pipeline.train_many(inputs, expected))

    def request(self, inputs: Samples) -> Any:
        """Return the values of the outputs, in the order of their names, as one array."""
        return self._drive(self._pipeline.request(inputs))

    def request_many(self, inputs: Rows) -> Any:
        """Return one row of output values for every row of the inputs."""
        return self._drive(self._pipeline.request_many(inputs))

    def flush(self) -> int:
        """Wait until everything sent is answered; return the number of accepted steps."""
        return self._drive(self._pipeline.flush())

    def _drive(self, exchange: Exchange[T]) -> T:
        from websockets.exceptions import ConnectionClosed

        if self._websocket is None:
            raise RuntimeError("a direct session is used inside of its with block")
        try:
            return self._perform(exchange)
        except ConnectionClosed as error:
            raise closed_exception(error) from error

    def _renew(self, websocket: "Connection") -> None:
        """Hand a new token over, between two messages; its answer comes in their order."""
        self._token = self._runner.run(self._runner.session.valid_token())
        websocket.send(self._pipeline.renewal(self._token))

    def _perform(self, exchange: Exchange[T]) -> T:
        websocket, session = self._websocket, self._runner.session
        assert websocket is not None, "the session was entered"
        try:
            message = next(exchange)
            while True:
                if message is None:
                    message = exchange.send(websocket.recv())
                else:
                    if session.is_due or session.token != self._token:
                        self._renew(websocket)
                    websocket.send(message)
                    message = next(exchange)
        except StopIteration as stop:
            ended: T = stop.value
            return ended


class AsyncDirect(_Base):
    """A direct session with a cluster; made by `AsyncClient.direct`, used in ``async with``.

    Training does not wait for every answer: ``window`` steps may be on the way. Leaving the block
    waits for all of them and lets the cluster work on its task queue again.
    """

    def __init__(self, runner: "AsyncRunner", cluster_uuid: str, **options: Any) -> None:
        super().__init__(cluster_uuid, **options)
        self._runner = runner
        self._websocket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        session = self._runner.session
        self._token = await self._runner.run(session.valid_token())
        if self._switch_mode:
            entering = enter_direct_mode(session, self.cluster_uuid)
            self._has_switched = await self._runner.run(entering)
        try:
            self._websocket = await open_websocket(
                session.address,
                self._token,
                target="cluster",
                uuid=self.cluster_uuid,
                verify=session.verify,
                options=self._first_options,
            )
        except BaseException as error:
            await self._leave(error)
            if isinstance(error, HandshakeRefusedError):
                raise ConflictException(str(error).encode()) from error
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        websocket, cause = self._websocket, error
        assert websocket is not None, "the session was entered"
        try:
            if cause is None:
                await self.flush()
        except BaseException as failure:
            cause = failure
            raise
        finally:
            await websocket.close()
            await self._leave(cause)

    async def _leave(self, cause: BaseException | None) -> None:
        if not self._has_switched:
            return
        self._has_switched = False
        try:
            await self._runner.run(set_mode(self._runner.session, self.cluster_uuid, TASK))
        except HanamiException as error:
            self._restore_failed(error, cause)

    async def train(self, inputs: Samples, expected: Samples) -> None:
        """Train one step: ``{"hexagon": values}`` for the inputs and for the outputs."""
        await self._drive(self._pipeline.train(inputs, expected))

    async def train_many(self, inputs: Rows, expected: Rows) -> int:
        """Train a step for every row of the values; return how many the server has accepted."""
        return await self._drive(self._pipeline.train_many(inputs, expected))

    async def request(self, inputs: Samples) -> Any:
        """Return the values of the outputs, in the order of their names, as one array."""
        return await self._drive(self._pipeline.request(inputs))

    async def request_many(self, inputs: Rows) -> Any:
        """Return one row of output values for every row of the inputs."""
        return await self._drive(self._pipeline.request_many(inputs))

    async def flush(self) -> int:
        """Wait until everything sent is answered; return the number of accepted steps."""
        return await self._drive(self._pipeline.flush())

    async def _drive(self, exchange: Exchange[T]) -> T:
        from websockets.exceptions import ConnectionClosed

        if self._websocket is None:
            raise RuntimeError("a direct session is used inside of its async with block")
        try:
            return await self._perform(exchange)
        except ConnectionClosed as error:
            raise closed_exception(error) from error

    async def _renew(self, websocket: "ClientConnection") -> None:
        """Hand a new token over, between two messages; its answer comes in their order."""
        self._token = await self._runner.run(self._runner.session.valid_token())
        await websocket.send(self._pipeline.renewal(self._token))

    async def _perform(self, exchange: Exchange[T]) -> T:
        websocket, session = self._websocket, self._runner.session
        assert websocket is not None, "the session was entered"
        try:
            message = next(exchange)
            while True:
                if message is None:
                    message = exchange.send(await websocket.recv())
                else:
                    if session.is_due or session.token != self._token:
                        await self._renew(websocket)
                    await websocket.send(message)
                    message = next(exchange)
        except StopIteration as stop:
            ended: T = stop.value
            return ended
