"""Build the application and open the port."""

import ssl
from collections.abc import Callable

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from hanami_actors.actors.gateway import Gateway
from hanami_actors.api.application import HanamiApplication
from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.api.http.connections import BoundedServer, ConnectionLimits
from hanami_actors.api.services import Services
from hanami_actors.api.table.documents import Documents
from hanami_actors.api.table.policy import Policy, default_policy_text, parse_policy
from hanami_actors.api.table.routes import Routes
from hanami_actors.settings import Settings

__all__ = [
    "ConnectionLimits",
    "default_policy",
    "make_application",
    "start_http_server",
]

DRAINED_SIZE_MAX_BYTES = 2 * 1024**3


def default_policy() -> Policy:
    """Return the policy that counts without a policy file."""
    return parse_policy(default_policy_text(ENDPOINTS), source="default policy")


def make_application(
    gateway: Gateway,
    settings: Settings,
    signing_key: bytes,
    policy: Policy | None = None,
    *,
    ready: Callable[[], bool] = lambda: True,
) -> HanamiApplication:
    """Build the application; ``close()`` it when the server stops.

    Parameters
    ----------
    gateway : Gateway
    settings : Settings
    signing_key : bytes
        At least 32 random bytes.
    policy : Policy or None
        None for the default.
    ready : callable
        Whether tasks can run; for ``GET health/ready``.
    """
    routes = Routes(
        ENDPOINTS, policy or default_policy(), enforce_admin_rules=settings.enforce_admin_rules
    )
    services = Services(
        gateway,
        settings,
        signing_key,
        routes=routes,
        documents=Documents(ENDPOINTS),
        ready=ready,
    )
    return HanamiApplication(services, signing_key)


def start_http_server(
    application: HanamiApplication,
    host: str,
    port: int,
    *,
    ssl_context: ssl.SSLContext | None = None,
    limits: ConnectionLimits | None = None,
) -> tuple[HTTPServer, int]:
    """Listen; call it in the thread of the running event loop.

    Parameters
    ----------
    application : HanamiApplication
    host : str
        Address to bind.
    port : int
        0 takes a free one.
    ssl_context : SSLContext or None
        None serves plain HTTP.
    limits : ConnectionLimits or None
        None for the defaults.

    Returns
    -------
    tuple of HTTPServer and int
        The server (``stop()``, then ``await close_all_connections()``) and the bound port.
    """
    settings = application.services.settings
    limits = limits or ConnectionLimits()
    server = BoundedServer(
        application,
        ssl_options=ssl_context,
        # Larger bodies never reach memory: RestExchange drops them and answers 413.
        max_body_size=DRAINED_SIZE_MAX_BYTES,
        max_buffer_size=2
        * max(settings.body_size_max_bytes, settings.websocket_message_size_max_bytes),
        body_timeout=limits.body_timeout_s,
        idle_connection_timeout=limits.idle_timeout_s,
    )
    server.limits = limits
    server.socket_count = lambda: len(application.services.sockets)
    sockets = bind_sockets(port, host)
    server.add_sockets(sockets)
    return server, int(sockets[0].getsockname()[1])
