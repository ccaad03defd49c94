"""What is in a project: everything that has to go before the project can."""

from collections.abc import Iterable

from hanami_actors.domain.base import Value
from hanami_actors.domain.tables import Tables, listing

__all__ = ["ProjectResources", "resources_of"]

SHOWN_PER_KIND_MAX = 20


class ProjectResources(Value, frozen=True, kw_only=True):
    """What is in a project.

    Attributes
    ----------
    clusters, checkpoints, datasets : tuple of str
        Uuids, oldest first.
    users : tuple of str
        Ids of the users that may work in it.
    """

    clusters: tuple[str, ...]
    checkpoints: tuple[str, ...]
    datasets: tuple[str, ...]
    users: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not (self.clusters or self.checkpoints or self.datasets or self.users)

    @property
    def text(self) -> str:
        """The list for an error; long ones are cut."""
        kinds = {
            "clusters": self.clusters,
            "checkpoints": self.checkpoints,
            "datasets": self.datasets,
            "users": self.users,
        }
        return "; ".join(f"{name}: {_shown(keys)}" for name, keys in kinds.items() if keys)


def resources_of(tables: Tables, project_id: str) -> ProjectResources:
    """Look up what is in a project."""
    return ProjectResources(
        clusters=tuple(
            row.uuid for row in listing(tables.clusters) if row.project_id == project_id
        ),
        checkpoints=tuple(
            row.uuid for row in listing(tables.checkpoints) if row.project_id == project_id
        ),
        datasets=tuple(
            row.uuid for row in listing(tables.datasets) if row.project_id == project_id
        ),
        users=tuple(
            user.id for user in listing(tables.users) if user.assignment(project_id) is not None
        ),
    )


def _shown(keys: Iterable[str]) -> str:
    every = list(keys)
    shown = ", ".join(every[:SHOWN_PER_KIND_MAX])
    rest = len(every) - SHOWN_PER_KIND_MAX
    return f"{shown} and {rest} more" if rest > 0 else shown
