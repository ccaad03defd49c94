"""The tornado application: websockets go to their handler, all else to the table of endpoints."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado import httputil
from tornado.web import Application, RequestHandler

from hanami_actors.actors.gateway import Gateway
from hanami_actors.api.access_log import AccessLog
from hanami_actors.api.auth import LoginDesk, PassphraseChecker, TokenKeeper
from hanami_actors.api.byte_budget import ByteBudget
from hanami_actors.api.call_log import CallLog
from hanami_actors.api.documents import Documents
from hanami_actors.api.endpoints.replies import ListCache
from hanami_actors.api.endpoints.table import ENDPOINTS
from hanami_actors.api.exchange import DateLine, Exchange
from hanami_actors.api.http import RestExchange
from hanami_actors.api.idempotency import IdempotencyDesk
from hanami_actors.api.identified import Identified
from hanami_actors.api.login_limits import LoginLimits
from hanami_actors.api.metrics import Metrics, RequestMeter
from hanami_actors.api.policy import Policy
from hanami_actors.api.routes import Routes
from hanami_actors.api.targets import TARGETS
from hanami_actors.api.websocket import HanamiSocket
from hanami_actors.domain.base import Who
from hanami_actors.measure.sampler import Sampler
from hanami_actors.settings import Settings

__all__ = ["HanamiApplication"]

CLOSE_GOING_AWAY = 1001
DISK_THREAD_COUNT = 4
"""Threads that read content for answers."""


class HanamiApplication(Application):
    """Holds what handlers share.

    Parameters
    ----------
    gateway : Gateway
    settings : Settings
    signing_key : bytes
    policy : Policy
    ready : callable
        Whether tasks can run; for the readiness probe.

    Attributes
    ----------
    in_flight_count : int
        Requests that are being answered.
    is_draining : bool
        Set when the server stops: answers tell that their connection ends.
    """

    def __init__(
        self,
        gateway: Gateway,
        settings: Settings,
        signing_key: bytes,
        policy: Policy,
        ready: Callable[[], bool],
    ) -> None:
        super().__init__(
            websocket_max_message_size=settings.websocket_message_size_max_bytes,
            websocket_ping_interval=settings.websocket_ping_interval_s,
        )
        self.gateway = gateway
        self.settings_api = settings
        self.is_ready = ready
        self.routes = Routes(ENDPOINTS, policy, enforce_admin_rules=settings.enforce_admin_rules)
        self.tokens = TokenKeeper(
            signing_key,
            gateway.clock,
            expire_s=settings.token_expire_s,
        )
        self.access_log = AccessLog(gateway.clock, enabled=settings.access_log)
        self.disk_pool = ThreadPoolExecutor(DISK_THREAD_COUNT, thread_name_prefix="disk")
        self.call_log = CallLog(gateway)
        self.idempotency = IdempotencyDesk(signing_key, gateway.clock)
        self.documents = Documents(ENDPOINTS)
        self.sampler = Sampler(gateway.clock)
        self.sampler.start()
        self.received = ByteBudget(settings.received_max_bytes)
        self.meter = RequestMeter()
        self.metrics = Metrics(self.meter, self._gauges())
        self.date_line = DateLine()
        self.in_flight_count = 0
        self.is_draining = False
        self.list_cache = ListCache()
        self.sockets: set[HanamiSocket] = set()
        self.passphrases = PassphraseChecker(gateway.entropy)
        limits = LoginLimits(gateway.clock, failures_max=settings.login_failures_max)
        self.desk = LoginDesk(self.passphrases, self.tokens, limits)

    def find_handler(self, request: httputil.HTTPServerRequest, **_kwargs: Any) -> Any:
        """Choose by the headers alone; paths are looked up in the table of routes."""
        upgrade = request.headers.get("Upgrade")
        if upgrade is not None and upgrade.lower() == "websocket" and request.method == "GET":
            return self.get_handler_delegate(request, HanamiSocket, {"targets": TARGETS})
        return RestExchange(self, request)

    def log_request(self, handler: RequestHandler) -> None:
        """Take note of a websocket that was refused."""
        assert isinstance(handler, Identified), "every handler of ours is"
        status, request_id = handler.get_status(), handler.request_id
        self._note("websocket", status, handler.request, handler.user_id, request_id)

    def note_answer(self, exchange: Exchange) -> None:
        """Take note of an answered request."""
        status, request_id = exchange.status, exchange.request_id
        name = exchange.endpoint_name
        self._note(name, status, exchange.request, exchange.user_id, request_id)

    def check_policy(self, who: Who, method: str, path: str) -> None:
        """Raise `UnauthorizedError` if the policy refuses the caller this method and path."""
        self.routes.check_policy(who, method, path)

    def _note(
        self,
        endpoint_name: str,
        status: int,
        request: httputil.HTTPServerRequest,
        user_id: str,
        request_id: str,
    ) -> None:
        duration_s = request.request_time()
        self.meter.record(endpoint_name, status, duration_s)
        self.access_log.record(
            method=str(request.method),
            path=request.path,
            status=status,
            duration_ms=duration_s * 1e3,
            user_id=user_id,
            request_id=request_id,
        )

    def _gauges(self) -> dict[str, tuple[str, Callable[[], float]]]:
        gateway = self.gateway
        return {
            "ready": ("1 when tasks can run.", lambda: float(self.is_ready())),
            "requests_in_flight": (
                "Requests that wait for an answer.",
                lambda: self.in_flight_count,
            ),
            "websockets": ("Websockets that are open.", lambda: len(self.sockets)),
            "received_bytes": ("Bodies and chunks in memory.", lambda: self.received.used_bytes),
            "log_position": ("Events ever recorded.", lambda: gateway.tables.position),
            "users": ("Users.", lambda: len(gateway.tables.users)),
            "projects": ("Projects.", lambda: len(gateway.tables.projects)),
            "datasets": ("Data-sets.", lambda: len(gateway.tables.datasets)),
            "uploads": ("Files on their way.", lambda: len(gateway.tables.uploads)),
            "clusters": ("Clusters.", lambda: len(gateway.tables.clusters)),
            "checkpoints": ("Checkpoints.", lambda: len(gateway.tables.checkpoints)),
        }

    def close(self) -> None:
        """Close the websockets, write the log, let go of the threads."""
        for socket in tuple(self.sockets):
            socket.close(CLOSE_GOING_AWAY, "the server stops")
        self.access_log.flush()
        self.call_log.flush()
        self.sampler.stop()
        self.passphrases.close()
        self.disk_pool.shutdown(wait=False, cancel_futures=True)
