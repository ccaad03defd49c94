"""``hanamictl cluster``."""

from pathlib import Path

import click

from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.session import open_failure, open_session
from hanami_sdk.cli.show import show_deleted, show_list, show_object

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


def _create(ctx: click.Context, name: str, template: str) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    created = session.ask(cluster.create_cluster, name, _template_text(template))
    show_object(session, created, FIELDS)


def _get(ctx: click.Context, uuid: str) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    show_object(session, session.ask(cluster.get_cluster, uuid), GET_FIELDS)


def _list(ctx: click.Context) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    show_list(session, session.ask(cluster.list_clusters), FIELDS)


def _delete(ctx: click.Context, uuid: str) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    session.call(cluster.delete_cluster, uuid)
    show_deleted("cluster", uuid)


def _save(ctx: click.Context, uuid: str, name: str) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    show_object(session, session.ask(cluster.save_cluster, name, uuid), ("uuid", "name"))


def _restore(ctx: click.Context, uuid: str, checkpoint: str) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    show_object(session, session.ask(cluster.restore_cluster, checkpoint, uuid), ("uuid",))


def _host(ctx: click.Context, uuid: str, host: str) -> None:
    from hanami_sdk import cluster

    session = open_session(ctx)
    show_object(session, session.ask(cluster.switch_host, uuid, host), FIELDS)


def _mode(ctx: click.Context, uuid: str, mode: str) -> None:
    from hanami_sdk import cluster

    if mode.upper() not in MODES:
        raise CommandFailedError(f"Error: mode is {mode!r}; it must be task or direct")
    session = open_session(ctx)
    answer = session.ask(cluster.set_mode, uuid, mode.upper())
    show_object(session, answer, ("uuid", "name", "new_state"))


def _stats(ctx: click.Context, uuid: str) -> None:
    """Print all figures that the server has, those of newer servers as well."""
    from hanami_sdk import cluster

    session = open_session(ctx)
    figures = session.ask(cluster.get_cluster, uuid)
    fields = [field for field in figures if field not in FIELDS]
    show_object(session, figures, ["uuid", "name", *fields])


GROUP = Group(
    "cluster",
    summary="Create, look at, save, move and delete clusters",
    commands=[
        Command(
            "create",
            _create,
            summary="Create a cluster from a template",
            argument="CLUSTER_NAME",
            flags=[Flag("-t", "--template", summary="path of the template", mandatory=True)],
        ),
        Command("get", _get, summary="Show one cluster", argument="CLUSTER_UUID"),
        Command("list", _list, summary="List all clusters"),
        Command(
            "stats", _stats, summary="Show the live figures of a cluster", argument="CLUSTER_UUID"
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
