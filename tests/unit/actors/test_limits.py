"""Past the limits of projects, users and threads: refused with the setting's name, then room again."""

import pytest

from hanami_actors.actors.cluster.messages import SetMode
from hanami_actors.actors.gateway import DeleteTask, GetClusterFigures
from hanami_actors.domain.checkpoint.messages import DeleteCheckpoint
from hanami_actors.domain.cluster.messages import CreateCluster, DeleteCluster, SaveCheckpoint
from hanami_actors.domain.dataset.messages import CreateUploadedDataset, DeleteDataset
from hanami_actors.errors import BusyError, LimitError, StorageFullError
from tests.unit.actors.harness import cluster_target, wait_until

CSV = b"a,b\n1,2\n"  # 8 bytes


def announce(backend, size_bytes=8):
    message = CreateUploadedDataset(name="table", kind="csv", input_size_bytes=size_bytes)
    return backend.ask_directory(message)


def create(backend, number):
    return backend.ask_directory(CreateCluster(name=f"cluster {number}", template_text=None)).uuid


def test_a_project_has_so_many_data_sets(make_backend):
    backend = make_backend(datasets_per_project_max=2)
    first, _ = announce(backend), announce(backend)
    with pytest.raises(LimitError, match=r"is 2, and 2 are allowed .* datasets_per_project_max"):
        announce(backend)
    backend.ask_directory(DeleteDataset(uuid=first.uuid))
    announce(backend)


def test_a_project_has_so_many_clusters(make_backend):
    backend = make_backend(clusters_per_project_max=2)
    first, _ = create(backend, 1), create(backend, 2)
    with pytest.raises(LimitError, match="clusters_per_project_max"):
        create(backend, 3)
    backend.ask_directory(DeleteCluster(uuid=first))
    create(backend, 3)


def test_a_user_has_so_many_files_on_their_way(make_backend):
    backend = make_backend(uploads_per_user_max=2)
    first, _ = announce(backend), announce(backend)
    with pytest.raises(LimitError, match="uploads_per_user_max"):
        announce(backend)
    backend.upload(first.upload_uuids[0], CSV)
    backend.finalize(first)
    announce(backend)


def test_a_user_does_not_reserve_the_whole_disk(make_backend):
    backend = make_backend(upload_share_max=1e-9)
    announce(backend, 10)
    with pytest.raises(StorageFullError, match="upload_share_max"):
        announce(backend, 10_000)


def test_a_project_has_so_many_checkpoints(make_backend):
    backend = make_backend(checkpoints_per_project_max=1)
    uuid = create(backend, 1)
    made = backend.ask_cluster(uuid, SaveCheckpoint(name="first")).uuid
    wait_until(lambda: len(backend.gateway.tables.checkpoints) == 1)
    with pytest.raises(LimitError, match="checkpoints_per_project_max"):
        backend.ask_cluster(uuid, SaveCheckpoint(name="second"))
    backend.ask_directory(DeleteCheckpoint(uuid=made))
    backend.ask_cluster(uuid, SaveCheckpoint(name="second"))


def test_a_cluster_has_so_many_waiting_tasks(make_backend):
    backend = make_backend(queued_tasks_max=2)
    uuid = create(backend, 1)
    # In direct mode nothing starts.
    backend.ask_cluster(uuid, SetMode(mode="DIRECT"))
    first, _ = [
        backend.ask_cluster(uuid, SaveCheckpoint(name=f"save {number}")) for number in range(2)
    ]
    with pytest.raises(LimitError, match=r"2 waiting tasks.*queued_tasks_max"):
        backend.ask_cluster(uuid, SaveCheckpoint(name="one more"))
    backend.ask_cluster(uuid, DeleteTask(task_uuid=first.uuid))
    backend.ask_cluster(uuid, SaveCheckpoint(name="one more"))


def test_more_clusters_than_threads_are_busy_until_others_rest(make_backend):
    backend = make_backend(actor_count_max=2)
    clusters = [create(backend, number) for number in range(3)]
    for uuid in clusters[:2]:
        backend.ask_cluster(uuid, GetClusterFigures())
    with pytest.raises(BusyError, match="actor_count_max"):
        backend.ask_cluster(clusters[2], GetClusterFigures())
    # Those that are awake are served on.
    backend.ask_cluster(clusters[0], GetClusterFigures())
    backend.system.actors.get(cluster_target(clusters[0])).stop()
    wait_until(lambda: len(backend.system.actors.living()) == 1)
    backend.ask_cluster(clusters[2], GetClusterFigures())
