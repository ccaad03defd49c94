"""Small valid values that many tests of the domain start from."""

from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.cluster import apply as cluster_apply
from hanami_actors.domain.cluster import decide as cluster_decide
from hanami_actors.domain.cluster import state as cluster_state
from hanami_actors.domain.cluster.events import Binding, ResultBinding, Task
from hanami_actors.domain.cluster.messages import RegisterCluster
from hanami_actors.domain.cluster.source import Source
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.dataset.aggregate import DatasetPhase, DatasetState
from hanami_actors.domain.dataset.events import Column, ColumnFile, DatasetContent
from hanami_actors.types import TimestampUs

NOW_US = TimestampUs(1_700_000_000_000_000)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def stamp(
    user="alice", project="lab", *, now_us=NOW_US, admin=False, project_admin=False, ids=None
):
    return Stamp(
        now_us=TimestampUs(now_us),
        who=Who(user_id=user, project_id=project, is_admin=admin, is_project_admin=project_admin),
        ids=ids or (uuid(1), uuid(2), uuid(3), uuid(4)),
        seed=7,
    )


def content(row_count=10, **widths: int) -> DatasetContent:
    """A content with one file per column; without names: picture 4 wide, label 2 wide."""
    widths = widths or {"picture": 4, "label": 2}
    files, columns, start = [], [], 0
    for index, (name, width) in enumerate(widths.items()):
        files.append(ColumnFile(digest="d" * 64, dtype="float32", row_count=row_count, width=width))
        columns.append(
            Column(name=name, start=start, end=start + width, file_index=index, file_start=0)
        )
        start += width
    return DatasetContent(
        row_count=row_count, column_count=start, files=tuple(files), columns=tuple(columns)
    )


def filled_dataset(number=100, row_count=10, **widths: int) -> DatasetState:
    return DatasetState(
        phase=DatasetPhase.FILLED,
        uuid=uuid(number),
        name="data",
        kind="csv",
        owner_id="alice",
        project_id="lab",
        content=content(row_count, **widths),
        created_us=NOW_US,
    )


def binding(name: str, width=4) -> Binding:
    return Binding(
        hexagon_name=name,
        dataset_uuid=uuid(100),
        dataset_column="picture",
        file=ColumnFile(digest="d" * 64, dtype="uint8", row_count=10, width=width),
        start=0,
        end=width,
    )


def train_task(number: int, *, row_count=10, epoch_count=1, time_length=1) -> Task:
    return Task(
        uuid=uuid(number),
        kind="train",
        name=f"train {number}",
        inputs=(binding("input"),),
        outputs=(binding("output", 2),),
        row_count=row_count,
        time_length=time_length,
        epoch_count=epoch_count,
        user_id="alice",
        project_id="lab",
    )


def request_task(number: int, *, row_count=10) -> Task:
    return Task(
        uuid=uuid(number),
        kind="request",
        name=f"ask {number}",
        inputs=(binding("input"),),
        results=(ResultBinding(hexagon_name="output", dataset_column="answer"),),
        row_count=row_count,
        user_id="alice",
        project_id="lab",
    )


def save_task(number: int) -> Task:
    return Task(
        uuid=uuid(number),
        kind="save",
        name=f"save {number}",
        row_count=1,
        user_id="alice",
        project_id="lab",
    )


def load_task(number: int, moment: Source | None = None) -> Task:
    return Task(
        uuid=uuid(number),
        kind="load",
        name=f"load {number}",
        row_count=1,
        user_id="alice",
        project_id="lab",
        source=moment or source(),
    )


def source(number=51, *, version=3, span=60, cycle=10) -> Source:
    """A moment of another cluster that learned one input and one output."""
    return Source(
        stream=f"cluster/{uuid(number)}",
        version=version,
        span_uuid=uuid(span),
        cycle=cycle,
        digest="e" * 64,
        template_text=default_template(),
        template=parse_template(default_template()),
        seed=8,
        inputs=(("input", 4),),
        outputs=(("output", 2),),
    )


def register(number=50, name="cluster") -> RegisterCluster:
    return RegisterCluster(
        uuid=uuid(number),
        name=name,
        template_text=default_template(),
        template=parse_template(default_template()),
        seed=7,
        host_uuid=uuid(9),
    )


def cluster_after(*messages):
    """Return the state of a fresh cluster after these messages."""
    state = cluster_state.initial()
    for message in (register(), *messages):
        for event in cluster_decide.decide(state, message, stamp()):
            state = cluster_apply.apply(state, event, NOW_US)
        cluster_state.invariants(state)
    return state
