"""HTTP with shared connections: one request in, status and body out."""

import atexit
import os
import ssl
import threading
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from hanami_sdk.hanami_exceptions import ConnectionFailedException

__all__ = [
    "CONNECT_TIMEOUT_S",
    "LOOPBACK_HOSTS",
    "TIMEOUT",
    "TRANSPORT_ERRORS",
    "Answer",
    "answer_of",
    "close_connections",
    "failure_of",
    "host_of",
    "is_checked",
    "make_async_client",
    "make_client",
    "send",
]

CONNECT_TIMEOUT_S = 10.0
# Finalizing a large CSV file converts it before the answer comes.
ANSWER_TIMEOUT_S = 900.0
CONNECTIONS_MAX = 64
CONNECTIONS_IDLE_MAX = 16
IDLE_S = 30.0

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# A proxy of the environment cannot reach the loopback of this machine.
UNPROXIED = tuple(f"all://[{host}]" if ":" in host else f"all://{host}" for host in LOOPBACK_HOSTS)

TIMEOUT = httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
LIMITS = httpx.Limits(
    max_connections=CONNECTIONS_MAX,
    max_keepalive_connections=CONNECTIONS_IDLE_MAX,
    keepalive_expiry=IDLE_S,
)

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL)

_clients: dict[bool, httpx.Client] = {}
_clients_lock = threading.Lock()


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes
    request_id: str | None


def host_of(address: str) -> str:
    """Return the host name of an address, empty when there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def is_checked(address: str, verify: bool) -> bool:
    """Tell whether certificates are checked; loading the certificate store takes a while."""
    return verify and address.lower().startswith("https:")


def make_client(checked: bool) -> httpx.Client:
    """Return a client with a pool of its own."""
    return httpx.Client(
        verify=checked, timeout=TIMEOUT, limits=LIMITS, mounts=dict.fromkeys(UNPROXIED)
    )


def make_async_client(checked: bool) -> httpx.AsyncClient:
    """Return a client with a pool of its own."""
    return httpx.AsyncClient(
        verify=checked, timeout=TIMEOUT, limits=LIMITS, mounts=dict.fromkeys(UNPROXIED)
    )


def _client_for(address: str, verify: bool) -> httpx.Client:
    """Return the shared client; its pool keeps connections apart by scheme, host and port."""
    checked = is_checked(address, verify)
    with _clients_lock:
        client = _clients.get(checked)
        if client is None:
            client = _clients[checked] = make_client(checked)
        return client


def close_connections() -> None:
    """Close all kept connections; the next call opens new ones."""
    with _clients_lock:
        clients = list(_clients.values())
        _clients.clear()
    for client in clients:
        client.close()


atexit.register(close_connections)


def send(
    method: str,
    url: str,
    *,
    token: str | None,
    body: bytes | None,
    verify: bool,
) -> Answer:
    """Send one request and read the whole answer.

    Raises
    ------
    ConnectionFailedException
        When no complete answer came; the text names method, address and reason.
    """
    headers = {} if token is None else {"X-Auth-Token": token}
    try:
        response = _client_for(url, verify).request(method, url, headers=headers, content=body)
    except TRANSPORT_ERRORS as error:
        raise failure_of(error, method, url) from error
    return answer_of(response)


def answer_of(response: httpx.Response) -> Answer:
    """Return what the SDK needs of a response."""
    return Answer(response.status_code, response.content, response.headers.get("X-Request-Id"))


def failure_of(error: Exception, method: str, url: str) -> ConnectionFailedException:
    """Return the exception for a request without an answer; it names method, address and reason."""
    is_connect = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    is_address = isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL)
    return ConnectionFailedException(
        f'{method.capitalize()} "{url.partition("?")[0]}": {_reason_of(error, url)}',
        was_sent=not (is_connect or is_address),
        is_transient=not (is_address or not host_of(url) or _is_certificate(error)),
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_certificate(error: Exception) -> bool:
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _reason_of(error: Exception, url: str) -> str:
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL) or not host_of(url):
        return "the address must look like http://127.0.0.1:11418"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer in time ({type(error).__name__})"
    text = str(error)
    for cause in _causes(error):
        if isinstance(cause, ConnectionError) and cause.errno is not None:
            text = os.strerror(cause.errno)
    if text.startswith("[Errno "):
        text = text.partition("] ")[2]
    return text or type(error).__name__
