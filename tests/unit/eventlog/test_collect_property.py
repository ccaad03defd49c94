"""Whatever happened: after cleaning up, all that lives can be computed again, to the same digest."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanami_actors.compute import Network, NetworkImage
from hanami_actors.domain.checkpoint.events import CheckpointDeleted
from hanami_actors.domain.cluster.events import ClusterDeleted
from hanami_actors.domain.cluster.lineage import lineage_of
from hanami_actors.domain.dataset.events import DatasetContent, DatasetDeleted
from hanami_actors.eventlog.collect import Plan, make_plan
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.replay.replayer import Walker
from hanami_actors.replay.timeline import Way, read_cluster, way_to_version
from hanami_actors.types import Digest, StreamId
from tests.replay.history import History, samples_of, uuid_of

if TYPE_CHECKING:
    from hanami_actors.domain.cluster.source import Source

ROWS = 6

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("create", "train", "train", "train", "abort", "session", "save", "restore"),
                *("copy", "delete_cluster", "delete_checkpoint", "delete_dataset", "collect"),
            ]
        ),
        st.integers(min_value=0, max_value=10**6),
    ),
    min_size=15,
    max_size=40,
)


class Life:
    """A data directory in which anything may happen, and what its clusters must be."""

    def __init__(self, path: Path) -> None:
        self.history = History(path)
        self.clusters: list[int] = []
        self.checkpoints: dict[int, tuple[Source, NetworkImage, str]] = {}
        self.datasets: dict[int, DatasetContent] = {}
        self._numbers = 10
        self.create(0)

    def number(self) -> int:
        self._numbers += 10
        return self._numbers

    def run(self, what: str, choice: int) -> None:
        getattr(self, what)(choice)

    def create(self, choice: int) -> None:
        number = self.number()
        self.history.cluster(number, seed=choice % 5)
        self.clusters.append(number)

    def content(self, choice: int):
        if not self.datasets or choice % 3 == 0:
            number = self.number()
            self.datasets[number] = self.history.dataset(number, ROWS, seed=choice % 4)
        return self.datasets[sorted(self.datasets)[choice % len(self.datasets)]]

    def train(self, choice: int, stop: int | None = None) -> None:
        if not self.clusters:
            return
        cluster = self.clusters[choice % len(self.clusters)]
        task = self.history.task(self.number(), self.content(choice), epochs=1)
        self.history.train(cluster, task, stop=stop)
        if choice % 4:
            self.history.snapshot(cluster, task, task.cycle_count if stop is None else stop)

    def abort(self, choice: int) -> None:
        self.train(choice, stop=1 + choice % (ROWS - 1))

    def session(self, choice: int) -> None:
        if self.clusters:
            cluster = self.clusters[choice % len(self.clusters)]
            self.history.session(cluster, self.number(), samples_of(4, seed=choice), blob=True)

    def save(self, choice: int) -> None:
        if self.clusters:
            cluster, number = self.clusters[choice % len(self.clusters)], self.number()
            source, image = self.history.save(cluster, number)
            digest = self.history.networks[cluster].digest()
            self.checkpoints[number] = (source, image, digest)

    def restore(self, choice: int) -> None:
        if self.clusters and self.checkpoints:
            source, image, _ = self.checkpoints[
                sorted(self.checkpoints)[choice % len(self.checkpoints)]
            ]
            self.history.restore(self.clusters[choice // 7 % len(self.clusters)], (source, image))

    def copy(self, choice: int) -> None:
        self.create(choice)
        self.restore(choice)

    def delete_cluster(self, choice: int) -> None:
        if self.clusters:
            number = self.clusters.pop(choice % len(self.clusters))
            self.history.append((f"cluster/{uuid_of(number)}", [ClusterDeleted()]))

    def delete_checkpoint(self, choice: int) -> None:
        if self.checkpoints:
            number = sorted(self.checkpoints)[choice % len(self.checkpoints)]
            del self.checkpoints[number]
            self.history.append((f"checkpoint/{uuid_of(number)}", [CheckpointDeleted()]))

    def delete_dataset(self, choice: int) -> None:
        if self.datasets:
            number = sorted(self.datasets)[choice % len(self.datasets)]
            del self.datasets[number]
            self.history.append((f"dataset/{uuid_of(number)}", [DatasetDeleted()]))

    def collect(self, choice: int) -> None:
        """Clean up at some moment; what happens later must not miss anything."""
        del choice
        self.clean()

    def clean(self) -> Plan:
        for path in self.history.directory.path.rglob("*/*"):
            os.utime(path, (1, 1))
        plan = make_plan(self.history.directory, self.history.log, older_than_s=2e9)
        for digest, stored_ns in plan.blobs:
            self.history.blobs.collect(Digest(digest), stored_ns=stored_ns)
        for stream, name in plan.snapshots:
            self.history.snapshots.delete(StreamId(stream), name)
        return plan

    def require_all(self, snapshots: SnapshotStore) -> None:
        """Compute every living cluster and checkpoint again, from these snapshots."""
        log = self.history.log
        for number in self.clusters:
            way = way_to_version(log, f"cluster/{uuid_of(number)}")
            assert self.computed(way, snapshots) == self.history.networks[number].digest()
        for source, _, digest in self.checkpoints.values():
            state = read_cluster(log, source.stream, source.version)
            way = Way(
                lineage_of(state, source.stream, lambda other, at: read_cluster(log, other, at))
            )
            assert self.computed(way, snapshots) == digest

    def computed(self, way: Way, snapshots: SnapshotStore) -> str:
        walker = Walker(way, self.history.blobs, self.history.log)
        walker.start_from(snapshots, before=way.cycle_count)
        walker.walk_to(way.cycle_count)
        return str(walker.network.digest())

    def require_datasets(self) -> None:
        for content in self.datasets.values():
            for file in content.files:
                self.history.blobs.check(Digest(file.digest))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(operations=OPERATIONS)
def test_after_cleaning_up_everything_that_lives_is_computed_to_its_digest(operations):
    with tempfile.TemporaryDirectory() as path:
        life = Life(Path(path) / "data")
        try:
            for what, choice in operations:
                life.run(what, choice)
            life.clean()
            life.require_datasets()
            # From here on only histories keep the data.
            while life.datasets:
                life.delete_dataset(0)
            life.clean()
            life.require_all(life.history.snapshots)
            life.require_all(SnapshotStore(Path(path) / "none"))
            # Nothing more is found, and once all is deleted nothing is left.
            assert (life.clean().blobs, life.clean().snapshots) == ((), ())
            for kind in ("cluster", "checkpoint"):
                while getattr(life, f"{kind}s"):
                    life.run(f"delete_{kind}", 0)
            life.clean()
            assert list(life.history.blobs.iterate()) == []
            assert all(
                not life.history.snapshots.names(s) for s in life.history.snapshots.streams()
            )
        finally:
            life.history.close()


def test_a_network_is_a_network_again_after_all_of_it():
    """The sequence that needs everything: copy, delete the source and its data, clean, train on."""
    with tempfile.TemporaryDirectory() as path:
        life = Life(Path(path) / "data")
        try:
            for what in ("train", "save", "copy", "delete_dataset", "session"):
                life.run(what, 4)
            for what in ("delete_checkpoint", "delete_cluster", "collect", "train", "collect"):
                life.run(what, 0)
            assert isinstance(life.history.networks[life.clusters[0]], Network)
            life.require_all(SnapshotStore(Path(path) / "none"))
        finally:
            life.history.close()
