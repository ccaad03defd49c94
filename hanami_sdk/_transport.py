"""HTTP with shared connections: one request in, status and body out."""

import atexit
import threading
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from hanami_sdk.hanami_exceptions import ConnectionFailedException

__all__ = ["LOOPBACK_HOSTS", "Answer", "close_connections", "host_of", "send"]

CONNECT_TIMEOUT_S = 10.0
# Finalizing a large CSV file converts it before the answer comes.
ANSWER_TIMEOUT_S = 900.0
CONNECTIONS_MAX = 64
CONNECTIONS_IDLE_MAX = 16
IDLE_S = 30.0

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

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


def _client_for(address: str, verify: bool) -> httpx.Client:
    """Return the shared client; its pool keeps connections apart by scheme, host and port.

    Only https with verification needs the certificate store, which takes a while to load.
    """
    checked = verify and address.lower().startswith("https:")
    with _clients_lock:
        client = _clients.get(checked)
        if client is None:
            client = httpx.Client(
                verify=checked,
                timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                limits=httpx.Limits(
                    max_connections=CONNECTIONS_MAX,
                    max_keepalive_connections=CONNECTIONS_IDLE_MAX,
                    keepalive_expiry=IDLE_S,
                ),
                # A proxy of the environment cannot reach the loopback of this machine.
                mounts={f"all://{_bracketed(host)}": None for host in LOOPBACK_HOSTS},
            )
            _clients[checked] = client
        return client


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


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
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = _reason_of(error, url)
        text = f'{method.capitalize()} "{url.partition("?")[0]}": {reason}'
        raise ConnectionFailedException(text) from error
    return Answer(response.status_code, response.content, response.headers.get("X-Request-Id"))


def _reason_of(error: Exception, url: str) -> str:
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL) or not host_of(url):
        return "the address must look like http://127.0.0.1:11418"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer in time ({type(error).__name__})"
    text = str(error)
    if text.startswith("[Errno "):
        text = text.partition("] ")[2]
    return text or type(error).__name__
