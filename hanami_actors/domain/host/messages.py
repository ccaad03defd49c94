"""What may be asked of a host."""

from hanami_actors.domain.base import Message

__all__ = ["RegisterHost"]


class RegisterHost(Message, frozen=True, kw_only=True):
    """Give a host its lasting uuid."""

    name: str
    kind: str
