"""``hanamictl cluster``."""

from pathlib import Path

import click

from hanami_sdk import calls
from hanami_sdk.cli import plot
from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.failures import CommandFailedError, UsageFaultError
from hanami_sdk.cli.session import open_failure, open_session
from hanami_sdk.cli.show import delete, show_answer, show_list, show_listing, show_object

__all__ = ["GROUP"]

FIELDS = ("uuid", "name", "visibility", "owner_id", "project_id", "created_at")
MODES = ("TASK", "DIRECT")
GET_FIELDS = (
    "uuid",
    "name",
    "visibility",
    "owner_id",
    "number_of_blocks",
    "number_of_sections",
    "project_id",
    "created_at",
)


def _template_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise open_failure(error) from error
    except UnicodeDecodeError as error:
        raise CommandFailedError(
            f"Error: {path} is not a text file; byte {error.start} is not UTF-8"
        ) from error


def _create(ctx: click.Context, name: str, template: str | None, checkpoint: str | None) -> None:
    if (template is None) == (checkpoint is None):
        fault = 'required flag(s) "template" not set'
        if template is not None:
            fault = "a cluster begins with a template or a checkpoint, not with both"
        raise UsageFaultError(fault, ctx.get_usage())
    session = open_session(ctx)
    text = None if template is None else _template_text(template)
    call = calls.clusters.create_cluster(name, text, checkpoint_uuid=checkpoint)
    show_object(session, session.ask(call), FIELDS)


def _get(ctx: click.Context, uuid: str) -> None:
    show_answer(ctx, calls.clusters.get_cluster(uuid), GET_FIELDS)


def _list(ctx: click.Context) -> None:
    show_listing(ctx, calls.clusters.list_clusters(), FIELDS)


def _delete(ctx: click.Context, uuid: str) -> None:
    delete(ctx, calls.clusters.delete_cluster(uuid), "cluster", uuid)


def _save(ctx: click.Context, uuid: str, name: str) -> None:
    show_answer(ctx, calls.clusters.save_cluster(uuid, name), ("uuid", "name"))


def _restore(ctx: click.Context, uuid: str, checkpoint: str) -> None:
    show_answer(ctx, calls.clusters.restore_cluster(uuid, checkpoint), ("uuid",))


def _host(ctx: click.Context, uuid: str, host: str) -> None:
    show_answer(ctx, calls.clusters.switch_host(uuid, host, None), FIELDS)


def _mode(ctx: click.Context, uuid: str, mode: str) -> None:
    if mode.upper() not in MODES:
        raise CommandFailedError(f"Error: mode is {mode!r}; it must be task or direct")
    show_answer(ctx, calls.clusters.set_mode(uuid, mode.upper()), ("uuid", "name", "new_state"))


def _stats(ctx: click.Context, uuid: str) -> None:
    """Print all plain figures that the server has, those of newer servers as well."""
    session = open_session(ctx)
    stats = session.ask(calls.clusters.get_stats(uuid))
    plain = [field for field, value in stats.items() if not isinstance(value, list | dict)]
    show_object(session, stats, ["uuid", *(field for field in plain if field != "uuid")])


def _history(ctx: click.Context, uuid: str, task: str | None, rows: int) -> None:
    session = open_session(ctx)
    listing = session.ask(calls.clusters.get_history(uuid, rows, task))
    show_list(session, listing, listing["header"])


def _rename(ctx: click.Context, uuid: str, name: str) -> None:
    show_answer(ctx, calls.clusters.rename_cluster(uuid, name), FIELDS)


def _copy(ctx: click.Context, uuid: str, name: str, task: str | None, cycle: int | None) -> None:
    call = calls.clusters.copy_cluster(uuid, name)
    if task is not None or cycle is not None:
        call = calls.clusters.create_cluster(
            name, source_cluster_uuid=uuid, source_task_uuid=task, source_cycle=cycle
        )
    show_answer(ctx, call, FIELDS)


GROUP = Group(
    "cluster",
    summary="Create, look at, save, copy, move and delete clusters",
    commands=[
        Command(
            "create",
            _create,
            summary="Create a cluster from a template or a checkpoint",
            argument="CLUSTER_NAME",
            flags=[
                Flag("-t", "--template", kind="path", summary="path of the template"),
                Flag("-c", "--checkpoint", summary="UUID of a checkpoint, instead of a template"),
            ],
        ),
        Command("get", _get, summary="Show one cluster", argument="CLUSTER_UUID"),
        Command("list", _list, summary="List all clusters"),
        Command(
            "stats", _stats, summary="Show the live figures of a cluster", argument="CLUSTER_UUID"
        ),
        Command(
            "history",
            _history,
            summary="Show how a cluster learned: its recorded figures",
            argument="CLUSTER_UUID",
            flags=[
                Flag("-t", "--task", summary="UUID of a task or direct session; without it all"),
                Flag("-n", "--rows", kind="int", default=1000, summary="at most so many rows"),
            ],
        ),
        plot.COMMAND,
        Command(
            "rename",
            _rename,
            summary="Give a cluster another name",
            argument="CLUSTER_UUID",
            flags=[Flag("-n", "--name", summary="the new name", mandatory=True)],
        ),
        Command(
            "copy",
            _copy,
            summary="Create a cluster that has learned what another one has, or had",
            argument="CLUSTER_UUID",
            flags=[
                Flag("-n", "--name", summary="name of the copy", mandatory=True),
                Flag("-t", "--task", summary="as it was at the end of this task"),
                Flag("--cycle", kind="int", summary="or after so many cycles of that task"),
            ],
        ),
        Command(
            "host",
            _host,
            summary="Move a cluster to another host; a running task goes on there",
            argument="CLUSTER_UUID",
            flags=[Flag("-H", "--host", summary="UUID of the host", mandatory=True)],
        ),
        Command(
            "mode",
            _mode,
            summary="Let a cluster work on its tasks, or learn directly",
            argument="CLUSTER_UUID",
            flags=[Flag("-m", "--mode", summary="task or direct", mandatory=True)],
        ),
        Command("delete", _delete, summary="Delete a cluster", argument="CLUSTER_UUID"),
        Command(
            "save",
            _save,
            summary="Save the state of a cluster as a checkpoint",
            argument="CLUSTER_UUID",
            flags=[Flag("-n", "--name", summary="name of the checkpoint", mandatory=True)],
        ),
        Command(
            "restore",
            _restore,
            summary="Bring a cluster to the state of a checkpoint",
            argument="CLUSTER_UUID",
            flags=[Flag("-c", "--checkpoint", summary="UUID of the checkpoint", mandatory=True)],
        ),
    ],
)
