"""How a network gets to the moment that a job needs."""

from collections.abc import Callable

from hanami_actors.compute import decode_image
from hanami_actors.domain.cluster.lineage import Lineage
from hanami_actors.engine.host import Host
from hanami_actors.engine.network_cache import Placement
from hanami_actors.errors import StateDiffersError
from hanami_actors.replay.point import BEGINNING, Moment
from hanami_actors.replay.segment_data import network_spec
from hanami_actors.replay.segments import (
    Span,
    SpanData,
    open_span,
    places,
    remaining,
    root_of,
    spans_of,
)
from hanami_actors.types import Digest

__all__ = ["FIRST_SLICE_CYCLES", "Approach", "Pace"]

FIRST_SLICE_CYCLES = 16
"""Cycles of the first slice, before the speed is known."""

COOLDOWN_OFF = 1e6
"""From here on nothing of a potential is left in the next cycle."""

SLICE_GROWTH_MAX = 4.0
"""A slice grows at most this much over the one before."""


class Pace:
    """Chooses the length of slices from the speed of those before.

    Parameters
    ----------
    now_s : callable
        A clock that never jumps back.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._begin_s = 0.0
        self.cycle_count = FIRST_SLICE_CYCLES

    def begin(self) -> None:
        """Note the begin of a slice."""
        self._begin_s = self._now_s()

    def adapt(self, done_count: int, budget_s: float) -> None:
        """Learn from the slice that has just ended."""
        elapsed_s = self._now_s() - self._begin_s
        if elapsed_s <= 0 or done_count <= 0:
            return
        fitting = done_count * budget_s / elapsed_s
        self.cycle_count = max(1, int(min(fitting, self.cycle_count * SLICE_GROWTH_MAX)))


class Approach:
    """Brings the network of a cluster to a moment, in slices.

    It is there already, or it is on its way to the moment, or it comes from the newest good
    snapshot; the cycles in between are computed again.

    Parameters
    ----------
    host : Host
        Where the network lives.
    cluster_uuid : str
    lineage : Lineage
        All that was learned before.
    further : Span or None
        What is learned after it.
    shown_from : int
        Cycle of ``further`` that users have seen already, before the server stopped.

    Attributes
    ----------
    placement : Placement
        Only after `load`.
    spans : list of Span
        What is left to be run.
    """

    placement: Placement

    def __init__(
        self,
        host: Host,
        cluster_uuid: str,
        lineage: Lineage,
        further: Span | None = None,
        shown_from: int = 0,
    ) -> None:
        self._host = host
        self._cluster_uuid = cluster_uuid
        self._lineage = lineage
        self._further = further
        self._shown_from = shown_from
        self.spans: list[Span] = []
        self._at = BEGINNING
        self._data: SpanData | None = None
        self._pace = Pace(host.clock.monotonic_s)

    def load(self) -> None:
        """Find the network, or make it from a snapshot or from nothing.

        Raises
        ------
        BlobMissingError
            The state that the way begins with is gone.
        """
        goal = spans_of(self._lineage)
        if self._further is not None:
            goal.append(self._further)
        root = root_of(self._lineage)
        placement = self._host.networks.get(self._cluster_uuid)
        spans = None if placement is None else remaining(root, goal, placement.moment)
        if placement is None or spans is None:
            placement = self._loaded(root, goal)
            spans = remaining(root, goal, placement.moment)
            assert spans is not None, "a loaded moment is one of the goal's"
            busy = self._host.scheduler.busy_lanes()
            self._host.networks.put(self._cluster_uuid, placement, busy)
        self.placement, self.spans = placement, spans
        self._data = None
        self._settle()

    def run(self, budget_s: float) -> None:
        """Run a slice of the first span that is left.

        Raises
        ------
        StateDiffersError
            It ended in another state than the first time.
        """
        if self._is_stale():
            self.load()
            return
        span = self.spans[0]
        if self._data is None:
            self._data = open_span(self._host.blobs, self._host.histories, span)
            self._data.prepare(self.placement.network, span.start)
        self._pace.begin()
        stop = min(span.stop, span.start + self._pace.cycle_count)
        done = self._data.train(self.placement.network, span.start, stop)
        self._pace.adapt(done - span.start, budget_s)
        self.placement.moment = Moment(span.task.uuid, done)
        self.spans[0] = span._replace(start=done)
        if done >= span.stop:
            self._require_recorded(span)
            self.spans.pop(0)
            self._data = None
        self._settle()

    def _require_recorded(self, span: Span) -> None:
        """Compare what was computed again with its digest: going on would hide a damaged sample."""
        if not span.digest:
            return
        digest = self.placement.network.digest()
        if digest != span.digest:
            raise StateDiffersError(
                f"cycle {span.stop} of '{span.task.name}' ({span.task.uuid}), computed again, has digest "
                f"{digest}, but {span.digest} was recorded: what it was trained with has changed on "
                "the disk; hanami-log verify names what is damaged"
            )

    def _is_stale(self) -> bool:
        """Tell whether somebody else has moved the network since the last slice."""
        placement = self._host.networks.get(self._cluster_uuid)
        return placement is not self.placement or placement.moment != self._at

    def _settle(self) -> None:
        """Note whether the network is at a moment that users have seen, or may see now."""
        self._at = self.placement.moment
        further = self._further
        self.placement.is_settled = not self.spans or (
            further is not None
            and self.spans[0].task.uuid == further.task.uuid
            and self.spans[0].start >= self._shown_from
        )

    def _loaded(self, root: Moment, goal: list[Span]) -> Placement:
        found = self._host.snapshotter.newest(places(goal))
        network_class = self._host.network_class
        if found is not None:
            moment, image = found
            network = network_class.from_image(image)
        elif self._lineage.image:
            data = self._host.blobs.path(Digest(self._lineage.image)).read_bytes()
            moment, network = root, network_class.from_image(decode_image(data))
        else:
            spec = network_spec(self._lineage.template, self._lineage.seed)
            moment, network = root, network_class.create(spec)
        return Placement(network, moment, keeps_potentials=_keeps_potentials(self._lineage))


def _keeps_potentials(lineage: Lineage) -> bool:
    """Tell whether the settings let a cycle leave something behind for the next one."""
    settings = dict(lineage.template.settings)
    cooldown = float(settings.get("neuron_cooldown", COOLDOWN_OFF))
    return cooldown < COOLDOWN_OFF or int(settings.get("refractory_time", 1)) > 1
