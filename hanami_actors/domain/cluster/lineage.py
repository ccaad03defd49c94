"""The whole way to a moment: what was trained, in which cluster, also before a restore."""

from collections.abc import Callable, Iterable, Iterator

from hanami_actors.domain.base import Value
from hanami_actors.domain.cluster.events import Task
from hanami_actors.domain.cluster.source import Sizes, Source
from hanami_actors.domain.cluster.state import (
    ClusterState,
    TrainedSpan,
    active_task,
    learned_sizes,
    paused_task,
    sizes_of_task,
    widest,
)
from hanami_actors.domain.cluster.template import Template
from hanami_actors.errors import NotFoundError

__all__ = ["Lineage", "ReadState", "Stretch", "lineage_of", "source_at", "source_of"]

ReadState = Callable[[str, int], ClusterState]
"""Returns the cluster of a stream as it was at a version."""


class Stretch(Value, frozen=True, kw_only=True):
    """Cycles of one task or session, from its beginning.

    Attributes
    ----------
    stream : str
        The cluster that ran them; its snapshots lie there.
    task : Task
    stop : int
        Cycles that count.
    digest : str
        State of the network after all of them, empty if unknown.
    inputs, outputs : tuple of (name, number of values)
        Sizes that it brought.
    """

    stream: str
    task: Task
    stop: int
    digest: str = ""
    inputs: Sizes = ()
    outputs: Sizes = ()


class Lineage(Value, frozen=True, kw_only=True):
    """Everything that is needed to compute a network.

    Attributes
    ----------
    root : str
        Tells networks apart that have learned nothing: where the way begins.
    template, seed
        Of the beginning.
    image : str
        Blob of the state it begins with; empty when it begins with nothing learned.
    inputs, outputs : tuple of (name, number of values)
        Sizes at the beginning.
    stretches : tuple of Stretch
        In order.
    """

    root: str
    template: Template
    seed: int
    image: str = ""
    inputs: Sizes = ()
    outputs: Sizes = ()
    stretches: tuple[Stretch, ...] = ()


def source_of(state: ClusterState, stream: str, version: int, kernel_version: int) -> Source:
    """Return the newest moment of a cluster that is at this version of its stream.

    While a task computes that is its last recorded cycle.
    """
    inputs, outputs = learned_sizes(state)
    span_uuid, cycle, digest = _head(state)
    return Source(
        stream=stream,
        version=version,
        span_uuid=span_uuid,
        cycle=cycle,
        digest=digest,
        kernel_version=kernel_version,
        template_text=state.template_text,
        template=state.template,
        seed=state.seed,
        inputs=tuple(sorted(inputs.items())),
        outputs=tuple(sorted(outputs.items())),
        figures=state.figures,
    )


def source_at(newest: Source, lineage: Lineage, span_uuid: str, cycle: int) -> Source:
    """Return an earlier moment on the way to the newest one.

    Parameters
    ----------
    newest : Source
    lineage : Lineage
        That leads to it.
    span_uuid : str
        A task or session; empty for the beginning.
    cycle : int
        Cycles of it; negative for all that were run.

    Raises
    ------
    NotFoundError
        The way does not lead there.
    """
    stretches, stop, digest = lineage.stretches[:0], 0, ""
    if span_uuid:
        index = _find(lineage.stretches, span_uuid)
        if index is None:
            raise NotFoundError(
                f"Task or session with UUID '{span_uuid}' is not part of what the cluster has learned"
            )
        stretch = lineage.stretches[index]
        stretches = lineage.stretches[: index + 1]
        stop = stretch.stop if cycle < 0 else cycle
        if not 0 < stop <= stretch.stop:
            raise NotFoundError(
                f"Task or session with UUID '{span_uuid}' has run {stretch.stop} cycles; there is no "
                f"cycle {cycle}"
            )
        digest = stretch.digest if stop == stretch.stop else ""
    if (span_uuid, stop) == (newest.span_uuid, newest.cycle):
        return newest
    return Source(
        stream=newest.stream,
        version=newest.version,
        span_uuid=span_uuid,
        cycle=stop,
        digest=digest,
        kernel_version=newest.kernel_version,
        template_text=newest.template_text,
        template=newest.template,
        seed=newest.seed,
        inputs=widest(lineage.inputs, *(stretch.inputs for stretch in stretches)),
        outputs=widest(lineage.outputs, *(stretch.outputs for stretch in stretches)),
    )


def lineage_of(state: ClusterState, stream: str, read: ReadState) -> Lineage:
    """Return the way to the newest moment of a cluster, across restores.

    Parameters
    ----------
    state : ClusterState
    stream : str
        Of the cluster.
    read : callable
        Reads other clusters, also deleted ones, and earlier versions of this one.
    """
    parts = [_own_stretches(state, stream)]
    wanted: tuple[str, int] | None = None
    while state.base is not None and not state.base.image:
        base = state.base
        # A moment that is not found in a cluster's own history lies before its last restore.
        wanted = wanted or (base.span_uuid, base.cycle)
        state = read(base.stream, base.version)
        found = _cut(_own_stretches(state, base.stream), *wanted)
        if found is not None:
            parts.append(found)
            wanted = None
    image = state.base.image if state.base is not None else ""
    return Lineage(
        root=image or state.uuid,
        template=state.template,
        seed=state.seed,
        image=image,
        inputs=state.base.inputs if state.base is not None and image else (),
        outputs=state.base.outputs if state.base is not None and image else (),
        stretches=tuple(stretch for part in reversed(parts) for stretch in part),
    )


def _head(state: ClusterState) -> tuple[str, int, str]:
    """Return task or session, cycle and digest of the newest moment."""
    open_task = active_task(state) or paused_task(state)
    if open_task is not None and open_task.task.kind == "train" and open_task.cycle:
        return open_task.task.uuid, open_task.cycle, open_task.digest
    if state.history:
        span = state.history[-1]
        return span.task.uuid, span.cycle, span.digest
    if state.base is not None:
        return state.base.span_uuid, state.base.cycle, state.base.digest
    return "", 0, ""


def _own_stretches(state: ClusterState, stream: str) -> tuple[Stretch, ...]:
    spans = [span for span in state.history if span.cycle]
    open_task = active_task(state) or paused_task(state)
    if open_task is not None and open_task.task.kind == "train" and open_task.cycle:
        spans.append(
            TrainedSpan(task=open_task.task, cycle=open_task.cycle, digest=open_task.digest)
        )
    return tuple(_stretches(spans, stream))


def _stretches(spans: Iterable[TrainedSpan], stream: str) -> Iterator[Stretch]:
    for span in spans:
        inputs, outputs = sizes_of_task(span.task)
        yield Stretch(
            stream=stream,
            task=span.task,
            stop=span.cycle,
            digest=span.digest,
            inputs=widest(inputs, span.inputs),
            outputs=widest(outputs, span.outputs),
        )


def _find(stretches: tuple[Stretch, ...], span_uuid: str) -> int | None:
    for index in range(len(stretches) - 1, -1, -1):
        if stretches[index].task.uuid == span_uuid:
            return index
    return None


def _cut(own: tuple[Stretch, ...], span_uuid: str, cycle: int) -> tuple[Stretch, ...] | None:
    """Return what leads to the moment; None when it is not among these."""
    index = _find(own, span_uuid) if span_uuid else None
    if index is None:
        return None
    last = own[index]
    if cycle != last.stop:
        # The state after the whole stretch is another one.
        last = Stretch(
            stream=last.stream,
            task=last.task,
            stop=cycle,
            inputs=last.inputs,
            outputs=last.outputs,
        )
    return (*own[:index], last)
