"""What golden histories tell: one function per behaviour, whose docstring says what it pins."""

from collections.abc import Callable

from msgspec.structs import replace

from hanami_actors.domain.audit.events import CallFailed, CallMade
from hanami_actors.domain.checkpoint.events import CheckpointDeleted
from hanami_actors.domain.cluster.events import (
    ClusterDeleted,
    ClusterRenamed,
    CyclesTrained,
    HostSwitched,
    ModeChanged,
    TaskFailed,
    TaskFinished,
    TaskQueued,
    TaskRemoved,
    TaskSuspended,
)
from hanami_actors.domain.dataset.events import DatasetCreated, DatasetDeleted, DatasetFailed
from hanami_actors.domain.host.events import HostRegistered, HostRetired
from hanami_actors.domain.idempotency.events import KeyAnswered, KeyBegun, KeyDropped
from hanami_actors.domain.project.events import ProjectCreated, ProjectDeleted
from hanami_actors.domain.upload.events import (
    UploadClosed,
    UploadCompleted,
    UploadDiscarded,
    UploadOpened,
    UploadRangeStored,
)
from hanami_actors.domain.user.events import (
    UserCreated,
    UserDeleted,
    UserPassphraseChanged,
    UserProjectAssigned,
    UserProjectRemoved,
)
from tests.replay.history import History, samples_of, uuid_of

Record = Callable[[History], None]

GOOD: dict[str, Record] = {}


def good(record: Record) -> Record:
    GOOD[record.__name__] = record
    return record


@good
def accounts(history: History) -> None:
    """Users and projects come, change, go, and their ids are used again."""
    created = UserCreated(
        id="anna", name="Anna", passphrase_hash="$argon2id$1", is_admin=True, creator_id="root"
    )
    project = ProjectCreated(id="lab", name="Lab", creator_id="anna")
    history.append(("user/anna", [created]), user="root")
    history.append(("project/lab", [project]), user="anna")
    assigned = UserProjectAssigned(project_id="lab", role="member", is_project_admin=True)
    history.append(("user/anna", [assigned, UserPassphraseChanged(passphrase_hash="$argon2id$2")]))
    history.append(("user/anna", [UserProjectRemoved(project_id="lab")]))
    history.append(("user/anna", [UserDeleted()]), ("project/lab", [ProjectDeleted()]))
    history.append(("user/anna", [replace(created, name="Another Anna")]))
    history.append(("project/lab", [project]))


@good
def uploads(history: History) -> None:
    """Uploads with ranges, checksums, a discarded beginning; datasets filled, failed, deleted."""
    for number, checksum in ((31, ""), (32, "c" * 64)):
        opened = UploadOpened(
            uuid=uuid_of(number),
            dataset_uuid=uuid_of(2),
            role="input" if number == 31 else "label",
            size_bytes=100,
            owner_id="alice",
            project_id="lab",
            checksum=checksum,
        )
        history.append((f"upload/{uuid_of(number)}", [opened]))
    one, two = f"upload/{uuid_of(31)}", f"upload/{uuid_of(32)}"
    history.append((one, [UploadRangeStored(ranges=((0, 40), (60, 80)))]))
    history.append((one, [UploadRangeStored(ranges=((40, 60), (80, 100))), UploadCompleted()]))
    history.append((two, [UploadRangeStored(ranges=((0, 100),)), UploadCompleted()]))
    history.append((two, [UploadDiscarded(checksum="d" * 64)]))
    created = DatasetCreated(
        uuid=uuid_of(2),
        name="broken",
        kind="mnist",
        owner_id="alice",
        project_id="lab",
        upload_uuids=(uuid_of(31), uuid_of(32)),
    )
    history.append((f"dataset/{uuid_of(2)}", [created]))
    failed = DatasetFailed(reason="row 3 has no label")
    closed = UploadClosed(reason="failed", checksum="e" * 64)
    history.append((f"dataset/{uuid_of(2)}", [failed]), (one, [closed]))
    history.append((two, [UploadClosed(reason="expired")]))
    history.append((f"dataset/{uuid_of(2)}", [DatasetDeleted()]))
    history.dataset(1, 5)


@good
def training(history: History) -> None:
    """Tasks that finish, are aborted, fail, are suspended, removed; a request in between."""
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=2))
    history.train(50, history.task(61, content, epochs=3), stop=33)
    request = history.task(62, content, epochs=1, kind="request")
    history.begin(50, request)
    history.append(
        (stream, [TaskFinished(task_uuid=request.uuid, cycle=20, digest="", result=content)])
    )
    broken = history.task(63, content, epochs=1)
    history.begin(50, broken)
    history.append((stream, [TaskFailed(task_uuid=broken.uuid, cycle=0, reason="no disk")]))
    last = history.task(64, content, epochs=1)
    history.begin(50, last)
    history.run(50, last, 0, 12)
    history.append((stream, [TaskSuspended(task_uuid=last.uuid, cycle=12)]))
    history.append(
        (stream, [CyclesTrained(task_uuid=last.uuid, cycle=15, figures=(("blocks", 1.0),))])
    )
    digest = history.run(50, last, 12, 20)
    history.append((stream, [TaskFinished(task_uuid=last.uuid, cycle=20, digest=digest)]))
    # What was trained stays, also when its task is taken off the list.
    history.append((stream, [TaskRemoved(task_uuid=uuid_of(60))]))
    history.append((stream, [TaskQueued(task=history.task(65, content, epochs=1))]))


@good
def pause(history: History) -> None:
    """A paused task goes on as if there had been no pause."""
    content = history.dataset(1, 20)
    history.cluster(50)
    history.train_with_pause(50, history.task(60, content, epochs=3), 27)


@good
def restores(history: History) -> None:
    """Checkpoints are restored into the same and into another cluster, whose source is deleted."""
    content = history.dataset(1, 20)
    history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    saved = history.save(50, 70)
    history.train(50, history.task(61, content, epochs=1))
    history.restore(50, saved)
    history.train(50, history.task(62, content, epochs=2), stop=23)
    history.cluster(51, seed=8, name="other")
    history.restore(51, history.save(50, 71))
    history.append((f"cluster/{uuid_of(50)}", [ClusterDeleted()]))
    history.append((f"checkpoint/{uuid_of(70)}", [CheckpointDeleted()]))
    history.append((f"dataset/{uuid_of(1)}", [DatasetDeleted()]))
    history.train(51, history.task(63, content, epochs=1))


@good
def direct(history: History) -> None:
    """Direct sessions with samples in the record and in a blob, between two tasks."""
    content = history.dataset(1, 20)
    stream = history.cluster(50)
    history.train(50, history.task(60, content, epochs=1))
    history.append((stream, [ModeChanged(is_direct=True)]))
    history.session(50, 80, samples_of(11), blob=False)
    history.session(50, 82, samples_of(12, seed=4), blob=True)
    history.append((stream, [ModeChanged(is_direct=False)]))
    history.train(50, history.task(61, content, epochs=1))


@good
def hosts(history: History) -> None:
    """A cluster moves to another host and gets another name; a host is retired."""
    content = history.dataset(1, 20)
    for number in (8, 9):
        host = HostRegistered(name=f"cpu-{number}", uuid=uuid_of(number), kind="cpu")
        history.append((f"host/cpu-{number}", [host]))
    stream = history.cluster(50)
    task = history.task(60, content, epochs=1)
    history.begin(50, task)
    history.run(50, task, 0, 9)
    history.append((stream, [HostSwitched(host_uuid=uuid_of(8), task_uuid=task.uuid, cycle=9)]))
    history.append((stream, [ClusterRenamed(name="numbers")]))
    digest = history.run(50, task, 9, 20)
    history.append((stream, [TaskFinished(task_uuid=task.uuid, cycle=20, digest=digest)]))
    history.append(("host/cpu-9", [HostRetired()]))


@good
def journal(history: History) -> None:
    """Notes about calls have no state, but are read."""
    made = CallMade(endpoint="v1.0alpha/cluster", request_type="POST")
    failed = CallFailed(
        endpoint="v1.0alpha/cluster", request_type="POST", input_values="{}", message="no disk"
    )
    history.append(("audit/alice", [made, made]), ("errors/alice", [failed]))


@good
def keys(history: History) -> None:
    """Idempotency keys are begun, answered and dropped; they have no state in the log."""
    begun = KeyBegun(
        endpoint="create_cluster",
        key="a key",
        body_hash="b" * 64,
        request_id=uuid_of(0xC0000),
        log_position=7,
    )
    answered = KeyAnswered(endpoint="create_cluster", key="a key", status=200, answer=b"{}")
    dropped = KeyDropped(endpoint="create_cluster", key="another")
    history.append(("idempotency/alice", [begun, answered, replace(begun, key="another"), dropped]))
    refused = replace(answered, status=409, code="conflict", answer="schon da: ä".encode())
    history.append(("idempotency/bob", [begun, refused]), user="bob")
