"""``hanamictl logs``."""

import click

from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import show_list

__all__ = ["GROUP"]

AUDIT_FIELDS = ("created_at", "user_id", "endpoint", "request_type")
ERROR_FIELDS = ("created_at", "user_id", "input_values", "message")


def _audit(ctx: click.Context, page: int, user_id: str | None) -> None:
    from hanami_sdk import logs

    session = open_session(ctx)
    show_list(session, session.ask(logs.list_audit_logs, user_id, page), AUDIT_FIELDS)


def _errors(ctx: click.Context, page: int, user_id: str | None) -> None:
    from hanami_sdk import logs

    session = open_session(ctx)
    show_list(session, session.ask(logs.list_error_logs, user_id, page), ERROR_FIELDS)


def _flags() -> list[Flag]:
    return [
        Flag("-p", "--page", kind="int", default=0, summary="page of 100 entries, counted from 0"),
        Flag("user_id", "-u", "--user", summary="id of a user (admins only)"),
    ]


GROUP = Group(
    "logs",
    summary="Look at who called what, and at errors inside of the server",
    commands=[
        Command(
            "audit", _audit, summary="List your calls; admins also those of others", flags=_flags()
        ),
        Command("errors", _errors, summary="List internal errors (admins only)", flags=_flags()),
    ],
)
