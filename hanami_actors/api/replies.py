"""Replies that several resources share."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import immutables
import msgspec

from hanami_actors.api.answers import encode_json
from hanami_actors.domain.base import Who, format_timestamp
from hanami_actors.domain.tables import OwnedT, Row, visible_listing

__all__ = ["OWNED_HEADER", "ListCache", "ListReply", "OwnedReply", "UuidReply"]

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


class ListCache:
    """Remembers encoded lists of owned resources until their table changes.

    Tables are immutable, so a table that is the same object has the same rows. What a list shows
    depends on nothing else but the scope of the caller. Runs in the event loop's thread.

    Parameters
    ----------
    len_max : int
        Lists that are remembered; the longest unused goes first.
    """

    def __init__(self, len_max: int = 64) -> None:
        self._len_max = len_max
        self._known: OrderedDict[tuple[str, ...], tuple[object, msgspec.Raw]] = OrderedDict()

    def owned_list(
        self, kind: str, rows: immutables.Map[str, Row[OwnedT]], who: Who
    ) -> msgspec.Raw:
        """Return the JSON of a `ListReply` of what the caller sees, oldest first.

        Parameters
        ----------
        kind : str
            Name of the table.
        rows : Map
            The table; its states have uuid, name, owner_id, project_id and created_us.
        who : Who
        """
        key = (kind, *_scope(who))
        known = self._known.get(key)
        if known is not None and known[0] is rows:
            self._known.move_to_end(key)
            return known[1]
        reply = msgspec.Raw(encode_json(_owned_reply(visible_listing(rows, who))))
        self._known[key] = (rows, reply)
        self._known.move_to_end(key)
        if len(self._known) > self._len_max:
            self._known.popitem(last=False)
        return reply


def _scope(who: Who) -> tuple[str, ...]:
    """Return what `visible` looks at, no more."""
    if who.is_admin:
        return ("admin",)
    if who.is_project_admin:
        return ("project", who.project_id)
    return ("user", who.project_id, who.user_id)


def _owned_reply(states: Iterable[Any]) -> ListReply:
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
