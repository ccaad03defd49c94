"""The command ``hanami-server``: reads the settings, serves until SIGTERM or SIGINT, stops in order."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from hanami_actors import settings as settings_module
from hanami_actors.bootstrap import signing_key
from hanami_actors.errors import HanamiError, SettingsError
from hanami_actors.tls import server_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from hanami_actors.api.http.connections import ConnectionLimits
    from hanami_actors.api.table.policy import Policy
    from hanami_actors.app import Backend
    from hanami_actors.settings import Settings

__all__ = ["main"]

logger = logging.getLogger(__name__)

REQUEST_POLL_S = 0.02


def main() -> int:
    """Run the server; return the exit code.

    Returns
    -------
    int
        0 after an orderly stop, 1 when the server could not start, 130 when it was told to stop
        at once (Ctrl-C a second time, or while it starts).
    """
    try:
        settings = settings_module.load(sys.argv[1:], os.environ)
        _configure_logging(settings.log_level)
        tls = server_context(settings)
        # Imported late: --help and a wrong setting need neither actors nor LMDB.
        from hanami_actors.app import running_backend

        # Of this process alone, and before anything imports numba.
        os.environ["NUMBA_CACHE_DIR"] = str(settings.kernel_cache_dir)
        with running_backend(settings) as backend:
            backend.create_first_admin(os.environ, _show if sys.stderr.isatty() else None)
            asyncio.run(_serve(settings, backend, tls))
    except HanamiError as error:
        print(f"hanami-server: {error.message}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        _show("hanami-server: stopped at once; nothing that was acknowledged is lost")
        # Not by returning: that would wait for threads, and for an import in a child process.
        os._exit(130)
    return 0


async def _serve(settings: "Settings", backend: "Backend", tls: "ssl.SSLContext | None") -> None:
    from hanami_actors.api.server import make_application, start_http_server

    application = make_application(
        backend.gateway,
        settings,
        signing_key(settings.data_dir, backend.system.entropy),
        _policy(settings),
        ready=backend.kernels.is_ready,
    )
    signals = _Signals()
    try:
        server, port = start_http_server(
            application,
            settings.host,
            settings.port,
            ssl_context=tls,
            limits=_connection_limits(settings),
        )
    except OSError as error:
        application.close()
        raise SettingsError(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error};"
            " choose another --port (0 takes a free one) or --host"
        ) from error
    backend.kernels.start()
    print(f"hanami-server: listening on {_address(settings.host, port, tls)}", file=sys.stderr)  # noqa: T201
    await signals.first.wait()
    logger.info("stopping: tasks are marked and go on at the next start")
    server.stop()
    application.services.drain()
    await _let_requests_end(
        lambda: backend.gateway.pending_count() + application.services.in_flight_count,
        signals,
        settings.shutdown_timeout_s,
    )
    application.close()
    await server.close_all_connections()


def _connection_limits(settings: "Settings") -> "ConnectionLimits":
    from hanami_actors.api.http.connections import ConnectionLimits, raise_file_limit

    count_max = raise_file_limit(settings.connection_count_max)
    if count_max < settings.connection_count_max:
        logger.warning(
            "the system allows too few open files for %d connections (setting "
            "connection_count_max); at most %d are taken. Raise its limit, for example with "
            "LimitNOFILE of systemd",
            settings.connection_count_max,
            count_max,
        )
    return ConnectionLimits(
        count_max=count_max,
        idle_timeout_s=settings.connection_idle_timeout_s,
        body_timeout_s=settings.body_timeout_s,
    )


class _Signals:
    """The first SIGTERM or SIGINT begins the stop, the second one hurries it; needs a running loop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._arrived)

    def _arrived(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


async def _let_requests_end(
    count: "Callable[[], int]", signals: _Signals, timeout_s: float
) -> None:
    """Wait until what was asked is answered, the time is over or somebody hurries."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    while count() and loop.time() < end_s:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(signals.second.wait(), REQUEST_POLL_S)
            return
    # The answers still have to be written.
    await asyncio.sleep(REQUEST_POLL_S)


def _address(host: str, port: int, tls: "ssl.SSLContext | None") -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if tls is None else 'https'}://{shown}:{port}"


def _policy(settings: "Settings") -> "Policy | None":
    from hanami_actors.api.table.policy import parse_policy

    if settings.policy_file is None:
        return None
    try:
        text = settings.policy_file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the policy file {settings.policy_file} cannot be read: {error.strerror}"
        ) from error
    return parse_policy(text, source=str(settings.policy_file))


def _configure_logging(level: str) -> None:
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # Pykka logs every rejection that an actor answers; they are answers, not events of the server.
    logging.getLogger("pykka").setLevel(logging.WARNING)


def _show(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
