"""Ask until an answer is the one that is waited for."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from hanami_sdk.calls.call import Call
from hanami_sdk.client._async.sender import AsyncCaller
from hanami_sdk.client.retry import pauses

__all__ = ["answer_when"]

T = TypeVar("T")


async def answer_when(
    client: AsyncCaller, call: Call[T], is_done: Callable[[T], bool], *, first_s: float
) -> T:
    """Send a call, after growing pauses, until its result is as wanted; return that one."""
    waits = pauses(first_s)
    while True:
        answer = await client.do(call)
        if is_done(answer):
            return answer
        await asyncio.sleep(next(waits))
