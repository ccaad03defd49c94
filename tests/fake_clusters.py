"""Answers of clusters that nobody computes: made up, but of the right types."""

from typing import TYPE_CHECKING, Any

from hanami_actors.actors.cluster.connections import OpenChannel
from hanami_actors.actors.cluster.messages import (
    AbortTask,
    CheckpointTicket,
    ClusterStats,
    DescribeMoment,
    GetClusterStats,
    PauseTask,
    ResumeTask,
    SessionView,
    SetMode,
    SwitchHost,
)
from hanami_actors.actors.gateway import DeleteTask, GetClusterFigures, GetTask, ListTasks
from hanami_actors.domain.base import Message, Who
from hanami_actors.domain.checkpoint.events import CheckpointDeleted
from hanami_actors.domain.checkpoint.messages import CreateCheckpoint, DeleteCheckpoint
from hanami_actors.domain.cluster.events import ClusterRenamed
from hanami_actors.domain.cluster.messages import (
    CreateRequestTask,
    CreateTrainTask,
    LoadCheckpoint,
    RenameCluster,
    SaveCheckpoint,
)
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.template import Template
from hanami_actors.domain.cluster.views import ClusterFigures, TaskView
from hanami_actors.errors import NotFoundError

if TYPE_CHECKING:
    from tests.fakes import FakeGateway

ADMIN = Who(user_id="asdf", project_id="admin", role="admin", is_admin=True)

__all__ = ["answer_cluster", "cluster_stats", "moment", "task_view"]


def task_view(**changes: Any) -> TaskView:
    """A running training, with changes."""
    values: dict[str, Any] = {
        "uuid": "00000000-0000-4000-8000-00000000aaaa",
        "name": "some_task",
        "kind": "train",
        "state": "active",
        "current_cycle": 169,
        "total_number_of_cycles": 1000,
        "percentage_finished": 0.169,
        "queue_timestamp": "2026-11-21 18:57:20",
        "start_timestamp": "2026-11-21 18:57:21",
        "end_timestamp": "-",
    }
    return TaskView(**(values | changes))


def moment() -> Source:
    """Where a network has learned something."""
    return Source(
        stream="cluster/00000000-0000-4000-8000-00000000bbbb",
        version=5,
        span_uuid="00000000-0000-4000-8000-00000000aaaa",
        cycle=1000,
        digest="d" * 64,
        template=Template(hexagons=()),
        seed=1,
        figures=(("trained_cycles", 1000.0),),
    )


def cluster_stats() -> ClusterStats:
    """A cluster that trains and was trained by a connection before."""
    session = SessionView(uuid="s", connection_uuid="c", steps=7, is_open=False)
    return ClusterStats(
        host_uuid="00000000-0000-4000-8000-00000000cccc",
        mode="TASK",
        seed=1,
        figures=(("blocks", 3.0), ("running_error", 0.25), ("trained_cycles", 1000.0)),
        span_uuid="00000000-0000-4000-8000-00000000aaaa",
        cycle=1000,
        digest="d" * 64,
        is_loaded=True,
        task_count=1,
        queued_count=0,
        task_uuid="00000000-0000-4000-8000-00000000aaaa",
        task_state="active",
        connection_count=0,
        sessions=(session,),
    )


def answer_cluster(gateway: "FakeGateway", message: Message) -> Any:
    """What a cluster would answer."""
    match message:
        case CreateTrainTask() | CreateRequestTask():
            return task_view(
                name=message.name,
                state="queued",
                current_cycle=0,
                percentage_finished=0.0,
                start_timestamp="-",
            )
        case GetTask() | PauseTask() | ResumeTask() | AbortTask():
            return task_view(uuid=message.task_uuid)
        case SaveCheckpoint():
            return CheckpointTicket(uuid=gateway.entropy.uuid(), name=message.name)
        case LoadCheckpoint():
            return gateway.entropy.uuid()
        case RenameCluster():
            gateway.record(f"cluster/{message.uuid}", ClusterRenamed(name=message.name))
            return gateway.tables.clusters[message.uuid].state
        case CreateCheckpoint():
            uuid = gateway.add_checkpoint(ADMIN, message.name)
            return gateway.tables.checkpoints[uuid].state
        case DeleteCheckpoint():
            return gateway.record(f"checkpoint/{message.uuid}", CheckpointDeleted())
        case OpenChannel():
            raise NotFoundError("There is no network behind this gateway")
        case DeleteTask() | SetMode() | SwitchHost():
            return None
        case _:
            return _look(message)


def _look(message: Message) -> Any:
    answers = {
        ListTasks: (task_view(),),
        GetClusterFigures: ClusterFigures(number_of_blocks=3, number_of_sections=7),
        DescribeMoment: moment(),
        GetClusterStats: cluster_stats(),
    }
    assert type(message) in answers, f"no answer to {message}"
    return answers[type(message)]
