"""Which hosts run, by the uuid that the log gave them."""

import os
import threading
from collections.abc import Sequence
from typing import NamedTuple

from hanami_actors.engine.host import Host
from hanami_actors.errors import FaultError

__all__ = ["HostTable", "Share", "shares"]


class Share(NamedTuple):
    """What a host gets of the machine.

    Attributes
    ----------
    thread_count : int
    cores : frozenset of int or None
        None when the host may use all of them.
    """

    thread_count: int
    cores: frozenset[int] | None


def shares(host_count: int, thread_count: int) -> list[Share]:
    """Split threads and cores between hosts, as evenly as possible; each gets at least one thread.

    Parameters
    ----------
    host_count, thread_count : int
        In all.
    """
    if host_count == 1:
        return [Share(thread_count, None)]
    cores = sorted(os.sched_getaffinity(0))
    made = []
    for number in range(host_count):
        own = cores[number * len(cores) // host_count : (number + 1) * len(cores) // host_count]
        threads = thread_count // host_count + (number < thread_count % host_count)
        # More hosts than cores: they share.
        made.append(Share(max(1, threads), frozenset(own or (cores[number % len(cores)],))))
    return made


class HostTable:
    """The hosts of this process. Thread-safe.

    Parameters
    ----------
    hosts : sequence of Host
        In the order of their names.
    """

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.all = tuple(hosts)
        self._lock = threading.Lock()
        self._by_uuid: dict[str, Host] = {}

    def register(self, uuid: str, host: Host) -> None:
        """Note the lasting uuid of a host."""
        with self._lock:
            self._by_uuid[uuid] = host

    @property
    def uuids(self) -> tuple[str, ...]:
        """The uuids in the order of registration."""
        return tuple(self._by_uuid)

    def get(self, uuid: str) -> Host | None:
        """Return a running host, or None."""
        return self._by_uuid.get(uuid)

    def home_of(self, uuid: str) -> tuple[str, Host]:
        """Return the host a cluster is placed on; the first one if that does not run any more.

        Raises
        ------
        FaultError
            No host has been registered.
        """
        host = self._by_uuid.get(uuid)
        if host is not None:
            return uuid, host
        for first, other in self._by_uuid.items():
            return first, other
        raise FaultError("no host is registered")
