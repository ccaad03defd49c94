"""The tornado application: websockets go to their handler, all else to the table of endpoints."""

from typing import Any

from tornado import httputil
from tornado.web import Application, RequestHandler

from hanami_actors.api.access_log import AccessEntry
from hanami_actors.api.http.exchange import DateLine
from hanami_actors.api.http.idempotency import IdempotencyService
from hanami_actors.api.http.rest import RestExchange
from hanami_actors.api.services import Services
from hanami_actors.api.sockets.base import SocketHandler
from hanami_actors.api.sockets.handshake import HanamiSocket
from hanami_actors.api.sockets.targets import TARGETS

__all__ = ["HanamiApplication"]


class HanamiApplication(Application):
    """Finds who answers a request.

    Parameters
    ----------
    services : Services
    signing_key : bytes
    """

    def __init__(self, services: Services, signing_key: bytes) -> None:
        settings = services.settings
        super().__init__(
            websocket_max_message_size=settings.websocket_message_size_max_bytes,
            websocket_ping_interval=settings.websocket_ping_interval_s,
        )
        self.services = services
        self._idempotency = IdempotencyService(signing_key, services.gateway.clock)
        self._date_line = DateLine()

    def find_handler(self, request: httputil.HTTPServerRequest, **_kwargs: Any) -> Any:
        """Choose by the headers alone; paths are looked up in the table of routes."""
        upgrade = request.headers.get("Upgrade")
        if upgrade is not None and upgrade.lower() == "websocket" and request.method == "GET":
            arguments = {"services": self.services, "targets": TARGETS}
            return self.get_handler_delegate(request, HanamiSocket, arguments)
        return RestExchange(self.services, self._date_line, self._idempotency, request)

    def log_request(self, handler: RequestHandler) -> None:
        """Take note of a websocket that was refused."""
        assert isinstance(handler, SocketHandler), "every handler of ours is"
        request = handler.request
        entry = AccessEntry(
            str(request.method),
            request.path,
            handler.get_status(),
            request.request_time() * 1e3,
            handler.user_id,
            handler.request_id,
        )
        self.services.note("websocket", entry)

    def close(self) -> None:
        """Let go of everything."""
        self.services.close()
