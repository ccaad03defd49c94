"""Print results: tables for people, JSON with ``-j``."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hanami_sdk.cli.output import content_table, json_text, list_table, object_table
from hanami_sdk.cli.session import Session, open_session

if TYPE_CHECKING:
    from hanami_sdk.calls.call import Call

__all__ = [
    "delete",
    "show_answer",
    "show_content",
    "show_list",
    "show_listing",
    "show_object",
    "show_rows",
]


def show_object(session: Session, value: Mapping[str, Any], fields: Sequence[str]) -> None:
    """Print one object."""
    as_json = session.settings.json_output
    click.echo(json_text(value) if as_json else object_table(value, fields))


def show_list(session: Session, listing: Mapping[str, Any], fields: Sequence[str]) -> None:
    """Print a listing; as JSON with header and body."""
    as_json = session.settings.json_output
    click.echo(json_text(listing) if as_json else list_table(listing, fields))


def show_rows(
    session: Session, answer: Mapping[str, Any], name: str, fields: Sequence[str]
) -> None:
    """Print a list of objects that the answer has under a name; as JSON the whole answer."""
    if session.settings.json_output:
        click.echo(json_text(answer))
        return
    body = [[row.get(field) for field in fields] for row in answer[name]]
    click.echo(list_table({"header": list(fields), "body": body}, fields))


def show_content(session: Session, answer: Mapping[str, Any], row_offset: int) -> None:
    """Print values; as JSON only the rows."""
    rows = answer["data"]
    as_json = session.settings.json_output
    click.echo(json_text(rows) if as_json else content_table(rows, row_offset))


def show_answer(ctx: click.Context, call: "Call[Any]", fields: Sequence[str]) -> None:
    """Log in, send a call and print the object that it is answered with."""
    session = open_session(ctx)
    show_object(session, session.ask(call), fields)


def show_listing(ctx: click.Context, call: "Call[Any]", fields: Sequence[str]) -> None:
    """Log in, send a call and print the listing that it is answered with."""
    session = open_session(ctx)
    show_list(session, session.ask(call), fields)


def delete(ctx: click.Context, call: "Call[None]", kind: str, name: str) -> None:
    """Log in, send a call and say that something is gone; the same with ``-j``."""
    open_session(ctx).send(call)
    click.echo(f"successfully deleted {kind} '{name}'")
