"""What happens to a host. Stream ``host/<name>``."""

from typing import ClassVar

from hanami_actors.domain.base import Event

__all__ = ["HostEvent", "HostRegistered", "HostRetired"]


class HostRegistered(Event, frozen=True, kw_only=True):
    """A host was seen for the first time, or again; its uuid survives restarts.

    Attributes
    ----------
    kind : str
        ``cpu`` or ``cuda``.
    """

    TAG: ClassVar[str] = "host.registered"

    name: str
    uuid: str
    kind: str


class HostRetired(Event, frozen=True, kw_only=True):
    """The settings name the host no longer; its clusters run on the first one."""

    TAG: ClassVar[str] = "host.retired"


HostEvent = HostRegistered | HostRetired
