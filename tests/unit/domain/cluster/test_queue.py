"""The queue of a cluster and what its network has learned."""

import pytest

from hanami_actors.domain.cluster.apply import apply
from hanami_actors.domain.cluster.decide import decide
from hanami_actors.domain.cluster.events import TaskFinished, TaskStarted
from hanami_actors.domain.cluster.messages import (
    AbortTask,
    FailTask,
    FinishTask,
    QueueTask,
    RecordCycles,
    RemoveTask,
    RetireCluster,
    StartTask,
    SuspendTask,
)
from hanami_actors.domain.cluster.state import (
    QUEUE_LEN_MAX,
    TaskPhase,
    active_task,
    find_task,
    initial,
    learned_sizes,
    next_queued_task,
    queued_count,
    sizes_to_come,
)
from hanami_actors.errors import (
    BadRequestError,
    ConflictError,
    ImpossibleEventError,
    LimitError,
    NotFoundError,
)
from tests.unit.domain.builders import (
    NOW_US,
    cluster_after,
    register,
    request_task,
    stamp,
    train_task,
    uuid,
)


def queue(number, **sizes):
    return QueueTask(task=train_task(number, **sizes))


def start(number):
    return StartTask(task_uuid=uuid(number), kernel_version=1)


def finish(number, cycle=10, digest="after"):
    return FinishTask(task_uuid=uuid(number), cycle=cycle, digest=digest)


def entry_of(state, number=60):
    entry = find_task(state, uuid(number))
    assert entry is not None
    return entry


def refused(state, message, error, match):
    with pytest.raises(error, match=match):
        decide(state, message, stamp())


def test_a_new_cluster_belongs_to_its_caller_and_has_nothing_to_do():
    state = cluster_after()
    assert (state.owner_id, state.project_id, state.seed) == ("alice", "lab", 7)
    assert active_task(state) is None
    assert next_queued_task(state) is None
    refused(state, register(), ConflictError, "already exists")


def test_a_cluster_refuses_a_seed_outside_63_bits():
    message = register().__class__(
        uuid=uuid(1),
        name="n",
        template_text="",
        template=register().template,
        seed=-1,
        host_uuid="",
    )
    refused(initial(), message, BadRequestError, "'seed' is -1")


def test_tasks_run_in_the_order_they_were_queued_one_at_a_time():
    state = cluster_after(queue(60), queue(61))
    refused(state, start(61), ConflictError, "not the first in the queue")
    state = cluster_after(queue(60), queue(61), start(60))
    refused(state, start(61), ConflictError, "is active")
    state = cluster_after(queue(60), queue(61), start(60), finish(60), start(61))
    assert active_task(state) is entry_of(state, 61)


def test_times_and_the_kernel_version_are_those_of_the_records():
    entry = entry_of(cluster_after(queue(60), start(60)))
    assert (entry.queued_us, entry.started_us, entry.ended_us) == (NOW_US, NOW_US, 0)
    assert entry.kernel_version == 1


def test_progress_moves_forward_and_repeats_give_no_event():
    state = cluster_after(queue(60), start(60), RecordCycles(task_uuid=uuid(60), cycle=4))
    assert entry_of(state).cycle == 4
    for old in (4, 3, 0):
        assert decide(state, RecordCycles(task_uuid=uuid(60), cycle=old), stamp()) == ()
    for outside in (11, -1):
        refused(
            state, RecordCycles(task_uuid=uuid(60), cycle=outside), ConflictError, "has 10 cycles"
        )


def test_a_suspended_task_stays_active_and_can_end():
    suspended = (queue(60), start(60), SuspendTask(task_uuid=uuid(60), cycle=4))
    state = cluster_after(*suspended)
    assert active_task(state) is entry_of(state)
    assert entry_of(state).cycle == 4
    refused(state, start(60), ConflictError, "is active and cannot be started")
    assert entry_of(cluster_after(*suspended, finish(60))).phase == "finished"


def test_a_task_is_finished_only_after_all_its_cycles():
    state = cluster_after(queue(60, row_count=10, time_length=3, epoch_count=2), start(60))
    refused(state, finish(60, 15), ConflictError, "15 of 16 cycles")
    done = TaskFinished(task_uuid=uuid(60), cycle=16, digest="after")
    assert decide(state, finish(60, 16), stamp()) == (done,)


def test_a_finished_training_is_learned_and_stays_learned_when_the_task_is_removed():
    state = cluster_after(queue(60), start(60), finish(60), RemoveTask(task_uuid=uuid(60)))
    assert state.tasks == ()
    assert [(span.task.uuid, span.cycle, span.digest) for span in state.history] == [
        (uuid(60), 10, "after")
    ]
    assert learned_sizes(state) == ({"input": 4}, {"output": 2})


def test_an_aborted_training_is_learned_up_to_the_cycle_where_it_stopped():
    abort = AbortTask(task_uuid=uuid(60), cycle=3, digest="three")
    state = cluster_after(queue(60), start(60), RecordCycles(task_uuid=uuid(60), cycle=5), abort)
    assert [(span.cycle, span.digest) for span in state.history] == [(3, "three")]
    assert entry_of(state).phase is TaskPhase.ABORTED


def test_a_failed_training_is_learned_up_to_its_recorded_cycle_and_says_why():
    fail = FailTask(task_uuid=uuid(60), cycle=3, reason="blob is gone")
    state = cluster_after(queue(60), start(60), fail)
    assert [span.cycle for span in state.history] == [3]
    assert entry_of(state).reason == "blob is gone"


def test_a_training_that_ran_no_cycle_and_a_request_are_not_learned():
    abort = AbortTask(task_uuid=uuid(60), cycle=0, digest="")
    assert cluster_after(queue(60), start(60), abort).history == ()
    ask = QueueTask(task=request_task(61))
    assert cluster_after(ask, start(61), finish(61)).history == ()


def test_a_queued_task_can_fail_before_it_starts_and_lets_the_next_one_go_on():
    fail = FailTask(task_uuid=uuid(60), cycle=0, reason="")
    state = cluster_after(queue(60), queue(61), fail, start(61))
    assert entry_of(state).reason == "no reason was given"
    refused(
        cluster_after(queue(60)),
        FailTask(task_uuid=uuid(60), cycle=2, reason="x"),
        ConflictError,
        "has run no cycle",
    )


def test_an_active_task_is_not_removed_but_a_queued_one_is():
    remove = RemoveTask(task_uuid=uuid(60))
    refused(cluster_after(queue(60), start(60)), remove, ConflictError, "abort it first")
    assert cluster_after(queue(60), remove).tasks == ()


@pytest.mark.parametrize(
    "message",
    [
        start(99),
        finish(99),
        RecordCycles(task_uuid=uuid(99), cycle=1),
        SuspendTask(task_uuid=uuid(99), cycle=1),
        AbortTask(task_uuid=uuid(99), cycle=1, digest=""),
        FailTask(task_uuid=uuid(99), cycle=1, reason="x"),
        RemoveTask(task_uuid=uuid(99)),
    ],
)
def test_an_unknown_task_is_not_found_with_task_and_cluster_named(message):
    text = f"Task with UUID '{uuid(99)}' not found in cluster with UUID '{uuid(50)}'"
    refused(cluster_after(), message, NotFoundError, text)


@pytest.mark.parametrize(
    "message",
    [
        finish(60),
        RecordCycles(task_uuid=uuid(60), cycle=1),
        SuspendTask(task_uuid=uuid(60), cycle=1),
        AbortTask(task_uuid=uuid(60), cycle=1, digest=""),
    ],
)
def test_a_queued_task_does_nothing_that_only_an_active_one_does(message):
    refused(cluster_after(queue(60)), message, ConflictError, "is queued and cannot be")


def test_a_task_is_queued_once_and_has_something_to_do():
    refused(cluster_after(queue(60)), queue(60), ConflictError, "already in the queue")
    refused(cluster_after(), queue(60, row_count=3, time_length=4), BadRequestError, "no cycle")
    strange = train_task(60).__class__(
        uuid="u", kind="dream", name="n", inputs=(), row_count=1, user_id="", project_id=""
    )
    refused(cluster_after(), QueueTask(task=strange), BadRequestError, "'dream'")


def test_the_queue_is_bounded_by_what_waits():
    state = cluster_after()
    for number in range(QUEUE_LEN_MAX):
        for event in decide(state, queue(1000 + number), stamp()):
            state = apply(state, event, NOW_US)
    assert queued_count(state) == QUEUE_LEN_MAX
    refused(state, queue(60), LimitError, "1000 waiting tasks")
    (event,) = decide(state, start(1000), stamp())
    assert decide(apply(state, event, NOW_US), queue(60), stamp())


def test_a_deleted_cluster_refuses_everything():
    state = cluster_after(queue(60), start(60), RetireCluster())
    assert not state.alive
    for message in (queue(61), start(60), finish(60), RetireCluster()):
        refused(state, message, NotFoundError, uuid(50))
    refused(initial(), RetireCluster(), NotFoundError, "not found")


def test_an_event_of_an_unknown_task_cannot_be_applied():
    with pytest.raises(ImpossibleEventError, match=uuid(60)):
        apply(cluster_after(), TaskStarted(task_uuid=uuid(60), kernel_version=1), NOW_US)


def test_an_output_has_a_size_as_soon_as_its_training_waits_in_the_queue():
    assert "output" not in sizes_to_come(cluster_after())[1]
    assert "output" in sizes_to_come(cluster_after(queue(60)))[1]
    assert "other" not in sizes_to_come(cluster_after(queue(60)))[1]
    learned = cluster_after(queue(60), start(60), finish(60), RemoveTask(task_uuid=uuid(60)))
    assert "output" in sizes_to_come(learned)[1]
    lost = cluster_after(queue(60), start(60), AbortTask(task_uuid=uuid(60), cycle=0, digest=""))
    assert "output" not in sizes_to_come(lost)[1]


def test_the_widest_input_that_waits_in_the_queue_counts():
    learned = (queue(60), start(60), finish(60))
    (once,) = sizes_to_come(cluster_after(*learned))[0].values()
    waiting = cluster_after(*learned, queue(61, time_length=2))
    (twice,) = sizes_to_come(waiting)[0].values()
    assert twice == 2 * once


def test_learned_sizes_keep_the_largest_of_all_trainings():
    state = cluster_after(
        queue(60, time_length=2), start(60), finish(60, 9), queue(61), start(61), finish(61)
    )
    assert learned_sizes(state) == ({"input": 8}, {"output": 2})
