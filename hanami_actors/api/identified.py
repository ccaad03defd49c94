"""What every answer has: the server's name and the request's id."""

from typing import TYPE_CHECKING

from tornado.web import RequestHandler

if TYPE_CHECKING:
    from hanami_actors.api.application import HanamiApplication

__all__ = ["Identified"]

SERVER_NAME = "Hanami"


class Identified(RequestHandler):
    """Base of our handlers.

    Attributes
    ----------
    request_id : str
        Made by the server, never taken from the client; also the correlation id of what the
        request causes.
    user_id : str
        For the access log; empty while nobody is known.
    """

    application: "HanamiApplication"
    request_id = ""
    user_id = ""

    def set_default_headers(self) -> None:
        """Name server and request; tornado calls this before anything else."""
        if not self.request_id:
            self.request_id = self.application.gateway.entropy.uuid()
        self._headers["Server"] = SERVER_NAME
        self._headers["X-Request-Id"] = self.request_id
