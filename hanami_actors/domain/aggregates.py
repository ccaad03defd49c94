"""How a stream is folded, by the kind in front of its name; for tools that look at any stream."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from hanami_actors.domain.checkpoint import aggregate as checkpoint
from hanami_actors.domain.cluster import state as cluster
from hanami_actors.domain.cluster.apply import apply as apply_cluster
from hanami_actors.domain.dataset import aggregate as dataset
from hanami_actors.domain.host import aggregate as host
from hanami_actors.domain.project import aggregate as project
from hanami_actors.domain.upload import state as upload
from hanami_actors.domain.upload.apply import apply as apply_upload
from hanami_actors.domain.user import aggregate as user
from hanami_actors.errors import NotFoundError

__all__ = ["AGGREGATES", "Aggregate", "aggregate_of", "kind_of"]


class Aggregate(NamedTuple):
    """What a replay needs of an aggregate.

    Attributes
    ----------
    initial : callable
        ``() -> state`` before the first event.
    apply : callable
        ``(state, event, time_us) -> state``, pure.
    """

    initial: Callable[[], Any]
    apply: Callable[[Any, Any, Any], Any]


AGGREGATES: Final[Mapping[str, Aggregate]] = MappingProxyType(
    {
        "user": Aggregate(user.initial, user.apply),
        "project": Aggregate(project.initial, project.apply),
        "dataset": Aggregate(dataset.initial, dataset.apply),
        "upload": Aggregate(upload.initial, apply_upload),
        "cluster": Aggregate(cluster.initial, apply_cluster),
        "checkpoint": Aggregate(checkpoint.initial, checkpoint.apply),
        "host": Aggregate(host.initial, host.apply),
    }
)
"""All aggregates; a kind of stream that is missing here has records but no state."""


def kind_of(stream: str) -> str:
    """Return the kind in front of a stream's name."""
    return stream.partition("/")[0]


def aggregate_of(stream: str) -> Aggregate:
    """Return how a stream is folded.

    Raises
    ------
    NotFoundError
        Streams of this kind have no state.
    """
    found = AGGREGATES.get(kind_of(stream))
    if found is None:
        raise NotFoundError(
            f"stream {stream!r} has no state; streams with a state begin with "
            + ", ".join(f"{kind}/" for kind in AGGREGATES)
        )
    return found
