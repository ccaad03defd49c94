"""The networks in memory: which moment each is at, and which one leaves when memory is short."""

import dataclasses
import threading
from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

from hanami_actors.compute import Network
from hanami_actors.replay.point import Moment

__all__ = ["Networks", "Placement"]


@dataclasses.dataclass
class Placement:
    """A loaded network and the moment it is at; touched only by whoever has the lane's turn.

    Attributes
    ----------
    network : Network
    moment : Moment
    is_settled : bool
        Whether this is a moment that users may see; not while older cycles are computed again.
    keeps_potentials : bool
        Whether a request leaves something behind for the next one of the same asker.
    """

    network: Network
    moment: Moment
    is_settled: bool = True
    keeps_potentials: bool = False
    _asker: object = None
    _kept: "WeakKeyDictionary[Any, Any]" = dataclasses.field(default_factory=WeakKeyDictionary)

    def let_ask(self, asker: object) -> None:
        """Make the network as the last request of this asker left it.

        Several connections and a request task may ask one network in turns; none of them may see
        the potentials that another one left.
        """
        if self._asker is asker:
            return
        if self.keeps_potentials and self._asker is not None:
            self._kept[self._asker] = self.network.take_transients("request")
        self._asker = asker
        kept = self._kept.pop(asker, None)
        if kept is None or not self.network.put_transients("request", kept):
            self.network.reset_transients("request")


class Networks:
    """Loaded networks of a host, least recently used first. Thread-safe.

    Parameters
    ----------
    size_max_bytes : int
        Bound for the sum of their sizes. A dropped network is computed again from its newest
        snapshot when it is needed.
    """

    def __init__(self, size_max_bytes: int) -> None:
        self._size_max_bytes = size_max_bytes
        self._lock = threading.Lock()
        self._placements: OrderedDict[str, Placement] = OrderedDict()
        self._pinned: set[str] = set()

    def pin(self, cluster_uuid: str) -> None:
        """Keep a network whatever happens: it has learned what the log does not know yet."""
        with self._lock:
            self._pinned.add(cluster_uuid)

    def unpin(self, cluster_uuid: str) -> None:
        """Let a network leave when memory is short."""
        with self._lock:
            self._pinned.discard(cluster_uuid)

    def is_pinned(self, cluster_uuid: str) -> bool:
        """Return whether a network has learned what the log does not know yet."""
        return cluster_uuid in self._pinned

    def get(self, cluster_uuid: str) -> Placement | None:
        """Return a loaded network and mark it as used."""
        with self._lock:
            placement = self._placements.get(cluster_uuid)
            if placement is not None:
                self._placements.move_to_end(cluster_uuid)
            return placement

    def put(self, cluster_uuid: str, placement: Placement, busy: frozenset[str]) -> None:
        """Add a network; drop the longest unused ones that are not busy if memory is short."""
        with self._lock:
            self._placements[cluster_uuid] = placement
            self._placements.move_to_end(cluster_uuid)
        self.trim(busy | {cluster_uuid})

    def trim(self, busy: frozenset[str]) -> None:
        """Drop the longest unused networks that are not busy if memory is short; they grow."""
        with self._lock:
            total = sum(p.network.size_bytes() for p in self._placements.values())
            for other in list(self._placements):
                if total <= self._size_max_bytes:
                    return
                if other not in busy and other not in self._pinned:
                    total -= self._placements.pop(other).network.size_bytes()

    def drop(self, cluster_uuid: str) -> None:
        """Forget a network."""
        with self._lock:
            self._placements.pop(cluster_uuid, None)
