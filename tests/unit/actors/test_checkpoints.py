"""Checkpoints and restores: one append, and the same digest whatever is left of snapshots."""

from functools import partial

import pytest

from hanami_actors.actors.cluster.messages import (
    DescribeMoment,
    GetClusterStats,
    PauseTask,
    ResumeTask,
    SetMode,
)
from hanami_actors.actors.gateway import GetClusterFigures
from hanami_actors.domain.checkpoint.messages import DeleteCheckpoint
from hanami_actors.domain.cluster.messages import (
    CreateCluster,
    DeleteCluster,
    LoadCheckpoint,
    SaveCheckpoint,
)
from hanami_actors.errors import LogError, NotFoundError, StorageFullError
from hanami_actors.types import Digest, StreamId
from tests.unit.actors.harness import request_message, wait_until
from tests.unit.actors.steps import gated_training, trained_digest

STRANGE = """version: 1
settings:
    seed: 3
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    other: 1,1,1
outputs:
    label: 3,1,1
"""


def save(backend, cluster, name="some"):
    return backend.ask_cluster(cluster, SaveCheckpoint(name=name)).uuid


def source_of(backend, checkpoint):
    return backend.gateway.tables.checkpoints[checkpoint].state.source


def load(backend, cluster, checkpoint):
    message = LoadCheckpoint(name="load", source=source_of(backend, checkpoint))
    return backend.ask_cluster(cluster, message)


def delete(backend, checkpoint):
    backend.ask_directory(DeleteCheckpoint(uuid=checkpoint))


def digest_of(backend, cluster, data):
    """Ask the cluster and return from which state it answered."""
    task = backend.ask_cluster(cluster, request_message(data)).uuid
    return backend.finished(cluster, task).digest


def learned(backend, epochs=3):
    """A cluster that learned something, the data, and the digest afterwards."""
    cluster, data = backend.cluster(), backend.data()
    trained = backend.finished(cluster, backend.train(cluster, data, epochs=epochs))
    return cluster, data, trained.digest


def drop_caches(backend, *clusters):
    """As if no network had ever been stored or kept in memory."""
    for cluster in clusters:
        backend.host.networks.drop(cluster)
        backend.snapshotter.forget(cluster)
        wait_until(partial(has_no_snapshots, backend, cluster))


def has_no_snapshots(backend, cluster):
    return backend.snapshotter._moments(cluster) == []


class TestSave:
    def test_it_is_one_append_over_both_streams_and_the_task_ends_with_it(self, backend):
        cluster, _, digest = learned(backend)
        before = backend.log.head().position
        checkpoint = save(backend, cluster, "first")
        view = backend.task(cluster, checkpoint)
        assert (view.state, view.current_cycle, view.total_number_of_cycles) == ("finished", 0, 1)
        assert (view.percentage_finished, view.digest) == (0.0, digest)
        records = list(backend.log.read_all(after_position=before))
        assert [record.tag for record in records] == [
            "cluster.task_queued",
            "cluster.task_started",
            "cluster.checkpoint_taken",
            "cluster.task_finished",
            "checkpoint.created",
        ]
        row = backend.gateway.tables.checkpoints[checkpoint].state
        assert (row.name, row.owner_id, row.project_id) == ("first", "alice", "lab")

    @pytest.mark.parametrize("error", [StorageFullError("full"), LogError("unknown")])
    def test_when_it_cannot_be_written_there_is_no_half_of_it(self, backend, error):
        cluster, _, _ = learned(backend)
        backend.log.faults["checkpoint.created"] = [error]
        with pytest.raises(type(error)):
            save(backend, cluster)
        assert len(backend.gateway.tables.checkpoints) == 0
        assert len(backend.task_list(cluster)) == 1
        save(backend, cluster)

    def test_behind_a_running_task_it_waits_and_names_the_state_after_it(self, make_backend):
        backend, gate = gated_training(make_backend)
        cluster, data = backend.cluster(), backend.data()
        train = backend.train(cluster, data, epochs=3)
        gate.wait_until_reached()
        checkpoint = save(backend, cluster)
        assert backend.task(cluster, checkpoint).state == "queued"
        more = backend.train(cluster, data)
        gate.open()
        backend.finished(cluster, more)
        assert source_of(backend, checkpoint).digest == backend.task(cluster, train).digest

    def test_in_direct_mode_it_waits_for_the_task_mode(self, backend):
        cluster, _, _ = learned(backend)
        backend.ask_cluster(cluster, SetMode(mode="DIRECT"))
        checkpoint = save(backend, cluster)
        assert backend.task(cluster, checkpoint).state == "queued"
        backend.ask_cluster(cluster, SetMode(mode="TASK"))
        assert backend.task(cluster, checkpoint).state == "finished"

    def test_a_paused_training_is_saved_where_it_is_and_goes_on_undisturbed(self, make_backend):
        backend, gate = gated_training(make_backend, at_cycle=30)
        cluster, data = backend.cluster(), backend.data()
        train = backend.train(cluster, data, epochs=3)
        gate.wait_until_reached()
        pausing = backend.send_cluster(cluster, PauseTask(task_uuid=train))
        backend.task_list(cluster)
        gate.open()
        paused = backend.answer(pausing)
        assert paused.state == "paused"
        checkpoint = save(backend, cluster)
        assert backend.task(cluster, checkpoint).state == "finished"
        source = source_of(backend, checkpoint)
        assert (source.cycle, source.digest) == (paused.current_cycle, paused.digest)
        backend.ask_cluster(cluster, ResumeTask(task_uuid=train))
        assert backend.finished(cluster, train).digest == trained_digest(make_backend)
        # The moment of the pause is thinned away, but for its name.
        moments = {moment.cycle for moment in backend.snapshotter._moments(cluster)}
        assert paused.current_cycle in moments
        copy = backend.ask_directory(CreateCluster(name="copy", source=source)).uuid
        assert digest_of(backend, copy, data) == paused.digest


class TestLoad:
    def test_the_state_comes_back_and_the_checkpoint_may_be_deleted_at_once(self, backend):
        cluster, data, digest = learned(backend)
        checkpoint = save(backend, cluster)
        backend.ask_directory(DeleteCluster(uuid=cluster))
        other = backend.cluster()
        task = load(backend, other, checkpoint)
        delete(backend, checkpoint)
        assert backend.task(other, task).state == "finished"
        assert digest_of(backend, other, data) == digest

    def test_without_any_snapshot_it_is_computed_again_with_the_same_digest(self, backend):
        cluster, data, digest = learned(backend)
        checkpoint = save(backend, cluster)
        backend.ask_directory(DeleteCluster(uuid=cluster))
        other = backend.cluster()
        load(backend, other, checkpoint)
        drop_caches(backend, cluster, other)
        assert digest_of(backend, other, data) == digest

    def test_after_a_restart_a_restored_cluster_goes_on_like_the_original(self, make_backend):
        backend = make_backend()
        cluster, data, _ = learned(backend)
        checkpoint = save(backend, cluster)
        other = backend.cluster("other")
        load(backend, other, checkpoint)
        backend.again()
        first = backend.finished(cluster, backend.train(cluster, data)).digest
        assert backend.finished(other, backend.train(other, data)).digest == first

    def test_what_is_shown_is_what_was_loaded_before_anybody_asks_the_network(self, backend):
        cluster, data, _ = learned(backend)
        checkpoint = save(backend, cluster)
        trained = dict(source_of(backend, checkpoint).figures)["trained_cycles"]
        backend.finished(cluster, backend.train(cluster, data))
        load(backend, cluster, checkpoint)
        # The network of the later moment is still in memory.
        assert backend.host.networks.get(cluster) is not None
        stats = backend.ask_cluster(cluster, GetClusterStats())
        figures = backend.ask_cluster(cluster, GetClusterFigures())
        assert dict(stats.figures)["trained_cycles"] == trained
        assert figures.trained_cycles == trained

    def test_a_cluster_can_go_back_and_forth_in_its_own_history(self, backend):
        cluster, data, early = learned(backend)
        first = save(backend, cluster)
        late = backend.finished(cluster, backend.train(cluster, data)).digest
        second = save(backend, cluster)
        for checkpoint, digest in ((first, early), (second, late), (first, early)):
            load(backend, cluster, checkpoint)
            assert digest_of(backend, cluster, data) == digest
        drop_caches(backend, cluster)
        assert digest_of(backend, cluster, data) == early
        # What it learns now builds on the early state.
        again = backend.finished(cluster, backend.train(cluster, data)).digest
        assert again == late

    def test_while_it_waits_its_checkpoint_may_be_deleted(self, make_backend):
        backend, gate = gated_training(make_backend, at_cycle=130)
        cluster, data, digest = learned(backend)
        checkpoint = save(backend, cluster)
        train = backend.train(cluster, data, epochs=2)
        gate.wait_until_reached()
        waiting = load(backend, cluster, checkpoint)
        delete(backend, checkpoint)
        assert backend.task(cluster, waiting).state == "queued"
        gate.open()
        backend.finished(cluster, waiting)
        assert backend.task(cluster, train).state == "finished"
        assert digest_of(backend, cluster, data) == digest

    def test_a_task_behind_a_load_must_fit_what_will_be_loaded(self, backend):
        cluster, data, _ = learned(backend)
        strange = backend.ask_directory(CreateCluster(name="strange", template_text=STRANGE)).uuid
        checkpoint = save(backend, strange)
        backend.ask_cluster(cluster, SetMode(mode="DIRECT"))
        load(backend, cluster, checkpoint)
        with pytest.raises(NotFoundError, match="no input with name 'picture'"):
            backend.train(cluster, data)

    def test_a_restored_cluster_shows_the_restored_seed_and_figures(self, backend):
        cluster, data, _ = learned(backend)
        checkpoint = save(backend, cluster)
        other = backend.cluster("other")
        load(backend, other, checkpoint)
        state = backend.cluster_state(other)
        assert (state.name, state.seed) == ("other", 7)
        assert dict(state.figures)["trained_cycles"] == 120.0
        assert data.row_count == 40


class TestPositions:
    def test_a_new_cluster_begins_at_any_cycle_of_any_task(self, backend):
        cluster, data, _ = learned(backend, epochs=1)
        first = backend.task_list(cluster)[0].uuid
        backend.finished(cluster, backend.train(cluster, data))
        moment = backend.ask_cluster(cluster, DescribeMoment(span_uuid=first, cycle=25))
        copy = backend.ask_directory(CreateCluster(name="early", source=moment)).uuid
        digest = digest_of(backend, copy, data)
        drop_caches(backend, cluster, copy)
        assert digest_of(backend, copy, data) == digest
        whole = backend.ask_cluster(cluster, DescribeMoment(span_uuid=first))
        other = backend.ask_directory(CreateCluster(name="whole", source=whole)).uuid
        assert digest_of(backend, other, data) == backend.task(cluster, first).digest != digest

    def test_what_a_restore_led_away_from_is_a_beginning_as_well(self, backend):
        cluster, data, early = learned(backend)
        checkpoint = save(backend, cluster)
        lost = backend.train(cluster, data, epochs=2)
        late = backend.finished(cluster, lost).digest
        load(backend, cluster, checkpoint)
        again = backend.train(cluster, data)
        backend.finished(cluster, again)
        for span, cycle, digest in ((lost, -1, late), (lost, 40, None), (again, -1, None)):
            moment = backend.ask_cluster(cluster, DescribeMoment(span_uuid=span, cycle=cycle))
            copy = backend.ask_directory(CreateCluster(name=f"{span} {cycle}", source=moment)).uuid
            drop_caches(backend, cluster, copy)
            found = digest_of(backend, copy, data)
            # One pass after the checkpoint is one pass after it, on either way.
            assert found == (digest or backend.task(cluster, again).digest)
        # Nor is it lost when the cluster is restored once more, also from elsewhere.
        load(backend, cluster, save(backend, backend.cluster("other")))
        assert backend.ask_cluster(cluster, DescribeMoment(span_uuid=lost)).digest == late != early
        for span, cycle in ((lost, 81), (checkpoint, -1)):
            with pytest.raises(NotFoundError):
                backend.ask_cluster(cluster, DescribeMoment(span_uuid=span, cycle=cycle))

    def test_a_copy_of_a_copy_reaches_back_to_the_first(self, backend):
        cluster, data, digest = learned(backend)
        clusters = [cluster]
        for name in ("second", "third"):
            moment = backend.ask_cluster(clusters[-1], DescribeMoment())
            clusters.append(backend.ask_directory(CreateCluster(name=name, source=moment)).uuid)
        for gone in clusters[:2]:
            backend.ask_directory(DeleteCluster(uuid=gone))
        drop_caches(backend, *clusters)
        assert digest_of(backend, clusters[-1], data) == digest


class TestSnapshots:
    def test_those_of_a_deleted_cluster_stay_while_a_checkpoint_needs_them(self, backend):
        cluster, _, _ = learned(backend)
        checkpoint = save(backend, cluster)
        wait_until(lambda: backend.snapshotter._moments(cluster))
        backend.ask_directory(DeleteCluster(uuid=cluster))
        settle(backend)
        assert backend.snapshotter._moments(cluster)
        delete(backend, checkpoint)
        wait_until(lambda: not backend.snapshotter._moments(cluster))

    def test_those_of_a_deleted_cluster_stay_while_a_restored_one_needs_them(self, backend):
        cluster, _, _ = learned(backend)
        checkpoint = save(backend, cluster)
        other = backend.cluster("other")
        load(backend, other, checkpoint)
        delete(backend, checkpoint)
        backend.ask_directory(DeleteCluster(uuid=cluster))
        settle(backend)
        assert backend.snapshotter._moments(cluster)
        backend.ask_directory(DeleteCluster(uuid=other))
        wait_until(lambda: not backend.snapshotter._moments(cluster))

    def test_those_of_a_cluster_that_nothing_names_go_with_it(self, backend):
        cluster, _, _ = learned(backend)
        wait_until(lambda: backend.snapshotter._moments(cluster))
        backend.ask_directory(DeleteCluster(uuid=cluster))
        wait_until(lambda: not backend.snapshotter._moments(cluster))

    def test_a_damaged_one_is_skipped_and_the_blob_of_the_data_may_be_the_last_resort(
        self, backend
    ):
        cluster, data, digest = learned(backend)
        checkpoint = save(backend, cluster)
        wait_until(lambda: backend.snapshotter._moments(cluster))
        for path in (backend.directory / "snapshots").glob("*/task-*"):
            path.write_bytes(path.read_bytes()[:-1])
        other = backend.cluster("other")
        backend.host.networks.drop(cluster)
        load(backend, other, checkpoint)
        assert digest_of(backend, other, data) == digest
        file = backend.dataset(data.uuid).content.files[0]
        assert backend.blobs.has(Digest(file.digest))


def settle(backend):
    """Let everything that waits for the disk happen."""
    backend.snapshotter._pool.submit(lambda: None).result(10)


def test_the_records_of_a_deleted_cluster_stay_readable(backend):
    cluster, _, _ = learned(backend)
    backend.ask_directory(DeleteCluster(uuid=cluster))
    assert len(list(backend.log.read_stream(StreamId(f"cluster/{cluster}")))) > 3
