"""How much that clients have sent may be in memory at the same time."""

import asyncio

__all__ = ["ByteBudget"]


class ByteBudget:
    """Counts bytes that are held for all clients together. Runs in the event loop's thread.

    Parameters
    ----------
    limit_bytes : int
        Beyond it there is no room; who has taken before may still be over it by one piece.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._used_bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def used_bytes(self) -> int:
        """What is held now."""
        return self._used_bytes

    @property
    def has_room(self) -> bool:
        """Whether more may be taken."""
        return self._used_bytes < self.limit_bytes

    def take(self, size_bytes: int) -> None:
        """Hold so many more."""
        self._used_bytes += size_bytes
        if not self.has_room:
            self._room.clear()

    def give_back(self, size_bytes: int) -> None:
        """Let go of what was taken."""
        self._used_bytes -= size_bytes
        assert self._used_bytes >= 0, "nobody gives back more than was taken"
        if self.has_room:
            self._room.set()

    async def wait_for_room(self) -> None:
        """Return as soon as there is room."""
        await self._room.wait()
