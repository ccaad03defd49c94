"""``hanamictl logs``."""

import click

from hanami_sdk import calls
from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.show import show_listing

__all__ = ["GROUP"]

AUDIT_FIELDS = ("created_at", "user_id", "endpoint", "request_type")
ERROR_FIELDS = ("created_at", "user_id", "input_values", "message")


def _audit(ctx: click.Context, page: int, user_id: str | None) -> None:
    show_listing(ctx, calls.accounts.audit_log(user_id or None, page), AUDIT_FIELDS)


def _errors(ctx: click.Context, page: int, user_id: str | None) -> None:
    show_listing(ctx, calls.accounts.error_log(user_id or None, page), ERROR_FIELDS)


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
