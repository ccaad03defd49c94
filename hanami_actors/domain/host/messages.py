"""What may be asked of a host."""

from hanami_actors.domain.base import Message

__all__ = ["HostMessage", "RegisterHost", "RetireHost"]


class RegisterHost(Message, frozen=True, kw_only=True):
    """Give a host its lasting uuid."""

    name: str
    kind: str


class RetireHost(Message, frozen=True, kw_only=True):
    """Take a host off the list; its uuid is kept for its return."""

    name: str


HostMessage = RegisterHost | RetireHost
