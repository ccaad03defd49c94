"""From the event loop to the actors and back, without ever blocking the loop."""

import asyncio
from typing import Any

from hanami_actors.actors.gateway import Command, Gateway, Target
from hanami_actors.errors import BusyError
from hanami_actors.runtime.future import CallbackFuture

__all__ = ["ask", "ask_patiently", "settled"]

RETRY_FIRST_S = 0.005
RETRY_LAST_S = 0.2


async def ask(gateway: Gateway, target: Target, command: Command, *, timeout_s: float) -> Any:
    """Send a message to an actor and wait for its answer; other requests go on meanwhile.

    Parameters
    ----------
    gateway : Gateway
    target : Target
    command : Command
    timeout_s : float
        An answer that arrives later is dropped; the actor may still have done what was asked.

    Raises
    ------
    BusyError
        There was no answer in time, or the actor takes no messages now.
    HanamiError
        Whatever the actor raised.
    """
    answer = await settled(gateway.ask(target, command), timeout_s=timeout_s)
    if answer is None:
        raise BusyError(
            f"no answer from {target.kind.value} {target.key!r} within {timeout_s:g} s; what was "
            "asked may still be done, look before you try again",
            may_be_done=True,
        )
    return answer.outcome()


async def settled(future: CallbackFuture, *, timeout_s: float) -> CallbackFuture | None:
    """Wait for a future of the actors; other requests go on meanwhile.

    Parameters
    ----------
    future : CallbackFuture
    timeout_s : float

    Returns
    -------
    CallbackFuture or None
        The settled future; None when it took too long.
    """
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[CallbackFuture | None] = loop.create_future()

    def deliver(answer: CallbackFuture | None) -> None:
        if not waiter.done():
            waiter.set_result(answer)

    def call_back(answer: CallbackFuture) -> None:
        # Runs in the thread of the actor. The loop may be gone when the server stops.
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, answer)

    timer = loop.call_later(timeout_s, deliver, None)
    try:
        future.add_done_callback(call_back)
        return await waiter
    finally:
        timer.cancel()


async def ask_patiently(
    gateway: Gateway, target: Target, command: Command, *, timeout_s: float
) -> Any:
    """Ask again while the actor is busy; only for messages that may be repeated.

    Parameters
    ----------
    gateway : Gateway
    target : Target
    command : Command
    timeout_s : float
        For all attempts together.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    pause_s = RETRY_FIRST_S
    while True:
        left_s = deadline - loop.time()
        try:
            return await ask(gateway, target, command, timeout_s=max(left_s, RETRY_FIRST_S))
        except BusyError:
            if left_s <= pause_s:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, RETRY_LAST_S)
