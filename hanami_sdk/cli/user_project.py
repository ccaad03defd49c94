"""``hanamictl user project``: which user may work in which project."""

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import show_answer, show_rows

__all__ = ["GROUP"]

USER_FIELDS = ("id", "name", "is_admin", "projects", "creator_id", "created_at")
FIELDS = ("project_id", "role", "is_project_admin")


def _add(ctx: click.Context, user_id: str, project: str, role: str, is_project_admin: bool) -> None:
    call = calls.accounts.add_project(user_id, project, role, is_project_admin)
    show_answer(ctx, call, USER_FIELDS)


def _remove(ctx: click.Context, user_id: str, project: str) -> None:
    show_answer(ctx, calls.accounts.remove_project(user_id, project), USER_FIELDS)


def _list(ctx: click.Context, user_id: str | None) -> None:
    session = open_session(ctx)
    answer = session.ask(calls.accounts.list_user_projects(user_id or None))
    show_rows(session, answer, "projects", FIELDS)


def _project_flag() -> Flag:
    return Flag("-p", "--project", summary="id of the project", mandatory=True)


GROUP = Group(
    "project",
    summary="Say who may work in which project",
    commands=[
        Command(
            "add",
            _add,
            summary="Let a user work in a project (admins only)",
            argument="USER_ID",
            flags=[
                _project_flag(),
                Flag("-r", "--role", default="member", summary="role there; without it: member"),
                Flag(
                    "--is_project_admin",
                    kind="",
                    summary="let the user see what all members of the project have",
                ),
            ],
        ),
        Command(
            "remove",
            _remove,
            summary="Take a project away from a user (admins only)",
            argument="USER_ID",
            flags=[_project_flag()],
        ),
        Command(
            "list",
            _list,
            summary="List your own projects; admins also those of others",
            flags=[Flag("user_id", "-u", "--user", summary="id of another user (admins only)")],
        ),
    ],
)
