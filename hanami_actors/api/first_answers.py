"""The first answer of a call whose answer was lost in a crash, made again from what the call did."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hanami_actors.api.endpoints.checkpoint import CheckpointReply, checkpoint_reply
from hanami_actors.api.endpoints.cluster_state import CheckpointTicketReply
from hanami_actors.api.endpoints.project import ProjectReply
from hanami_actors.api.endpoints.replies import OwnedReply, UuidReply
from hanami_actors.api.endpoints.task import TaskReply
from hanami_actors.api.endpoints.upload import CsvUploadReply, MnistUploadReply
from hanami_actors.api.endpoints.user import UserReply
from hanami_actors.domain.base import Event, format_timestamp
from hanami_actors.domain.checkpoint import aggregate as checkpoint
from hanami_actors.domain.checkpoint.events import CheckpointCreated
from hanami_actors.domain.cluster.events import ClusterCreated, TaskQueued
from hanami_actors.domain.dataset.events import DatasetCreated
from hanami_actors.domain.idempotency.keys import Effect
from hanami_actors.domain.project.events import ProjectCreated
from hanami_actors.domain.user.events import UserCreated
from hanami_actors.errors import FaultError

__all__ = ["FIRST_ANSWERS", "first_answer"]

E = TypeVar("E", bound=Event)

Effects = Sequence[Effect]

NOT_YET = "-"


def first_answer(row_name: str, effects: Effects) -> Any:
    """Return the reply that a call got, or would have got, right after it was carried out.

    Parameters
    ----------
    row_name : str
        Of the endpoint.
    effects : sequence of Effect
        At least one.

    Raises
    ------
    FaultError
        What the call did is not what such a call does.
    """
    make = FIRST_ANSWERS.get(row_name)
    if make is None:
        raise FaultError(f"no answer of {row_name!r} can be made again")
    return make(effects)


def _find(effects: Effects, kind: type[E]) -> tuple[E, str]:
    """Return the first event of a kind and when it happened."""
    for effect in effects:
        if isinstance(effect.event, kind):
            return effect.event, format_timestamp(effect.time_us)
    found = ", ".join(effect.event.TAG for effect in effects)
    raise FaultError(f"a call should have caused {kind.TAG!r}, found is {found}")


def _cluster(effects: Effects) -> OwnedReply:
    event, time = _find(effects, ClusterCreated)
    return OwnedReply(
        created_at=time,
        name=event.name,
        owner_id=event.owner_id,
        project_id=event.project_id,
        uuid=event.uuid,
    )


def _mnist(effects: Effects) -> MnistUploadReply:
    event, time = _find(effects, DatasetCreated)
    return MnistUploadReply(
        created_at=time,
        name=event.name,
        owner_id=event.owner_id,
        project_id=event.project_id,
        uuid=event.uuid,
        uuid_input_file=event.upload_uuids[0],
        uuid_label_file=event.upload_uuids[1],
    )


def _csv(effects: Effects) -> CsvUploadReply:
    event, time = _find(effects, DatasetCreated)
    return CsvUploadReply(
        created_at=time,
        name=event.name,
        owner_id=event.owner_id,
        project_id=event.project_id,
        uuid=event.uuid,
        uuid_input_file=event.upload_uuids[0],
    )


def _task(effects: Effects) -> TaskReply:
    event, time = _find(effects, TaskQueued)
    return TaskReply(
        current_cycle=0,
        digest="",
        end_timestamp=NOT_YET,
        estimated_end_timestamp=NOT_YET,
        name=event.task.name,
        percentage_finished=0.0,
        queue_timestamp=time,
        reason="",
        start_timestamp=NOT_YET,
        state="queued",
        total_number_of_cycles=event.task.shown_cycle_count,
        uuid=event.task.uuid,
    )


def _uploaded_checkpoint(effects: Effects) -> CheckpointReply:
    event, _ = _find(effects, CheckpointCreated)
    (time_us,) = {effect.time_us for effect in effects if effect.event is event}
    return checkpoint_reply(checkpoint.apply(checkpoint.initial(), event, time_us))


def _saved(effects: Effects) -> CheckpointTicketReply:
    for effect in effects:
        # An idle cluster saves at once, a busy one when its turn comes.
        if isinstance(effect.event, CheckpointCreated):
            return CheckpointTicketReply(name=effect.event.name, uuid=effect.event.uuid)
    event, _ = _find(effects, TaskQueued)
    return CheckpointTicketReply(name=event.task.name, uuid=event.task.uuid)


def _loaded(effects: Effects) -> UuidReply:
    event, _ = _find(effects, TaskQueued)
    return UuidReply(uuid=event.task.uuid)


def _user(effects: Effects) -> UserReply:
    event, time = _find(effects, UserCreated)
    return UserReply(
        created_at=time,
        creator_id=event.creator_id,
        id=event.id,
        is_admin=event.is_admin,
        name=event.name,
        projects=[],
    )


def _project(effects: Effects) -> ProjectReply:
    event, time = _find(effects, ProjectCreated)
    return ProjectReply(created_at=time, creator_id=event.creator_id, id=event.id, name=event.name)


FIRST_ANSWERS: Final[Mapping[str, Callable[[Effects], Any]]] = MappingProxyType(
    {
        "create_cluster": _cluster,
        "copy_cluster": _cluster,
        "save_cluster": _saved,
        "load_cluster": _loaded,
        "create_mnist_dataset": _mnist,
        "create_csv_dataset": _csv,
        "create_train_task": _task,
        "create_request_task": _task,
        "create_user": _user,
        "upload_checkpoint": _uploaded_checkpoint,
        "create_project": _project,
    }
)
"""By the name of the endpoint; a test compares them with what the endpoints answer."""
