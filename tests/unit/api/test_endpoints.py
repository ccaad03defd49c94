"""Handlers of the endpoint table fit their rows."""

import inspect
import typing

import msgspec
import pytest

from hanami_actors.api.answers import Document, FileContent, FileReply, RawReply
from hanami_actors.api.context import Context
from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.table.endpoint import Endpoint


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_a_handler_takes_a_context_and_the_request_and_returns_the_reply(row: Endpoint) -> None:
    hints = typing.get_type_hints(row.handler)
    answer = hints.pop("return")
    takes = [hints[name] for name in inspect.signature(row.handler).parameters]
    assert inspect.iscoroutinefunction(row.handler)
    assert takes == [Context, row.request]
    answers = set(typing.get_args(answer) or (answer,))
    stands_for = {Document: RawReply, FileContent: FileReply}
    named = {stands_for.get(reply, reply) for reply in (row.reply, *row.other_replies)}
    # A list from a published table is encoded already.
    assert answers - {msgspec.Raw} <= named
