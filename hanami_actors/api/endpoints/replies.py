"""Replies that several resources share."""

from collections.abc import Iterable
from typing import Any

import msgspec

from hanami_actors.domain.base import format_timestamp

__all__ = ["OWNED_HEADER", "ListReply", "OwnedReply", "UuidReply", "owned_rows"]

OWNED_HEADER = ["created_at", "uuid", "project_id", "owner_id", "visibility", "name"]
"""Columns of lists of datasets, clusters and checkpoints; clients use the positions."""


class UuidReply(msgspec.Struct, frozen=True, kw_only=True):
    """Names the resource."""

    uuid: str


class OwnedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What every owned resource shows."""

    created_at: str
    name: str
    owner_id: str
    project_id: str
    uuid: str
    visibility: str = "private"


class ListReply(msgspec.Struct, frozen=True, kw_only=True):
    """A table: names of the columns, and the rows."""

    header: list[str]
    body: list[list[Any]]


def owned_rows(states: Iterable[Any]) -> ListReply:
    """Return owned resources as the contract lists them.

    Parameters
    ----------
    states : iterable
        With the attributes uuid, name, owner_id, project_id and created_us.
    """
    body: list[list[Any]] = [
        [
            format_timestamp(state.created_us),
            state.uuid,
            state.project_id,
            state.owner_id,
            "private",
            state.name,
        ]
        for state in states
    ]
    return ListReply(header=OWNED_HEADER, body=body)
