"""``hanamictl user``."""

import getpass
import sys

import click

from hanami_sdk import calls
from hanami_sdk.cli import user_project
from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import delete, show_answer, show_listing, show_object

__all__ = ["GROUP"]

FIELDS = ("id", "name", "is_admin", "projects", "creator_id", "created_at")


def _entered(prompt: str) -> str:
    """Ask at the terminal without showing the answer."""
    if not sys.stdin.isatty():
        raise CommandFailedError(
            "Failed to read passphrase input",
            hint="stdin is no terminal; give the passphrase with -p",
        )
    try:
        return getpass.getpass(prompt).strip()
    except EOFError:
        raise CommandFailedError("Failed to read passphrase input") from None


def _asked_passphrase(which: str = "") -> str:
    passphrase = _entered(f"Enter {which}Passphrase: ")
    if _entered(f"Enter {which}Passphrase again: ") != passphrase:
        raise CommandFailedError("Mismatch between the two entered passphrases")
    return passphrase


def _create(
    ctx: click.Context, user_id: str, name: str, passphrase: str | None, is_admin: bool
) -> None:
    session = open_session(ctx)
    secret = _asked_passphrase() if passphrase is None else passphrase
    call = calls.accounts.create_user(user_id, name, secret, is_admin)
    show_object(session, session.ask(call), FIELDS)


def _get(ctx: click.Context, user_id: str) -> None:
    show_answer(ctx, calls.accounts.get_user(user_id), FIELDS)


def _list(ctx: click.Context) -> None:
    show_listing(ctx, calls.accounts.list_users(), FIELDS)


def _delete(ctx: click.Context, user_id: str) -> None:
    delete(ctx, calls.accounts.delete_user(user_id), "user", user_id)


def _change_passphrase(ctx: click.Context, new_passphrase: str | None) -> None:
    session = open_session(ctx)
    if not session.has_passphrase:
        raise CommandFailedError("Error: HANAMI_PASSPHRASE is needed, HANAMI_TOKEN is not enough")
    new = _asked_passphrase("new ") if new_passphrase is None else new_passphrase
    session.send(calls.accounts.change_passphrase(session.passphrase, new))
    click.echo(f"successfully changed passphrase of '{session.user}'")
    click.echo("set HANAMI_PASSPHRASE to the new one; all other tokens have ended", err=True)


GROUP = Group(
    "user",
    summary="Manage users (admins only)",
    commands=[
        Command(
            "create",
            _create,
            summary="Create a user; asks for the passphrase if it is not given",
            argument="USER_ID",
            flags=[
                Flag("-n", "--name", summary="name of the user", mandatory=True),
                Flag("-p", "--passphrase", "--password", summary="passphrase of the user"),
                Flag("--is_admin", kind="", summary="make the user an admin"),
            ],
        ),
        Command("get", _get, summary="Show one user", argument="USER_ID"),
        Command("list", _list, summary="List all users"),
        Command("delete", _delete, summary="Delete a user", argument="USER_ID"),
        Command(
            "passphrase",
            _change_passphrase,
            summary="Change your own passphrase; asks for the new one if it is not given",
            flags=[Flag("new_passphrase", "-n", "--new", summary="the new passphrase")],
        ),
        user_project.GROUP,
    ],
)
