"""The published directory: immutable tables of everything that can be looked up or listed.

The writer folds every record into a new `Tables` before it answers; readers on other threads take
the newest one by reference and never wait.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Generic, Protocol, TypeVar, cast

from immutables import Map
from msgspec.structs import replace

from hanami_actors.domain.access import visible
from hanami_actors.domain.base import Event, Value, Who
from hanami_actors.domain.checkpoint import aggregate as checkpoint
from hanami_actors.domain.checkpoint.events import CheckpointCreated, CheckpointDeleted
from hanami_actors.domain.cluster.events import (
    ClusterCreated,
    ClusterDeleted,
    ClusterRenamed,
    ClusterRestored,
    HostSwitched,
)
from hanami_actors.domain.dataset import aggregate as dataset
from hanami_actors.domain.dataset.events import (
    DatasetCreated,
    DatasetDeleted,
    DatasetFailed,
    DatasetFilled,
)
from hanami_actors.domain.host import aggregate as host
from hanami_actors.domain.host.events import HostEvent, HostRegistered, HostRetired
from hanami_actors.domain.project import aggregate as project
from hanami_actors.domain.project.events import ProjectCreated, ProjectDeleted
from hanami_actors.domain.upload import state as upload
from hanami_actors.domain.upload.apply import apply as apply_upload
from hanami_actors.domain.upload.events import (
    UploadClosed,
    UploadCompleted,
    UploadDiscarded,
    UploadOpened,
    UploadRangeStored,
)
from hanami_actors.domain.user import aggregate as user
from hanami_actors.domain.user.events import (
    UserCreated,
    UserDeleted,
    UserEvent,
    UserPassphraseChanged,
    UserProjectAssigned,
    UserProjectRemoved,
)
from hanami_actors.errors import ImpossibleEventError
from hanami_actors.types import TimestampUs

__all__ = [
    "EMPTY",
    "FOLDED",
    "ClusterRow",
    "Row",
    "Tables",
    "cluster_name_taken",
    "find_visible",
    "fold",
    "key_of",
    "listing",
    "visible_listing",
]


class _Listed(Protocol):
    @property
    def alive(self) -> bool: ...


class _Owned(_Listed, Protocol):
    @property
    def owner_id(self) -> str: ...
    @property
    def project_id(self) -> str: ...


StateT = TypeVar("StateT", bound=_Listed)
OwnedT = TypeVar("OwnedT", bound=_Owned)


class Row(Value, Generic[StateT], frozen=True, kw_only=True):
    """An entry of a table.

    Attributes
    ----------
    state
        Of the aggregate; for clusters a `ClusterRow`.
    version : int
        Of its stream. A cluster's row keeps an old one: only its actor knows the newest.
    position : int
        Of its creation, the order of lists.
    """

    state: StateT
    version: int
    position: int


class ClusterRow(Value, frozen=True, kw_only=True):
    """What lists and checks of access need of a cluster; the rest is with its actor."""

    uuid: str
    name: str
    owner_id: str
    project_id: str
    host_uuid: str
    created_us: TimestampUs

    @property
    def alive(self) -> bool:
        """Whether lists show it: always, deleted clusters have no row."""
        return True


class Tables(Value, frozen=True, kw_only=True):
    """All tables at one position of the log.

    Deleted datasets and clusters and closed uploads have no row. Deleted users and projects keep
    theirs, because their streams go on when the id is used again.

    Attributes
    ----------
    position : int
        Newest record that is folded in.
    users, projects : Map
        By id.
    datasets, uploads, clusters, checkpoints : Map
        By uuid.
    hosts : Map
        By name.
    restored_from : Map
        Which clusters a cluster was ever restored from, both by uuid; kept after its deletion.
    """

    position: int = 0
    users: Map[str, Row[user.UserState]] = Map()
    projects: Map[str, Row[project.ProjectState]] = Map()
    datasets: Map[str, Row[dataset.DatasetState]] = Map()
    uploads: Map[str, Row[upload.UploadState]] = Map()
    clusters: Map[str, Row[ClusterRow]] = Map()
    checkpoints: Map[str, Row[checkpoint.CheckpointState]] = Map()
    hosts: Map[str, Row[host.HostState]] = Map()
    restored_from: Map[str, frozenset[str]] = Map()


EMPTY: Final = Tables()
"""The tables of an empty log."""


def key_of(stream: str) -> str:
    """Return the id behind the kind of a stream's name."""
    return stream.partition("/")[2]


class _Place(Value, frozen=True, kw_only=True):
    key: str
    version: int
    position: int
    time_us: TimestampUs


_Fold = Callable[[Tables, _Place, Event], Tables]


def fold(
    tables: Tables,
    stream: str,
    version: int,
    position: int,
    time_us: int,
    event: Event,
) -> Tables:
    """Return the tables after one record.

    Events that no table shows (tasks of a cluster) only move the position.
    """
    handler = FOLDED.get(type(event))
    if handler is None:
        return replace(tables, position=position)
    place = _Place(
        key=key_of(stream), version=version, position=position, time_us=TimestampUs(time_us)
    )
    return handler(tables, place, event)


def listing(rows: Map[str, Row[StateT]]) -> list[StateT]:
    """Return the living entries of a table in the order of their creation."""
    alive = [row for row in rows.values() if row.state.alive]
    alive.sort(key=lambda row: row.position)
    return [row.state for row in alive]


def visible_listing(rows: Map[str, Row[OwnedT]], who: Who) -> list[OwnedT]:
    """Return what the caller sees of a table, in the order of creation."""
    return [state for state in listing(rows) if visible(who, state.owner_id, state.project_id)]


def find_visible(rows: Map[str, Row[OwnedT]], who: Who, key: str) -> OwnedT | None:
    """Return the entry if it lives and the caller sees it."""
    row = rows.get(key)
    if row is None or not row.state.alive:
        return None
    state = row.state
    return state if visible(who, state.owner_id, state.project_id) else None


def cluster_name_taken(tables: Tables, who: Who, name: str) -> bool:
    """Tell whether a cluster that the caller sees has this name."""
    return any(
        row.state.name == name and visible(who, row.state.owner_id, row.state.project_id)
        for row in tables.clusters.values()
    )


def _row(
    rows: Map[str, Row[StateT]], place: _Place, state: StateT, *, born: bool
) -> Map[str, Row[StateT]]:
    position = place.position if born else rows[place.key].position
    return rows.set(place.key, Row(state=state, version=place.version, position=position))


def _without(rows: Map[str, Row[StateT]], place: _Place, event: Event) -> Map[str, Row[StateT]]:
    if place.key not in rows:
        raise ImpossibleEventError(f"event {event.TAG!r} names '{place.key}', which does not exist")
    return rows.delete(place.key)


def _fold_user(tables: Tables, place: _Place, event: Event) -> Tables:
    old = tables.users.get(place.key)
    fact = cast("UserEvent", event)
    state = user.apply(old.state if old else user.initial(), fact, place.time_us)
    rows = _row(tables.users, place, state, born=isinstance(event, UserCreated))
    return replace(tables, position=place.position, users=rows)


def _fold_project(tables: Tables, place: _Place, event: Event) -> Tables:
    old = tables.projects.get(place.key)
    fact = cast("ProjectCreated | ProjectDeleted", event)
    state = project.apply(old.state if old else project.initial(), fact, place.time_us)
    rows = _row(tables.projects, place, state, born=isinstance(event, ProjectCreated))
    return replace(tables, position=place.position, projects=rows)


def _fold_dataset(tables: Tables, place: _Place, event: Event) -> Tables:
    if isinstance(event, DatasetDeleted):
        rows = _without(tables.datasets, place, event)
        return replace(tables, position=place.position, datasets=rows)
    old = tables.datasets.get(place.key)
    fact = cast("DatasetCreated | DatasetFilled | DatasetFailed", event)
    state = dataset.apply(old.state if old else dataset.initial(), fact, place.time_us)
    rows = _row(tables.datasets, place, state, born=isinstance(event, DatasetCreated))
    return replace(tables, position=place.position, datasets=rows)


def _fold_upload(tables: Tables, place: _Place, event: Event) -> Tables:
    if isinstance(event, UploadClosed):
        rows = _without(tables.uploads, place, event)
        return replace(tables, position=place.position, uploads=rows)
    old = tables.uploads.get(place.key)
    fact = cast("UploadOpened | UploadRangeStored | UploadCompleted | UploadDiscarded", event)
    state = apply_upload(old.state if old else upload.initial(), fact, place.time_us)
    rows = _row(tables.uploads, place, state, born=isinstance(event, UploadOpened))
    return replace(tables, position=place.position, uploads=rows)


def _fold_checkpoint(tables: Tables, place: _Place, event: Event) -> Tables:
    if isinstance(event, CheckpointDeleted):
        rows = _without(tables.checkpoints, place, event)
        return replace(tables, position=place.position, checkpoints=rows)
    fact = cast("CheckpointCreated", event)
    state = checkpoint.apply(checkpoint.initial(), fact, place.time_us)
    rows = _row(tables.checkpoints, place, state, born=True)
    return replace(tables, position=place.position, checkpoints=rows)


def _fold_restored(tables: Tables, place: _Place, event: Event) -> Tables:
    source = key_of(cast("ClusterRestored", event).source.stream)
    known = tables.restored_from.get(place.key, frozenset())
    if not source or source == place.key or source in known:
        return replace(tables, position=place.position)
    edges = tables.restored_from.set(place.key, known | {source})
    return replace(tables, position=place.position, restored_from=edges)


def _fold_cluster(tables: Tables, place: _Place, event: Event) -> Tables:
    if isinstance(event, ClusterDeleted):
        rows = _without(tables.clusters, place, event)
        return replace(tables, position=place.position, clusters=rows)
    if isinstance(event, ClusterRenamed | HostSwitched):
        old = tables.clusters[place.key].state
        if isinstance(event, ClusterRenamed):
            state = replace(old, name=event.name)
        else:
            state = replace(old, host_uuid=event.host_uuid)
        rows = _row(tables.clusters, place, state, born=False)
        return replace(tables, position=place.position, clusters=rows)
    fact = cast("ClusterCreated", event)
    state = ClusterRow(
        uuid=fact.uuid,
        name=fact.name,
        owner_id=fact.owner_id,
        project_id=fact.project_id,
        host_uuid=fact.host_uuid,
        created_us=place.time_us,
    )
    rows = _row(tables.clusters, place, state, born=True)
    return replace(tables, position=place.position, clusters=rows)


def _fold_host(tables: Tables, place: _Place, event: Event) -> Tables:
    old = tables.hosts.get(place.key)
    fact = cast("HostEvent", event)
    state = host.apply(old.state if old else host.initial(), fact, place.time_us)
    rows = _row(tables.hosts, place, state, born=old is None)
    return replace(tables, position=place.position, hosts=rows)


FOLDED: Final[Mapping[type[Event], _Fold]] = MappingProxyType(
    {
        UserCreated: _fold_user,
        UserDeleted: _fold_user,
        UserProjectAssigned: _fold_user,
        UserProjectRemoved: _fold_user,
        UserPassphraseChanged: _fold_user,
        ProjectCreated: _fold_project,
        ProjectDeleted: _fold_project,
        DatasetCreated: _fold_dataset,
        DatasetFilled: _fold_dataset,
        DatasetFailed: _fold_dataset,
        DatasetDeleted: _fold_dataset,
        UploadOpened: _fold_upload,
        UploadRangeStored: _fold_upload,
        UploadCompleted: _fold_upload,
        UploadDiscarded: _fold_upload,
        UploadClosed: _fold_upload,
        ClusterCreated: _fold_cluster,
        ClusterDeleted: _fold_cluster,
        ClusterRenamed: _fold_cluster,
        HostSwitched: _fold_cluster,
        ClusterRestored: _fold_restored,
        CheckpointCreated: _fold_checkpoint,
        CheckpointDeleted: _fold_checkpoint,
        HostRegistered: _fold_host,
        HostRetired: _fold_host,
    }
)
"""Which events change a table, and how; all others belong to an actor alone."""
