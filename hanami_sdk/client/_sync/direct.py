# Generated from ../_async/direct.py by scripts/generate.
"""Direct sessions: values in, values out, training step by step over one websocket."""

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hanami_sdk._websocket import HandshakeRefusedError, closed_exception, open_sync_websocket
from hanami_sdk.calls import clusters
from hanami_sdk.client._sync.sender import Caller
from hanami_sdk.client.pipeline import Exchange, Pipeline, Rows, Samples
from hanami_sdk.hanami_exceptions import (
    ConflictException,
    HanamiException,
    NotFoundException,
    UnauthorizedException,
)

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["Direct"]

T = TypeVar("T")

DIRECT, TASK = "DIRECT", "TASK"

_log = logging.getLogger("hanami_sdk")


class Direct:
    """A direct session with a cluster; made by `Client.direct`, used in a ``with`` block.

    Training does not wait for every answer: ``window`` steps may be on the way. Leaving the block
    waits for all of them and lets the cluster work on its task queue again.
    """

    def __init__(
        self,
        client: Caller,
        cluster_uuid: str,
        *,
        window: int,
        switch_mode: bool,
        durability: str | None,
    ) -> None:
        self.cluster_uuid = cluster_uuid
        self._client = client
        self._pipeline = Pipeline(window)
        self._switch_mode = switch_mode
        self._has_switched = False
        self._first_options = {} if durability is None else {"durability": durability}
        self._token: str | None = None
        self._websocket: ClientConnection | None = None

    @property
    def steps_accepted(self) -> int:
        """Steps of training that the server has answered so far."""
        return self._pipeline.steps_accepted

    @property
    def steps_sent(self) -> int:
        """Steps of training sent so far."""
        return self._pipeline.steps_sent

    def __enter__(self) -> Self:
        session = self._client.session
        self._token = self._client.valid_token()
        if self._switch_mode:
            self._has_switched = self._enter_direct_mode()
        try:
            self._websocket = open_sync_websocket(
                session.address,
                self._token,
                target="cluster",
                uuid=self.cluster_uuid,
                verify=session.verify,
                options=self._first_options,
            )
        except BaseException as error:
            self._leave_direct_mode(error)
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
        websocket, cause = self._websocket, error
        assert websocket is not None, "the session was entered"
        try:
            if cause is None:
                self.flush()
        except BaseException as failure:
            cause = failure
            raise
        finally:
            self._websocket = None
            websocket.close()
            self._leave_direct_mode(cause)

    def _enter_direct_mode(self) -> bool:
        """Switch the mode; return whether it was another one before."""
        try:
            self._client.do(clusters.set_mode(self.cluster_uuid, DIRECT))
        except ConflictException as error:
            if not self._is_direct():
                raise error from None
            return False
        return True

    def _is_direct(self) -> bool:
        try:
            return (self._client.do(clusters.get_stats(self.cluster_uuid))).mode == DIRECT
        except (NotFoundException, UnauthorizedException):
            return False  # a server of the original interface, which does not say

    def _leave_direct_mode(self, cause: BaseException | None) -> None:
        if not self._has_switched:
            return
        self._has_switched = False
        try:
            self._client.do(clusters.set_mode(self.cluster_uuid, TASK))
        except HanamiException as error:
            # Whatever else went wrong before is what counts.
            if cause is None:
                raise
            _log.warning("cluster %s stays in direct mode: %s", self.cluster_uuid, error)

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
            return self._perform(self._websocket, exchange)
        except ConnectionClosed as error:
            raise closed_exception(error) from error

    def _perform(self, websocket: "ClientConnection", exchange: Exchange[T]) -> T:
        session = self._client.session
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

    def _renew(self, websocket: "ClientConnection") -> None:
        """Hand a new token over, between two messages; its answer comes in their order."""
        self._token = self._client.valid_token()
        websocket.send(self._pipeline.renewal(self._token))
