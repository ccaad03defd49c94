"""``hanamictl task``."""

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import PROGRAM, Command, Flag, Group
from hanami_sdk.cli.failures import EXIT_INTERRUPTED, CommandFailedError
from hanami_sdk.cli.progress import cycles_bar
from hanami_sdk.cli.session import Session, open_session
from hanami_sdk.cli.show import delete, show_answer, show_listing, show_object

if TYPE_CHECKING:
    from hanami_sdk.calls.results import Task

__all__ = ["GROUP"]

FIELDS = (
    "uuid",
    "state",
    "current_cycle",
    "total_number_of_cycles",
    "queue_timestamp",
    "start_timestamp",
    "end_timestamp",
)

ENDED_BADLY = frozenset({"failed", "aborted"})

DATASET_PARTS = ("dataset_uuid", "dataset_column", "hexagon_name")
RESULT_PARTS = ("hexagon_name", "dataset_column")


def parse_links(texts: tuple[str, ...], names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the parts of ``a:b:c`` under their names; several may stand behind one comma.

    Raises
    ------
    CommandFailedError
        When a text has no colon, or not as many as there are names.
    """
    links = []
    for text in (part for row in csv.reader(texts) for part in row):
        parts = text.split(":")
        if len(parts) == 1:
            raise CommandFailedError("Error: Required separators ':' are missing")
        if len(parts) != len(names):
            raise CommandFailedError("Error: Invalid format before or after ':'")
        links.append(dict(zip(names, parts, strict=True)))
    return links


def _show_created(
    session: Session, created: dict[str, object], cluster: str, wait: bool
) -> int | None:
    """Print the new task, or wait for its end and print what it has become then."""
    if not wait:
        show_object(session, created, FIELDS)
        return None
    return _wait_and_show(session, str(created["uuid"]), cluster)


def _wait_and_show(session: Session, uuid: str, cluster: str) -> int | None:
    """Wait for the end of a task and print it; return the exit status.

    Raises
    ------
    CommandFailedError
        On Ctrl-C, which leaves the task running, and for every failed call.
    """
    from hanami_sdk.client._sync.tasks import ended_task

    asking = calls.tasks.get_task(uuid, cluster)
    ended: dict[str, object] = {}

    def read(body: bytes) -> "Task":
        now = asking.read(body)
        # What is printed has every field that the server sends.
        ended.update(json.loads(body))
        return now

    try:
        with cycles_bar(session.settings, "task") as report:
            call = replace(asking, read=read)
            session.use(lambda client: ended_task(client, call, report=report))
    except KeyboardInterrupt:
        raise CommandFailedError(
            "",
            hint=f"the task goes on; see `{PROGRAM} task get -c {cluster} {uuid}`,"
            f" stop it with `{PROGRAM} task delete -c {cluster} {uuid}`",
            status=EXIT_INTERRUPTED,
        ) from None
    show_object(session, ended, FIELDS)
    if ended["state"] in ENDED_BADLY:
        _explain(ended)
        return 1
    return None


def _explain(task: dict[str, object]) -> None:
    reason = task.get("reason")
    click.echo(f"task {task['state']}{f': {reason}' if reason else ''}", err=True)


def _show_live(session: Session, task: dict[str, object]) -> None:
    """Print a task, and beside the table what scripts for the original do not expect in it."""
    show_object(session, task, FIELDS)
    if session.settings.json_output:
        return
    end = task.get("estimated_end_timestamp", "-")
    if task.get("reason"):
        _explain(task)
    elif end != "-":
        click.echo(f"estimated end: {end}", err=True)


def _create_train(
    ctx: click.Context,
    name: str,
    *,
    input_links: tuple[str, ...],
    output_links: tuple[str, ...],
    cluster: str,
    time_length: int,
    epochs: int | None,
    wait: bool,
) -> int | None:
    session = open_session(ctx)
    call = calls.tasks.create_train_task(
        name,
        cluster,
        inputs=parse_links(input_links, DATASET_PARTS),
        outputs=parse_links(output_links, DATASET_PARTS),
        time_length=time_length,
        number_of_epochs=epochs,
    )
    return _show_created(session, session.ask(call), cluster, wait)


def _create_request(
    ctx: click.Context,
    name: str,
    *,
    input_links: tuple[str, ...],
    result_links: tuple[str, ...],
    cluster: str,
    time_length: int,
    wait: bool,
) -> int | None:
    session = open_session(ctx)
    call = calls.tasks.create_request_task(
        name,
        cluster,
        inputs=parse_links(input_links, DATASET_PARTS),
        results=parse_links(result_links, RESULT_PARTS),
        time_length=time_length,
    )
    return _show_created(session, session.ask(call), cluster, wait)


def _get(ctx: click.Context, uuid: str, cluster: str) -> None:
    session = open_session(ctx)
    _show_live(session, session.ask(calls.tasks.get_task(uuid, cluster)))


def _list(ctx: click.Context, cluster: str) -> None:
    show_listing(ctx, calls.tasks.list_tasks(cluster), ("uuid", "state"))


def _wait(ctx: click.Context, uuid: str, cluster: str) -> int | None:
    return _wait_and_show(open_session(ctx), uuid, cluster)


def _pause(ctx: click.Context, uuid: str, cluster: str) -> None:
    show_answer(ctx, calls.tasks.pause_task(uuid, cluster), FIELDS)


def _resume(ctx: click.Context, uuid: str, cluster: str) -> None:
    show_answer(ctx, calls.tasks.resume_task(uuid, cluster), FIELDS)


def _abort(ctx: click.Context, uuid: str, cluster: str) -> None:
    show_answer(ctx, calls.tasks.abort_task(uuid, cluster), FIELDS)


def _delete(ctx: click.Context, uuid: str, cluster: str) -> None:
    delete(ctx, calls.tasks.delete_task(uuid, cluster), "task", uuid)


def _cluster_flag() -> Flag:
    return Flag("-c", "--cluster", summary="UUID of the cluster", mandatory=True)


def _input_flag() -> Flag:
    return Flag(
        "input_links",
        "-i",
        "--input",
        kind="strings",
        summary="DATASET_UUID:COLUMN:HEXAGON, repeatable: which column goes to which input",
        mandatory=True,
    )


def _common_flags() -> list[Flag]:
    return [
        _cluster_flag(),
        Flag(
            "time_length",
            "-t",
            "--time",
            kind="int",
            default=1,
            summary="number of rows that make up one input",
        ),
        Flag("--wait", kind="", summary="wait for the end; exit 1 if it fails or is aborted"),
    ]


CREATE = Group(
    "create",
    summary="Queue a new task",
    commands=[
        Command(
            "train",
            _create_train,
            summary="Train a cluster with datasets",
            argument="TASK_NAME",
            flags=[
                _input_flag(),
                Flag(
                    "output_links",
                    "-o",
                    "--output",
                    kind="strings",
                    summary="DATASET_UUID:COLUMN:HEXAGON, repeatable:"
                    " which column is expected from which output",
                    mandatory=True,
                ),
                Flag("--epochs", kind="int", summary="how often all rows are trained"),
                *_common_flags(),
            ],
        ),
        Command(
            "request",
            _create_request,
            summary="Ask a cluster; the answers become a dataset with the UUID of the task",
            argument="TASK_NAME",
            flags=[
                _input_flag(),
                Flag(
                    "result_links",
                    "-r",
                    "--result",
                    kind="strings",
                    summary="HEXAGON:COLUMN, repeatable: which output becomes which column",
                    mandatory=True,
                ),
                *_common_flags(),
            ],
        ),
    ],
)

GROUP = Group(
    "task",
    summary="Train clusters, ask them, and look at the queue",
    commands=[
        CREATE,
        Command(
            "get", _get, summary="Show one task", argument="TASK_UUID", flags=[_cluster_flag()]
        ),
        Command("list", _list, summary="List all tasks of a cluster", flags=[_cluster_flag()]),
        Command(
            "wait",
            _wait,
            summary="Wait for the end of a task; exit 1 if it fails or is aborted",
            argument="TASK_UUID",
            flags=[_cluster_flag()],
        ),
        Command(
            "pause",
            _pause,
            summary="Stop a training so that it can go on later",
            argument="TASK_UUID",
            flags=[_cluster_flag()],
        ),
        Command(
            "resume",
            _resume,
            summary="Let a paused training go on",
            argument="TASK_UUID",
            flags=[_cluster_flag()],
        ),
        Command(
            "abort",
            _abort,
            summary="End a task where it is; what it has learned stays",
            argument="TASK_UUID",
            flags=[_cluster_flag()],
        ),
        Command(
            "delete",
            _delete,
            summary="Remove a task; a running one is aborted",
            argument="TASK_UUID",
            flags=[_cluster_flag()],
        ),
    ],
)
