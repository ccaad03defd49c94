"""The base of all actors: bounded inbox, callbacks instead of waiting, persist before taking a state."""

import logging
from types import TracebackType
from typing import Any, ClassVar, cast

import pykka

from hanami_actors.errors import BusyError
from hanami_actors.runtime.future import CallbackFuture
from hanami_actors.runtime.inbox import Inbox, Internal

__all__ = ["ASK_TIMEOUT_S", "Actor", "ActorRef", "ask", "tell"]

logger = logging.getLogger(__name__)

ASK_TIMEOUT_S = 30.0
"""How long one actor waits for another; far above anything but a stuck disk."""

ActorRef = pykka.ActorRef[Any]


class Actor(pykka.ThreadingActor):
    """A Pykka actor with the hooks of ours.

    ``__init__`` runs in the starter's thread; ``on_start`` and everything after it run in the
    actor's own. An exception answered to an ``ask`` leaves the actor alive, so handlers change
    nothing before they have persisted; after a fault nobody knows what is on the disk, and the
    handler calls `die`: the next message finds the actor restarted by replay.
    """

    # A stuck actor must not keep the process alive; the supervisor stops all actors in order.
    use_daemon_thread: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.inbox = cast("Inbox", self.actor_inbox)

    @staticmethod
    def _create_actor_inbox() -> Inbox:
        return Inbox()

    @staticmethod
    def _create_future() -> CallbackFuture:
        return CallbackFuture()

    def die(self) -> None:
        """Stop after the message being handled; whoever waits in the inbox is told to try again.

        ``on_stop`` may run twice (an error can follow), so it must not mind.
        """
        pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        self.on_stop()

    def _actor_loop(self) -> None:
        """Run the actor in its thread; however it ends, nobody waits for it for ever."""
        self._actor_loop_setup()
        if self.actor_stopped.is_set():
            # Pykka calls no hook when on_start fails.
            self.on_stop()
        try:
            self._actor_loop_running()
        finally:
            pykka.ActorRegistry.unregister(self.actor_ref)
            self.actor_stopped.set()
            # From here on the inbox answers by itself: a message put after the last look into it
            # would otherwise lose its answer.
            self.inbox.close()
            self._actor_loop_teardown()

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release what the actor holds; the supervisor notices that it is gone."""
        del exception_type, traceback
        logger.error("%s died: %s", type(self).__name__, exception_value)
        self.on_stop()


def ask(ref: ActorRef, message: Any, *, timeout_s: float = ASK_TIMEOUT_S) -> Any:
    """Ask an actor below and wait; only actors may call this, never the IOLoop.

    Raises
    ------
    BusyError
        The actor is full, stopped, or did not answer in time.
    """
    try:
        return ref.ask(message, block=True, timeout=timeout_s)
    except pykka.ActorDeadError as error:
        raise BusyError(
            "a part of the server is being restarted; try again in a moment", may_be_done=True
        ) from error
    except pykka.Timeout as error:
        raise BusyError(
            f"a part of the server did not answer within {timeout_s:g} s", may_be_done=True
        ) from error


def tell(ref: ActorRef | None, message: Internal) -> bool:
    """Tell an actor something, upwards; return whether it was alive to hear it."""
    if ref is None:
        return False
    try:
        ref.tell(message)
    except pykka.ActorDeadError:
        return False
    return True
