"""The interface itself, for programs and for people; without a token."""

from hanami_actors.api.answers import CONTENT_TYPE_JSON, Document, RawReply
from hanami_actors.api.context import Context
from hanami_actors.api.table.endpoint import OPEN, Empty, Endpoint

__all__ = ["ROWS"]

CONTENT_TYPE_HTML = "text/html; charset=utf-8"

# The page has no script and loads nothing; a browser holds it to that.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


async def get_openapi(context: Context, _request: Empty) -> RawReply:
    """Return the OpenAPI document."""
    return RawReply(context.services.documents.openapi, (("Content-Type", CONTENT_TYPE_JSON),))


async def get_page(context: Context, _request: Empty) -> RawReply:
    """Return the page."""
    headers = (("Content-Type", CONTENT_TYPE_HTML), ("Content-Security-Policy", POLICY))
    return RawReply(context.services.documents.page, headers)


ROWS = (
    Endpoint(
        name="get_openapi",
        method="GET",
        path="documentation/api/rest",
        aliases=("/openapi.json",),
        summary="The interface as an OpenAPI 3.1 document.",
        access=OPEN,
        request=Empty,
        reply=Document,
        errors=(),
        handler=get_openapi,
        in_contract=False,
    ),
    Endpoint(
        name="get_documentation_page",
        method="GET",
        path="documentation/api",
        aliases=("/docs",),
        summary="The interface as a page to browse.",
        access=OPEN,
        request=Empty,
        reply=Document,
        content_types=(CONTENT_TYPE_HTML,),
        errors=(),
        handler=get_page,
        in_contract=False,
    ),
)
