"""The rendered documentation, made when somebody asks for it first."""

from collections.abc import Sequence
from functools import cached_property

from hanami_actors.api.answers import encode_json
from hanami_actors.api.table.endpoint import Endpoint
from hanami_actors.api.table.html_page import render_page
from hanami_actors.api.table.openapi import openapi_document

__all__ = ["Documents"]


class Documents:
    """Documents that follow from the endpoint table.

    Parameters
    ----------
    rows : sequence of Endpoint
    """

    def __init__(self, rows: Sequence[Endpoint]) -> None:
        self._rows = rows

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document as JSON."""
        return encode_json(openapi_document(self._rows))

    @cached_property
    def page(self) -> bytes:
        """The page as HTML."""
        return render_page(self._rows).encode()
