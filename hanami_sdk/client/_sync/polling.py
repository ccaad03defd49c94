# Generated from ../_async/polling.py by scripts/generate.
"""Ask until an answer is the one that is waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from hanami_sdk.calls.call import Call
from hanami_sdk.client._sync.sender import Caller
from hanami_sdk.client.retry import pauses

__all__ = ["answer_when"]

T = TypeVar("T")


def answer_when(
    client: Caller, call: Call[T], is_done: Callable[[T], bool], *, first_s: float
) -> T:
    """Send a call, after growing pauses, until its result is as wanted; return that one."""
    waits = pauses(first_s)
    while True:
        answer = client.do(call)
        if is_done(answer):
            return answer
        time.sleep(next(waits))
