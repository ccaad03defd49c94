"""Why a running job is to stop, and who waits until it has."""

from collections.abc import Iterable
from typing import Any

from hanami_actors.errors import ConflictError
from hanami_actors.runtime.future import CallbackFuture

__all__ = ["Stops"]


class Stops:
    """The wishes of users and of the server about the job of a cluster.

    Attributes
    ----------
    aborts, pauses, moves, leavers : list of CallbackFuture
        Who waits for which kind of stop.
    host_uuid : str
        Where the network is to go.
    """

    def __init__(self) -> None:
        self.aborts: list[CallbackFuture] = []
        self.pauses: list[CallbackFuture] = []
        self.moves: list[CallbackFuture] = []
        self.leavers: list[CallbackFuture] = []
        self.host_uuid = ""

    def wait(self, waiting: list[CallbackFuture]) -> CallbackFuture:
        """Return a future that is settled with the others of this kind."""
        future = CallbackFuture()
        waiting.append(future)
        return future

    def take(self) -> "Stops":
        """Return all who wait for the job, and forget them; those who wait for the end stay."""
        taken = Stops()
        taken.aborts, taken.pauses, taken.moves = self.aborts, self.pauses, self.moves
        taken.host_uuid = self.host_uuid
        self.aborts, self.pauses, self.moves, self.host_uuid = [], [], [], ""
        return taken

    def answer(self, value: Any = None) -> None:
        """Tell everybody but the leavers that it has happened."""
        for waiter in (*self.aborts, *self.pauses, *self.moves):
            waiter.set(value)

    def refuse_pauses(self, reason: str) -> None:
        """Tell those who wait for a pause that there will be none."""
        pauses, self.pauses = self.pauses, []
        for waiter in pauses:
            waiter.fail(ConflictError(reason))

    def fail(self, error: BaseException) -> None:
        """Tell everybody that it will not happen."""
        for waiter in self._all():
            waiter.fail(error)

    def _all(self) -> Iterable[CallbackFuture]:
        return (*self.aborts, *self.pauses, *self.moves, *self.leavers)
