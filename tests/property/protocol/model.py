"""What the server should know, in plain Python: no actor, no log, no lock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Checkpoint",
    "Cluster",
    "Dataset",
    "Model",
    "Owned",
    "Person",
    "Task",
    "Token",
    "Upload",
]

POLICY_ROLES = ("admin", "member")


@dataclass
class Person:
    """A user; ``life`` counts how often the id was created, ``secret`` how often it changed."""

    id: str
    name: str = ""
    passphrase: str = ""
    is_admin: bool = False
    is_alive: bool = False
    created_at: str = ""
    life: int = 0
    secret: int = 0
    assignments: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def shown(self) -> list[dict[str, Any]]:
        return [
            {"project_id": project_id, "role": role, "is_project_admin": is_project_admin}
            for project_id, (role, is_project_admin) in self.assignments.items()
        ]


@dataclass(frozen=True)
class Token:
    """What a token was made for; whether it still counts is asked of the model."""

    text: str
    person: Person
    life: int
    secret: int
    project_id: str
    role: str
    is_project_admin: bool

    @property
    def is_valid(self) -> bool:
        person = self.person
        if not person.is_alive or (self.life, self.secret) != (person.life, person.secret):
            return False
        if person.is_admin and self.project_id == "admin":
            return True
        return person.assignments.get(self.project_id) == (self.role, self.is_project_admin)

    def sees(self, owner_id: str, project_id: str) -> bool:
        if self.person.is_admin:
            return True
        if self.project_id != project_id:
            return False
        return self.is_project_admin or self.person.id == owner_id


@dataclass
class Owned:
    uuid: str
    name: str
    owner_id: str
    project_id: str
    created_at: str

    def row(self) -> list[str]:
        """As lists show it."""
        return [
            self.created_at, self.uuid, self.project_id, self.owner_id, "private", self.name,
        ]  # fmt: skip

    def shown(self) -> dict[str, Any]:
        return {
            "created_at": self.created_at,
            "name": self.name,
            "owner_id": self.owner_id,
            "project_id": self.project_id,
            "uuid": self.uuid,
            "visibility": "private",
        }


@dataclass
class Upload:
    """A file on its way in: which bytes were acknowledged, and which are right."""

    uuid: str
    truth: bytes
    stored: bytearray = field(default_factory=bytearray)
    has: set[int] = field(default_factory=set)
    is_complete: bool = False
    is_closed: bool = False

    def write(self, position: int, data: bytes) -> None:
        if not self.stored:
            self.stored = bytearray(len(self.truth))
        self.stored[position : position + len(data)] = data
        self.has.update(range(position, position + len(data)))
        self.is_complete = len(self.has) == len(self.truth)

    def missing(self) -> list[list[int]]:
        """As ``GET dataset/upload`` shows it."""
        gaps: list[list[int]] = []
        for at in range(len(self.truth)):
            if at in self.has:
                continue
            if gaps and gaps[-1][1] == at:
                gaps[-1][1] = at + 1
            else:
                gaps.append([at, at + 1])
        return gaps


@dataclass
class Dataset(Owned):
    """``state`` is waiting, filled or failed; ``columns`` are the rows of each column."""

    kind: str = "csv"
    uploads: list[Upload] = field(default_factory=list)
    state: str = "waiting"
    columns: dict[str, list[list[float]]] = field(default_factory=dict)
    made: dict[str, list[list[float]]] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def description(self) -> dict[str, dict[str, int]]:
        start, described = 0, {}
        for name, rows in self.columns.items():
            described[name] = {"column_start": start, "column_end": start + len(rows[0])}
            start += len(rows[0])
        return described


@dataclass
class Task:
    """``state`` is open, finished, aborted or failed; a long one never ends by itself.

    ``width`` is the number of values of its input, ``saver`` who asked for a checkpoint and where.
    """

    uuid: str
    name: str
    kind: str
    cycle_count: int
    is_long: bool
    state: str = "open"
    outputs: tuple[str, ...] = ()
    width: int = 0
    is_paused: bool = False
    saver: tuple[str, str] = ("", "")

    @property
    def last_cycle(self) -> int:
        """Where it ends; to save and to load takes no cycle."""
        return self.cycle_count if self.kind in {"train", "request"} else 0


@dataclass
class Cluster(Owned):
    """Inputs and outputs by the template; tasks in the order of the queue.

    ``trained`` are the outputs that have learned, ``width`` the widest input of that.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tasks: list[Task] = field(default_factory=list)
    trained: set[str] = field(default_factory=set)
    width: int = 0
    host: str = ""

    def paused(self) -> Task | None:
        """Return the task that is paused: the first that is not over."""
        return next((task for task in self.open_tasks() if task.is_paused), None)

    def learn(self, task: Task) -> None:
        self.trained.update(task.outputs)
        self.width = max(self.width, task.width)

    def width_to_come(self) -> int:
        """Return the widest input that will have learned when a new task has its turn."""
        open_widths = [task.width for task in self.open_tasks() if task.kind == "train"]
        return max([self.width, *open_widths])

    def open_tasks(self) -> list[Task]:
        return [task for task in self.tasks if task.state == "open"]

    def states_of(self, task: Task) -> set[str]:
        """Everything that the task may be now, whatever the time."""
        if task.state != "open":
            return {task.state}
        if task.is_paused:
            return {"paused"}
        before = self.open_tasks()
        before = before[: before.index(task)]
        if any(other.is_long for other in before):
            return {"queued"}
        if task.is_long:
            return {"queued", "active"}
        return {"queued", "active", "finished"} | ({"failed"} if task.kind == "request" else set())

    def ready(self) -> Iterator[Task]:
        """Yield the open tasks that end or begin by themselves: up to the first long one."""
        for task in self.open_tasks():
            yield task
            if task.is_long:
                return


@dataclass
class Checkpoint(Owned):
    """What a cluster was and had learned at a moment."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    trained: frozenset[str] = frozenset()
    width: int = 0


@dataclass
class Model:
    """Everything of one example."""

    people: dict[str, Person] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)

    def valid_tokens(self) -> list[Token]:
        return [token for token in self.tokens if token.is_valid]
