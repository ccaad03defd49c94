"""Talk to a cluster value by value, over the websocket of `cluster.switch_to_direct_mode`."""

from collections.abc import Iterable

from websockets.asyncio.client import ClientConnection

from hanami_sdk.hanami_messages.proto3_pb2 import (
    EXPECTED_BUFFER_TYPE,
    INPUT_BUFFER_TYPE,
    REQUEST_TYPE,
    TRAIN_TYPE,
    ClusterIO_Message,
    ClusterProcessType,
    TargetBufferType,
)

__all__ = ["send_request_input", "send_train_input"]


async def _exchange(
    ws: ClientConnection,
    name: str,
    values: Iterable[float],
    process: ClusterProcessType,
    target: TargetBufferType,
    is_last: bool,
) -> list[float]:
    """Send one message, wait for the one answer to it and return its values."""
    message = ClusterIO_Message(
        bufferName=name, isLast=is_last, processType=process, targetBufferType=target
    )
    message.values.extend(values)
    message.numberOfValues = len(message.values)
    await ws.send(message.SerializeToString())
    answer = ClusterIO_Message()
    received = await ws.recv()
    answer.ParseFromString(received if isinstance(received, bytes) else received.encode())
    return list(answer.values)


def _train_flags(
    flags: tuple[bool, ...],
    *,
    is_input: bool | None,
    is_last: bool | None,
) -> tuple[bool, bool]:
    """Tell which of the positional flags is which; see `send_train_input`."""
    given = list(flags)
    if len(given) > 3:
        raise TypeError(f"send_train_input() takes at most 3 flags, got {len(given)}")
    if len(given) == 3:
        given.pop()  # verify_connection: the websocket is already open
    if len(given) == 2:
        if is_input is not None or is_last is not None:
            raise TypeError("send_train_input() got is_input or is_last twice")
        return given[0], given[1]
    if len(given) == 1:
        if is_last is not None and is_input is not None:
            raise TypeError("send_train_input() got is_input or is_last twice")
        if is_last is not None:
            return given[0], is_last
        return True if is_input is None else is_input, given[0]
    if is_last is None:
        raise TypeError("send_train_input() is missing the argument is_last")
    return True if is_input is None else is_input, is_last


async def send_train_input(
    ws: ClientConnection,
    hexagon_name: str,
    values: Iterable[float],
    *flags: bool,
    is_input: bool | None = None,
    is_last: bool | None = None,
    verify_connection: bool = True,  # part of every signature
) -> None:
    """Send values for one step of training; after the last ones the cluster learns.

    Parameters
    ----------
    ws : websocket
        From `cluster.switch_to_direct_mode`.
    hexagon_name : str
        The input, or the output that the values are expected from.
    values : iterable of float
        The values.
    *flags : bool
        One flag: ``is_last``; the server knows from the name whether it is an input or an
        output. Two flags: ``is_input, is_last``. A third one is ``verify_connection``.
    is_input, is_last, verify_connection : bool
        The same as keywords.
    """
    to_input, last = _train_flags(flags, is_input=is_input, is_last=is_last)
    target = INPUT_BUFFER_TYPE if to_input else EXPECTED_BUFFER_TYPE
    await _exchange(ws, hexagon_name, values, TRAIN_TYPE, target, last)


async def send_request_input(
    ws: ClientConnection,
    hexagon_name: str,
    values: Iterable[float],
    is_last: bool,
    verify_connection: bool = True,  # part of every signature
) -> list[float] | None:
    """Send values to an input; after the last ones return the values of the output."""
    answer = await _exchange(ws, hexagon_name, values, REQUEST_TYPE, INPUT_BUFFER_TYPE, is_last)
    return answer if is_last else None
