"""Connections that say something odd and leave."""

import contextlib
import random

from tests.protocol.raw_clients import RawHttp, RawWebSocket

__all__ = ["disturb"]


def disturb(port: int, number: int) -> None:
    """Open a connection and do something odd with it; the same number does the same."""
    dice = random.Random(number)
    noise = dice.randbytes(dice.randrange(200))
    with contextlib.suppress(ConnectionError, AssertionError, IndexError):
        if number % 3 == 0:
            with RawHttp(port) as client:
                client.send(noise + b"\r\n\r\n")
        elif number % 3 == 1:
            with RawWebSocket(port) as client:
                client._http.send(noise)
        else:
            with RawWebSocket(port) as client:
                client.send(noise)
                client.receive()
