"""What jobs may use of the host they run on."""

import dataclasses

from hanami_actors.compute import Network
from hanami_actors.engine.network_cache import Networks
from hanami_actors.engine.scheduler import Scheduler
from hanami_actors.engine.snapshotter import Snapshotter
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.ports import Clock
from hanami_actors.replay.histories import Histories

__all__ = ["Host"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Host:
    """What jobs may use of the host they run on.

    Attributes
    ----------
    histories : Histories
        What networks are computed from again.
    progress_interval_s : float
        How often the figures of a training are told.
    network_class : type of Network
        What computes; the place where another engine comes in.
    """

    scheduler: Scheduler
    networks: Networks
    snapshotter: Snapshotter
    blobs: BlobStore
    clock: Clock
    histories: Histories
    snapshot_interval_s: float
    progress_interval_s: float = 1.0
    network_class: type[Network] = Network
