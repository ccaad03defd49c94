"""What endpoints, HTTP and websockets share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from hanami_actors.actors.gateway import Gateway
from hanami_actors.api.access_log import AccessEntry, AccessLog
from hanami_actors.api.byte_budget import ByteBudget
from hanami_actors.api.call_log import CallLog
from hanami_actors.api.login.limits import LoginLimits
from hanami_actors.api.login.login import LoginService
from hanami_actors.api.login.passphrases import PassphraseChecker
from hanami_actors.api.login.tokens import TokenKeeper
from hanami_actors.api.metrics import Metrics, RequestMeter
from hanami_actors.api.replies import ListCache
from hanami_actors.api.table.documents import Documents
from hanami_actors.api.table.routes import Routes
from hanami_actors.domain.base import Who
from hanami_actors.measure.sampler import Sampler
from hanami_actors.settings import Settings

__all__ = ["OpenSocket", "Services"]

CLOSE_GOING_AWAY = 1001
DISK_THREAD_COUNT = 4
"""Threads that read content for answers."""


class OpenSocket(Protocol):
    """A websocket, as others see it."""

    user_id: str

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """End the connection."""
        ...


class Services:
    """Made once; used in the thread of the event loop.

    Parameters
    ----------
    gateway : Gateway
        The door to tables and actors.
    settings : Settings
    signing_key : bytes
    routes : Routes
    documents : Documents
    ready : callable
        Whether kernels are warm and tasks can run.

    Attributes
    ----------
    tokens : TokenKeeper
    login : LoginService
        Logins and renewed tokens.
    passphrases : PassphraseChecker
        Hashes of new passphrases.
    call_log : CallLog
        Notes for audit and error log.
    list_cache : ListCache
        Encoded lists.
    metrics : Metrics
        Figures for a monitoring system.
    sampler : Sampler
        Readings of the machine.
    disk_pool : Executor
        Threads that may block on the disk.
    received : ByteBudget
        Bodies and chunks in memory.
    sockets : set of OpenSocket
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
        *,
        routes: Routes,
        documents: Documents,
        ready: Callable[[], bool],
    ) -> None:
        self.gateway = gateway
        self.settings = settings
        self.is_ready = ready
        self.routes = routes
        self.documents = documents
        self.tokens = TokenKeeper(signing_key, gateway.clock, expire_s=settings.token_expire_s)
        self.passphrases = PassphraseChecker(gateway.entropy)
        limits = LoginLimits(gateway.clock, failures_max=settings.login_failures_max)
        self.login = LoginService(self.passphrases, self.tokens, limits)
        self.access_log = AccessLog(gateway.clock, enabled=settings.access_log)
        self.call_log = CallLog(gateway)
        self.disk_pool = ThreadPoolExecutor(DISK_THREAD_COUNT, thread_name_prefix="disk")
        self.list_cache = ListCache()
        self.received = ByteBudget(settings.received_max_bytes)
        self.sockets: set[OpenSocket] = set()
        self.in_flight_count = 0
        self.is_draining = False
        self._meter = RequestMeter()
        self.metrics = Metrics(self._meter, self._gauges())
        self.sampler = Sampler(gateway.clock)
        self.sampler.start()

    def check_policy(self, who: Who, method: str, path: str) -> None:
        """Raise `UnauthorizedError` if the policy refuses the caller this method and path."""
        self.routes.check_policy(who, method, path)

    def note(self, endpoint_name: str, entry: AccessEntry) -> None:
        """Count an answered request, and write it into the access log."""
        self._meter.record(endpoint_name, entry.status, entry.duration_ms / 1e3)
        self.access_log.record(entry)

    def drain(self) -> None:
        """Begin to stop: answers end their connections, websockets are closed."""
        self.is_draining = True
        for socket in tuple(self.sockets):
            socket.close(CLOSE_GOING_AWAY, "the server stops")

    def close(self) -> None:
        """Close the websockets, write the log, let go of the threads."""
        self.drain()
        self.access_log.flush()
        self.call_log.flush()
        self.sampler.stop()
        self.passphrases.close()
        self.disk_pool.shutdown(wait=False, cancel_futures=True)

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
