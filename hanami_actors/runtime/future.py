"""A Pykka future that can call back, so that an event loop never waits for an actor."""

import threading
from collections.abc import Callable
from typing import Any, cast

import pykka

from hanami_actors.runtime.error_boundary import Boundary

__all__ = ["CallbackFuture"]

Callback = Callable[["CallbackFuture"], None]


class CallbackFuture(pykka.ThreadingFuture[Any]):
    """The future every actor of ours answers with.

    ``Future.__await__`` of Pykka calls the blocking ``get`` and would stop an IOLoop; the bridge
    registers a callback instead. An actor that cannot answer yet returns a ``CallbackFuture`` from
    ``on_receive`` and settles it later: the outer future follows it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Callback] | None = []
        self._callbacks_lock = threading.Lock()

    def set(self, value: Any = None) -> None:
        """Settle with a value, or follow another future."""
        if isinstance(value, CallbackFuture):
            value.add_done_callback(self._follow)
            return
        super().set(value)
        self._notify()

    def set_exception(self, exc_info: Any = None) -> None:
        """Settle with an exception, by default the one being handled."""
        super().set_exception(exc_info)
        self._notify()

    def fail(self, error: BaseException) -> None:
        """Settle with this exception."""
        self.set_exception((type(error), error, error.__traceback__))

    def add_done_callback(self, callback: Callback) -> None:
        """Call ``callback(self)`` once settled: at once, or in the thread that settles it."""
        with self._callbacks_lock:
            if self._callbacks is not None:
                self._callbacks.append(callback)
                return
        callback(self)

    def outcome(self) -> Any:
        """Return the value or raise the exception of a settled future; never waits long."""
        return self.get(timeout=0)

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is settled; return whether it is."""
        settled = threading.Event()
        self.add_done_callback(lambda _: settled.set())
        return settled.wait(timeout_s)

    def error(self) -> BaseException | None:
        """Return the exception of a settled future, or None."""
        result = cast("Any", self)._result  # noqa: SLF001 - as in _follow
        if result is None or result.exc_info is None:
            return None
        kind, value, _ = result.exc_info
        return cast("BaseException", value if value is not None else kind())

    def _follow(self, other: "CallbackFuture") -> None:
        result = cast("Any", other)._result  # noqa: SLF001 - pykka keeps no public view of it
        if result.exc_info is not None:
            self.set_exception(result.exc_info)
        else:
            self.set(result.value)

    def _notify(self) -> None:
        with self._callbacks_lock:
            callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            # Runs in the thread of the actor that answers: its caller's mistakes are not its own.
            with Boundary("a callback of an answer"):
                callback(self)
