"""Answers on their way to a client, who may read slowly, nothing at all, or leave."""

import asyncio
import contextlib
import logging
from collections.abc import Generator, Iterable

from tornado.iostream import StreamClosedError

from hanami_actors.api.answers import FileReply
from hanami_actors.api.context import Context
from hanami_actors.api.http.exchange import Exchange
from hanami_actors.errors import HanamiError

__all__ = ["send_body", "send_file"]

SLICE_BYTES = 256 * 1024
"""A client is slow and not gone as long as it takes so much in the time it has."""

_logger = logging.getLogger(__name__)


async def send_body(exchange: Exchange, context: Context, body: bytes) -> None:
    """Send an answer that is in memory; it goes when the client reads nothing for too long.

    Parameters
    ----------
    exchange : Exchange
        Nothing has been sent.
    context : Context
    body : bytes
    """
    if len(body) <= SLICE_BYTES:
        exchange.send(body)
        if not exchange.stream.writing():
            # The system has taken it: nearly always.
            return
        slices: Iterable[bytes] = ()
    else:
        exchange.set_header("Content-Length", str(len(body)))
        exchange.begin()
        slices = (body[at : at + SLICE_BYTES] for at in range(0, len(body), SLICE_BYTES))
    timeout_s = context.services.settings.client_stall_timeout_s
    try:
        for piece in slices:
            exchange.write(piece)
            await _taken(exchange, timeout_s)
        if slices:
            exchange.end()
        await _taken(exchange, timeout_s)
    except StreamClosedError:
        _logger.info("request %s: the client left before the end", context.request_id)
    except TimeoutError:
        _say_stalled(context, timeout_s)
        exchange.cut()


async def send_file(exchange: Exchange, context: Context, reply: FileReply) -> None:
    """Send a file as fast as the client reads it.

    An error before the first block becomes an ordinary error answer. Later ones, and a client that
    reads nothing for ``client_stall_timeout_s``, close the connection before the end.

    Parameters
    ----------
    exchange : Exchange
        Nothing has been sent.
    context : Context
    reply : FileReply

    Raises
    ------
    HanamiError
        From the first block.
    """
    blocks = iter(reply.blocks)
    block = await context.in_pool(lambda: next(blocks, b""))
    exchange.set_header("Content-Type", reply.content_type)
    exchange.set_header("Content-Disposition", f'attachment; filename="{reply.file_name}"')
    exchange.set_header("Cache-Control", "no-store")
    if reply.size_bytes is not None:
        exchange.set_header("Content-Length", str(reply.size_bytes))
    exchange.begin()
    timeout_s = context.services.settings.client_stall_timeout_s
    try:
        while block:
            exchange.write(block)
            await _taken(exchange, timeout_s)
            block = await context.in_pool(lambda: next(blocks, b""))
        exchange.end()
    except StreamClosedError:
        _logger.info("request %s: the client left before the end", context.request_id)
    except TimeoutError:
        _say_stalled(context, timeout_s)
        exchange.cut()
    except HanamiError as error:
        _logger.error(  # noqa: TRY400 - the text says all
            "request %s: the answer was cut: %s", context.request_id, error
        )
        exchange.cut()
    finally:
        if isinstance(blocks, Generator):
            # It may be at work in its thread, after a timeout; then it ends with the thread.
            with contextlib.suppress(ValueError):
                blocks.close()


async def _taken(exchange: Exchange, timeout_s: float) -> None:
    """Return when the system has taken everything: what waits for the client waits here.

    Raises
    ------
    TimeoutError, StreamClosedError
    """
    # The future of the connection never ends when the client leaves; that of the stream does. It
    # is the stream's: to cancel it would make the stream complain.
    written = asyncio.shield(exchange.stream.write(b""))
    await asyncio.wait_for(written, timeout_s)


def _say_stalled(context: Context, timeout_s: float) -> None:
    _logger.warning("request %s: the client read nothing for %g s", context.request_id, timeout_s)
