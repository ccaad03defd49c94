"""What happens to a host. Stream ``host/<name>``."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["HostEvent", "HostRegistered"]


class HostRegistered(Event, frozen=True, kw_only=True):
    """A host was seen for the first time; its uuid survives restarts.

    Attributes
    ----------
    kind : str
        ``cpu`` or ``cuda``.
    """

    TAG: ClassVar[str] = "host.registered"

    name: str
    uuid: str
    kind: str


HostEvent = HostRegistered
