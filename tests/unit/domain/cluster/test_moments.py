"""Checkpoints, restores, modes, pauses and sessions of a cluster, and the way to a moment."""

import pytest
from msgspec.structs import replace

from hanami_actors.domain.cluster import apply as cluster_apply
from hanami_actors.domain.cluster.decide import decide, startable_task
from hanami_actors.domain.cluster.events import CheckpointTaken, SamplesTrained
from hanami_actors.domain.cluster.lineage import lineage_of, source_at, source_of
from hanami_actors.domain.cluster.messages import (
    AbortTask,
    ChangeMode,
    CloseSession,
    FinishTask,
    MoveCluster,
    OpenSession,
    PauseTask,
    QueueTask,
    RecordSamples,
    RenameCluster,
    RestoreCluster,
    ResumeTask,
    StartTask,
    TakeCheckpoint,
)
from hanami_actors.domain.cluster.state import (
    ClusterMode,
    TaskPhase,
    find_task,
    learned_sizes,
    sizes_to_come,
)
from hanami_actors.errors import ConflictError, NotFoundError
from tests.unit.domain.builders import (
    NOW_US,
    cluster_after,
    load_task,
    register,
    request_task,
    save_task,
    source,
    stamp,
    train_task,
    uuid,
)

STREAM = f"cluster/{uuid(50)}"
DIRECT, TASK = ChangeMode(mode="DIRECT"), ChangeMode(mode="TASK")
OPEN = OpenSession(session_uuid=uuid(70), connection_uuid=uuid(71))


def trained(number=60, **sizes):
    return (
        QueueTask(task=train_task(number, **sizes)),
        StartTask(task_uuid=uuid(number), kernel_version=1),
        FinishTask(task_uuid=uuid(number), cycle=10, digest=f"after {number}"),
    )


def paused(number=60, cycle=4):
    return (*trained(number)[:2], PauseTask(task_uuid=uuid(number), cycle=cycle, digest="half"))


def samples(start=0, count=3, number=70, width=6):
    return RecordSamples(
        session_uuid=uuid(number),
        start=start,
        count=count,
        blob="b" * 64,
        inputs=(("input", width),),
        outputs=(("output", 2),),
    )


def after(state, *messages):
    for message in messages:
        for event in decide(state, message, stamp()):
            state = cluster_apply.apply(state, event, NOW_US)
    return state


def refused(state, message):
    with pytest.raises(ConflictError) as caught:
        decide(state, message, stamp())
    return caught.value.message


def entry_of(state, number=60):
    return find_task(state, uuid(number))


def turn_of(state):
    return startable_task(state)


def only_event(state, message):
    (event,) = decide(state, message, stamp())
    return event


def moment_of(state, version=9):
    return source_of(state, STREAM, version, kernel_version=1)


class TestPause:
    def test_a_paused_task_keeps_its_cycle_and_holds_the_queue(self):
        state = cluster_after(*paused(), QueueTask(task=train_task(61)))
        entry = entry_of(state)
        assert (entry.phase, entry.cycle, entry.ended_us) == (TaskPhase.PAUSED, 4, 0)
        assert startable_task(state) is None
        start = StartTask(task_uuid=uuid(61), kernel_version=1)
        assert "is paused" in refused(state, start)

    def test_a_resumed_task_goes_on_and_ends(self):
        state = cluster_after(
            *paused(),
            ResumeTask(task_uuid=uuid(60)),
            FinishTask(task_uuid=uuid(60), cycle=10, digest="end"),
        )
        assert [(span.cycle, span.digest) for span in state.history] == [(10, "end")]

    def test_a_paused_task_can_be_aborted_only_where_it_is(self):
        state = cluster_after(*paused())
        assert "cycle 4" in refused(state, AbortTask(task_uuid=uuid(60), cycle=5, digest="x"))
        state = after(state, AbortTask(task_uuid=uuid(60), cycle=4, digest="half"))
        assert entry_of(state).phase is TaskPhase.ABORTED
        assert state.history[0].cycle == 4

    def test_only_a_training_can_be_paused(self):
        state = cluster_after(
            QueueTask(task=request_task(60)), StartTask(task_uuid=uuid(60), kernel_version=1)
        )
        message = PauseTask(task_uuid=uuid(60), cycle=1, digest="")
        assert "only a training" in refused(state, message)

    def test_only_a_paused_task_can_be_resumed(self):
        state = cluster_after(*trained())
        assert "only a paused task" in refused(state, ResumeTask(task_uuid=uuid(60)))


class TestModes:
    def test_the_mode_is_switched_once(self):
        state = cluster_after(DIRECT)
        assert state.mode is ClusterMode.DIRECT
        assert "in this mode already" in refused(state, DIRECT)
        state = after(state, TASK)
        assert "in this mode already" in refused(state, TASK)

    @pytest.mark.parametrize(
        "before", [trained()[:1], trained()[:2], paused()], ids=["queued", "active", "paused"]
    )
    def test_there_is_no_way_into_direct_mode_with_a_task_under_way(self, before):
        assert "Can not switch cluster to 'DIRECT'" in refused(cluster_after(*before), DIRECT)

    def test_in_direct_mode_tasks_wait_until_it_is_left(self):
        state = cluster_after(DIRECT, QueueTask(task=save_task(60)))
        assert startable_task(state) is None
        assert "direct mode" in refused(state, StartTask(task_uuid=uuid(60), kernel_version=1))
        assert turn_of(after(state, TASK)).task.uuid == uuid(60)

    def test_a_session_needs_direct_mode_and_is_alone(self):
        state = cluster_after()
        assert "task mode" in refused(state, OPEN)
        state = after(state, DIRECT, OPEN)
        other = OpenSession(session_uuid=uuid(72), connection_uuid=uuid(73))
        assert uuid(71) in refused(state, other)
        assert after(state, CloseSession(session_uuid=uuid(70)), other).session.uuid == uuid(72)

    def test_samples_are_recorded_without_a_hole(self):
        state = cluster_after(DIRECT, OPEN, samples())
        assert "has 3 steps" in refused(state, samples(start=4))
        assert "does not train" in refused(state, samples(start=3, number=72))
        state = after(
            state,
            samples(start=3, count=2, width=8),
            CloseSession(session_uuid=uuid(70), digest="d"),
        )
        (span,) = state.history
        assert (span.task.kind, span.cycle, span.digest) == ("direct", 5, "d")
        assert learned_sizes(state) == ({"input": 8}, {"output": 2})
        assert "output" in sizes_to_come(state)[1]

    def test_leaving_direct_mode_ends_the_session(self):
        state = cluster_after(DIRECT, OPEN, samples(), TASK)
        assert state.session is None

    def test_two_sessions_are_two_stretches(self):
        state = cluster_after(
            DIRECT,
            OPEN,
            samples(),
            CloseSession(session_uuid=uuid(70)),
            OpenSession(session_uuid=uuid(72), connection_uuid=uuid(71)),
            samples(number=72, count=1),
        )
        assert [(span.task.uuid, span.cycle) for span in state.history] == [
            (uuid(70), 3),
            (uuid(72), 1),
        ]


class TestCheckpoints:
    def test_a_checkpoint_names_the_newest_moment(self):
        state = cluster_after(*trained())
        moment = moment_of(state)
        assert (moment.span_uuid, moment.cycle, moment.digest) == (uuid(60), 10, "after 60")
        assert moment.inputs == (("input", 4),)
        assert moment.seed == 7
        taken = TakeCheckpoint(checkpoint_uuid=uuid(61), name="some", source=moment)
        event = only_event(state, taken)
        assert isinstance(event, CheckpointTaken)
        assert (event.version, event.span_uuid, event.cycle) == (9, uuid(60), 10)

    def test_a_paused_training_can_be_saved_an_active_one_not(self):
        state = cluster_after(*paused())
        moment = moment_of(state)
        assert (moment.span_uuid, moment.cycle, moment.digest) == (uuid(60), 4, "half")
        taken = TakeCheckpoint(checkpoint_uuid=uuid(61), name="some", source=moment)
        assert len(decide(state, taken, stamp())) == 1
        active = after(state, ResumeTask(task_uuid=uuid(60)))
        assert "is active" in refused(active, taken)

    def test_a_restore_replaces_template_seed_sizes_and_history_and_keeps_the_name(self):
        state = cluster_after(*trained(), RestoreCluster(source=source(cycle=4)))
        assert (state.name, state.uuid) == ("cluster", uuid(50))
        assert (state.seed, state.history, state.base.cycle) == (8, (), 4)
        assert "output" in sizes_to_come(state)[1]
        moment = moment_of(state)
        assert (moment.stream, moment.span_uuid, moment.cycle) == (STREAM, uuid(60), 4)

    def test_a_request_behind_a_load_is_judged_by_what_is_loaded(self):
        fresh = replace(source(), outputs=())
        state = cluster_after(*trained(), DIRECT, QueueTask(task=load_task(61, fresh)))
        assert "output" not in sizes_to_come(state)[1]
        state = after(state, QueueTask(task=load_task(62)))
        assert "output" in sizes_to_come(state)[1]

    @pytest.mark.parametrize("before", [trained()[:2], paused(), (DIRECT, OPEN)])
    def test_a_restore_waits_for_whatever_is_under_way(self, before):
        assert "cannot be restored" in refused(
            cluster_after(*before), RestoreCluster(source=source())
        )


class TestPlaces:
    def test_a_move_in_the_middle_of_a_task_names_its_cycle(self):
        state = cluster_after(*trained()[:2])
        event = only_event(state, MoveCluster(host_uuid=uuid(8), cycle=4))
        assert (event.task_uuid, event.cycle) == (uuid(60), 4)
        moved = cluster_apply.apply(state, event, NOW_US)
        assert moved.host_uuid == uuid(8)
        assert decide(moved, MoveCluster(host_uuid=uuid(8)), stamp()) == ()

    def test_a_new_name_is_recorded_the_old_one_not(self):
        state = cluster_after(RenameCluster(uuid=uuid(50), name="other"))
        assert state.name == "other"
        assert decide(state, RenameCluster(uuid=uuid(50), name="other"), stamp()) == ()


class TestLineage:
    def test_what_was_learned_before_a_restore_is_part_of_the_way(self):
        first = cluster_after(*trained(60), *trained(61))
        moment = source_of(first, "cluster/first", 9, kernel_version=1)
        second = after(cluster_after(), RestoreCluster(source=moment), *trained(62))
        way = lineage_of(second, "cluster/second", lambda stream, version: first)
        assert [(s.stream, s.task.uuid, s.stop) for s in way.stretches] == [
            ("cluster/first", uuid(60), 10),
            ("cluster/first", uuid(61), 10),
            ("cluster/second", uuid(62), 10),
        ]
        assert way.root == uuid(50)

    def test_what_was_learned_after_the_moment_is_not(self):
        first = cluster_after(*trained(60), *trained(61))
        moment = replace(source_of(first, "cluster/first", 9, 1), span_uuid=uuid(60), cycle=4)
        second = after(cluster_after(), RestoreCluster(source=moment))
        (stretch,) = lineage_of(second, "cluster/second", lambda *_: first).stretches
        assert (stretch.task.uuid, stretch.stop, stretch.digest) == (uuid(60), 4, "")

    def test_a_moment_before_the_sources_own_restore_is_found(self):
        first = cluster_after(*trained(60), *trained(61))
        to_first = source_of(first, "cluster/first", 9, 1)
        second = after(cluster_after(), RestoreCluster(source=to_first), *trained(62))
        to_second = source_of(second, "cluster/second", 5, 1)
        third = after(
            cluster_after(),
            RestoreCluster(source=replace(to_second, span_uuid=uuid(60), cycle=10)),
        )
        states = {"cluster/first": first, "cluster/second": second}
        way = lineage_of(third, "cluster/third", lambda stream, _: states[stream])
        assert [s.task.uuid for s in way.stretches] == [uuid(60)]

    def test_a_moment_with_nothing_learned_has_an_empty_way(self):
        fresh = cluster_after()
        restored = after(
            cluster_after(*trained()), RestoreCluster(source=source_of(fresh, "cluster/f", 1, 1))
        )
        way = lineage_of(restored, STREAM, lambda *_: replace(fresh, uuid="root"))
        assert (way.stretches, way.root) == ((), "root")

    def test_an_uploaded_state_is_the_beginning(self):
        image = replace(source(), stream="", version=0, span_uuid="", cycle=0, image="i" * 64)
        state = after(cluster_after(), RestoreCluster(source=image), *trained(62))
        way = lineage_of(state, STREAM, lambda *_: pytest.fail("nothing to read"))
        assert (way.root, way.image) == ("i" * 64, "i" * 64)
        assert [s.task.uuid for s in way.stretches] == [uuid(62)]

    def test_any_earlier_moment_can_be_named(self):
        state = cluster_after(*trained(60), *trained(61))
        newest = moment_of(state)
        way = lineage_of(state, STREAM, lambda *_: pytest.fail("nothing to read"))
        assert source_at(newest, way, uuid(61), -1) == newest
        early = source_at(newest, way, uuid(60), 3)
        assert (early.span_uuid, early.cycle, early.digest) == (uuid(60), 3, "")
        assert source_at(newest, way, uuid(60), 10).digest == "after 60"
        assert source_at(newest, way, "", 0).outputs == ()
        with pytest.raises(NotFoundError, match="no cycle 11"):
            source_at(newest, way, uuid(60), 11)
        with pytest.raises(NotFoundError, match="not part"):
            source_at(newest, way, uuid(62), 1)

    def test_samples_are_part_of_the_way(self):
        state = cluster_after(DIRECT, OPEN, samples())
        assert isinstance(only_event(state, samples(start=3, count=2)), SamplesTrained)
        (stretch,) = lineage_of(state, STREAM, lambda *_: state).stretches
        assert (stretch.task.kind, stretch.stop, stretch.outputs) == (
            "direct",
            3,
            (("output", 2),),
        )


def test_a_task_that_saves_or_loads_runs_no_cycle():
    for task in (save_task(60), load_task(60)):
        state = cluster_after(
            QueueTask(task=task),
            StartTask(task_uuid=uuid(60), kernel_version=1),
            FinishTask(task_uuid=uuid(60), cycle=0, digest=""),
        )
        assert (task.cycle_count, task.shown_cycle_count) == (0, 1)
        assert entry_of(state).phase is TaskPhase.FINISHED
        assert state.history == ()


def test_the_cluster_under_test_is_the_one_that_was_registered():
    assert cluster_after().uuid == register().uuid
