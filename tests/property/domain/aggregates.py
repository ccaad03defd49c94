"""Every aggregate behind one face, with messages that often fit its state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from hanami_actors.domain.checkpoint import aggregate as checkpoint
from hanami_actors.domain.checkpoint import messages as checkpoint_messages
from hanami_actors.domain.checkpoint.events import CheckpointEvent
from hanami_actors.domain.cluster import apply as cluster_apply
from hanami_actors.domain.cluster import decide as cluster_decide
from hanami_actors.domain.cluster import messages as cluster_messages
from hanami_actors.domain.cluster import state as cluster_state
from hanami_actors.domain.cluster.events import ClusterEvent
from hanami_actors.domain.dataset import aggregate as dataset
from hanami_actors.domain.dataset import messages as dataset_messages
from hanami_actors.domain.dataset.events import DatasetEvent
from hanami_actors.domain.host import aggregate as host
from hanami_actors.domain.host import messages as host_messages
from hanami_actors.domain.host.events import HostEvent
from hanami_actors.domain.project import aggregate as project
from hanami_actors.domain.project import messages as project_messages
from hanami_actors.domain.project.events import ProjectEvent
from hanami_actors.domain.upload import apply as upload_apply
from hanami_actors.domain.upload import decide as upload_decide
from hanami_actors.domain.upload import messages as upload_messages
from hanami_actors.domain.upload import state as upload_state
from hanami_actors.domain.upload.events import UploadEvent
from hanami_actors.domain.user import aggregate as user
from hanami_actors.domain.user import messages as user_messages
from hanami_actors.domain.user.events import UserEvent
from tests.property.domain.strategies import from_struct
from tests.unit.domain.builders import (
    content,
    load_task,
    register,
    request_task,
    save_task,
    source,
    train_task,
    uuid,
)

NAMES = st.sampled_from(["alice", "bob", "eve"])
PROJECTS = st.sampled_from(["lab", "shop", "admin"])
TASK_UUIDS = st.integers(60, 63).map(uuid)
CYCLES = st.one_of(st.sampled_from([0, 1, 4, 10]), st.integers(-1, 12))
SESSION_UUIDS = st.integers(70, 71).map(uuid)
MODES = st.sampled_from(["TASK", "DIRECT", "task"])
SOURCES = st.sampled_from([source(), source(cycle=4)])


@dataclass(frozen=True)
class Aggregate:
    name: str
    initial: Callable[[], Any]
    decide: Callable[[Any, Any, Any], tuple[Any, ...]]
    apply: Callable[[Any, Any, Any], Any]
    invariants: Callable[[Any], None]
    transitions: Mapping[Any, Any]
    event_classes: tuple[type, ...]
    messages: Callable[[Any], st.SearchStrategy[Any]]

    def __repr__(self) -> str:
        return self.name


def _structs(union, **overrides):
    classes = get_args(union) or (union,)
    return st.one_of([from_struct(cls, **overrides) for cls in classes])


def _tasks():
    numbers = st.integers(60, 63)
    training = st.builds(train_task, numbers, row_count=st.sampled_from([10, 1]))
    others = [st.builds(make, numbers) for make in (request_task, save_task, load_task)]
    return st.one_of(training, training, *others)


def _any_cluster_message():
    registration = st.builds(replace, st.just(register()), seed=st.sampled_from([7, -1, 2**63]))
    others = [
        from_struct(
            cls,
            task=_tasks(),
            task_uuid=TASK_UUIDS,
            cycle=CYCLES,
            result=st.none(),
            source=SOURCES,
            mode=MODES,
            session_uuid=SESSION_UUIDS,
            start=CYCLES,
            count=CYCLES,
        )
        for cls in get_args(cluster_messages.ClusterMessage)
        if cls is not cluster_messages.RegisterCluster
    ]
    return st.one_of(registration, *others)


ANY_CLUSTER_MESSAGE = _any_cluster_message()
QUEUE_MESSAGE = from_struct(cluster_messages.QueueTask, task=_tasks())


def _cluster_messages(state):
    """Mostly the next sensible step, so that walks get far, and sometimes anything."""
    if not state.alive:
        return NEW_CLUSTER
    queued, active = cluster_state.next_queued_task(state), cluster_state.active_task(state)
    paused, session = cluster_state.paused_task(state), state.session
    if session is not None:
        last = state.history[-1] if state.history else None
        step = last.cycle if last and last.task.uuid == session.uuid else 0
        return _fitting_session_messages(session.uuid, step)
    if paused is not None:
        return _fitting_paused_messages(paused.task.uuid, paused.cycle)
    return _fitting_cluster_messages(
        queued and queued.task.uuid,
        active and active.task.uuid,
        active.task.cycle_count if active else 0,
        tuple(entry.task.uuid for entry in state.tasks),
    )


NEW_CLUSTER = st.booleans().flatmap(lambda odd: ANY_CLUSTER_MESSAGE if odd else st.just(register()))


@cache
def _fitting_session_messages(session_uuid, step):
    uuids = st.just(session_uuid)
    samples = from_struct(
        cluster_messages.RecordSamples,
        session_uuid=uuids,
        start=st.just(step),
        count=st.integers(1, 3),
    )
    closing = from_struct(cluster_messages.CloseSession, session_uuid=uuids)
    return st.one_of(samples, samples, QUEUE_MESSAGE, closing, ANY_CLUSTER_MESSAGE)


@cache
def _fitting_paused_messages(task_uuid, cycle):
    uuids = st.just(task_uuid)
    resume = from_struct(cluster_messages.ResumeTask, task_uuid=uuids)
    abort = from_struct(cluster_messages.AbortTask, task_uuid=uuids, cycle=st.just(cycle))
    return st.one_of(resume, abort, QUEUE_MESSAGE, ANY_CLUSTER_MESSAGE)


# Making a strategy costs more than drawing from it.
@cache
def _fitting_cluster_messages(queued_uuid, active_uuid, cycle_count, listed_uuids):
    fitting = [QUEUE_MESSAGE]
    if queued_uuid is not None:
        fitting.append(from_struct(cluster_messages.StartTask, task_uuid=st.just(queued_uuid)))
    if active_uuid is not None:
        uuids = st.just(active_uuid)
        fitting += [
            from_struct(cls, task_uuid=uuids, cycle=st.integers(0, cycle_count))
            for cls in (
                cluster_messages.RecordCycles,
                cluster_messages.SuspendTask,
                cluster_messages.PauseTask,
                cluster_messages.AbortTask,
                cluster_messages.FailTask,
            )
        ]
        fitting.append(
            from_struct(
                cluster_messages.FinishTask,
                task_uuid=uuids,
                cycle=st.just(cycle_count),
                result=st.sampled_from([None, content()]),
            )
        )
    if queued_uuid is None and active_uuid is None:
        fitting += [
            from_struct(cluster_messages.ChangeMode, mode=st.just("DIRECT")),
            from_struct(cluster_messages.OpenSession, session_uuid=SESSION_UUIDS),
            from_struct(cluster_messages.RestoreCluster, source=SOURCES),
        ]
    if listed_uuids:
        listed = st.sampled_from(listed_uuids)
        fitting.append(from_struct(cluster_messages.RemoveTask, task_uuid=listed))
    sensible = st.one_of(fitting)
    return st.integers(0, 7).flatmap(lambda dice: sensible if dice else ANY_CLUSTER_MESSAGE)


DATASET_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(["mnist", "csv", "zip"]),
    "input_size_bytes": st.integers(0, 3),
    "label_size_bytes": st.integers(0, 3),
    "content": st.sampled_from([content(), replace(content(), row_count=3)]),
}
ANY_DATASET_MESSAGE = _structs(dataset_messages.DatasetMessage, **DATASET_FIELDS)


NEW_DATASET = st.one_of(
    from_struct(
        dataset_messages.CreateUploadedDataset,
        kind=st.just("mnist"),
        input_size_bytes=st.just(1),
        label_size_bytes=st.just(1),
    ),
    ANY_DATASET_MESSAGE,
)


def _dataset_messages(state):
    return NEW_DATASET if state.phase is dataset.DatasetPhase.ABSENT else ANY_DATASET_MESSAGE


UPLOAD_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "role": st.sampled_from(["input", "label", "other"]),
    "size_bytes": st.integers(0, 8),
    "ranges": st.lists(st.tuples(st.integers(-1, 9), st.integers(0, 9)), max_size=4).map(tuple),
    "reason": st.sampled_from([*upload_decide.CLOSE_REASONS, "boredom"]),
    "checksum": st.sampled_from(["", "sha256:" + "0" * 64, "blake2b:" + "1" * 64, "md5:0"]),
}
ANY_UPLOAD_MESSAGE = _structs(upload_messages.UploadMessage, **UPLOAD_FIELDS)


NEW_UPLOAD = st.one_of(
    from_struct(upload_messages.OpenUpload, role=st.just("input"), size_bytes=st.integers(1, 8)),
    ANY_UPLOAD_MESSAGE,
)


def _upload_messages(state):
    return _fitting_upload_messages(state.size_bytes) if state.alive else NEW_UPLOAD


@cache
def _fitting_upload_messages(size_bytes):
    spans = [(a, b) for a in range(size_bytes) for b in range(a + 1, size_bytes + 1)]
    record = from_struct(
        upload_messages.RecordRanges,
        ranges=st.lists(st.sampled_from(spans), max_size=3).map(tuple),
    )
    whole = st.just(upload_messages.RecordRanges(ranges=((0, size_bytes),)))
    complete = st.just(upload_messages.CompleteUpload())
    return st.one_of(record, whole, complete, ANY_UPLOAD_MESSAGE)


def _always(strategy):
    return lambda state: strategy


AGGREGATES = (
    Aggregate(
        "user",
        user.initial,
        user.decide,
        user.apply,
        user.invariants,
        user.TRANSITIONS,
        get_args(UserEvent),
        _always(_structs(user_messages.UserMessage, id=NAMES, project_id=PROJECTS)),
    ),
    Aggregate(
        "project",
        project.initial,
        project.decide,
        project.apply,
        project.invariants,
        project.TRANSITIONS,
        get_args(ProjectEvent),
        _always(_structs(project_messages.ProjectMessage, id=NAMES)),
    ),
    Aggregate(
        "host",
        host.initial,
        host.decide,
        host.apply,
        host.invariants,
        host.TRANSITIONS,
        get_args(HostEvent),
        _always(_structs(host_messages.HostMessage, kind=st.sampled_from(["cpu", "cuda", "tpu"]))),
    ),
    Aggregate(
        "checkpoint",
        checkpoint.initial,
        checkpoint.decide,
        checkpoint.apply,
        checkpoint.invariants,
        checkpoint.TRANSITIONS,
        get_args(CheckpointEvent),
        _always(_structs(checkpoint_messages.CheckpointMessage, uuid=NAMES, source=SOURCES)),
    ),
    Aggregate(
        "dataset",
        dataset.initial,
        dataset.decide,
        dataset.apply,
        dataset.invariants,
        dataset.TRANSITIONS,
        get_args(DatasetEvent),
        _dataset_messages,
    ),
    Aggregate(
        "upload",
        upload_state.initial,
        upload_decide.decide,
        upload_apply.apply,
        upload_state.invariants,
        upload_state.TRANSITIONS,
        get_args(UploadEvent),
        _upload_messages,
    ),
    Aggregate(
        "cluster",
        cluster_state.initial,
        cluster_decide.decide,
        cluster_apply.apply,
        cluster_state.invariants,
        cluster_state.TRANSITIONS,
        get_args(ClusterEvent),
        _cluster_messages,
    ),
)
