"""``hanamictl project``."""

import click

from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import show_deleted, show_list, show_object

__all__ = ["GROUP"]

FIELDS = ("id", "name", "creator_id", "created_at")


def _create(ctx: click.Context, project_id: str, name: str) -> None:
    from hanami_sdk import project

    session = open_session(ctx)
    show_object(session, session.ask(project.create_project, project_id, name), FIELDS)


def _get(ctx: click.Context, project_id: str) -> None:
    from hanami_sdk import project

    session = open_session(ctx)
    show_object(session, session.ask(project.get_project, project_id), FIELDS)


def _list(ctx: click.Context) -> None:
    from hanami_sdk import project

    session = open_session(ctx)
    show_list(session, session.ask(project.list_projects), FIELDS)


def _delete(ctx: click.Context, project_id: str) -> None:
    from hanami_sdk import project

    session = open_session(ctx)
    session.call(project.delete_project, project_id)
    show_deleted("project", project_id)


GROUP = Group(
    "project",
    summary="Manage projects (admins only)",
    commands=[
        Command(
            "create",
            _create,
            summary="Create an empty project",
            argument="PROJECT_ID",
            flags=[Flag("-n", "--name", summary="name of the project", mandatory=True)],
        ),
        Command("get", _get, summary="Show one project", argument="PROJECT_ID"),
        Command("list", _list, summary="List all projects"),
        Command("delete", _delete, summary="Delete a project", argument="PROJECT_ID"),
    ],
)
