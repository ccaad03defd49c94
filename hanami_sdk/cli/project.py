"""``hanamictl project``."""

import shlex
import sys

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import PROGRAM, Command, Flag, Group
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import delete, show_answer, show_listing, show_object

__all__ = ["GROUP"]

FIELDS = ("id", "name", "creator_id", "created_at")


def _create(ctx: click.Context, project_id: str, name: str) -> None:
    show_answer(ctx, calls.accounts.create_project(project_id, name), FIELDS)


def _get(ctx: click.Context, project_id: str) -> None:
    show_answer(ctx, calls.accounts.get_project(project_id), FIELDS)


def _list(ctx: click.Context) -> None:
    show_listing(ctx, calls.accounts.list_projects(), FIELDS)


def _delete(ctx: click.Context, project_id: str, force: bool) -> None:
    delete(ctx, calls.accounts.delete_project(project_id, force), "project", project_id)


def _switch(ctx: click.Context, project_id: str) -> None:
    """Check that the project can be entered, and say how to stay there.

    A program cannot change the environment of its shell, so it prints what the shell has to do.
    """
    session = open_session(ctx, enter_project=False)
    answer = session.ask(calls.accounts.switch_project(project_id))
    if session.settings.json_output:
        show_object(session, answer, ())
        return
    if session.has_passphrase:
        click.echo(f"export HANAMI_PROJECT={shlex.quote(project_id)}")
    else:
        click.echo(f"export HANAMI_TOKEN={shlex.quote(answer['token'])}")
    if sys.stdout.isatty():
        click.echo(
            f'to work in this project:  eval "$({PROGRAM} project switch {project_id})"', err=True
        )


GROUP = Group(
    "project",
    summary="Manage projects (admins only), work in another one",
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
        Command(
            "delete",
            _delete,
            summary="Delete a project",
            argument="PROJECT_ID",
            flags=[
                Flag("--force", kind="", summary="delete everything that is in it as well"),
            ],
        ),
        Command(
            "switch",
            _switch,
            summary="Print what makes your shell work in another of your projects",
            argument="PROJECT_ID",
        ),
    ],
)
