"""The command ``hanami-server``: reads the settings, serves until SIGTERM or SIGINT, stops in order."""

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from hanami_actors import settings as settings_module
from hanami_actors.bootstrap import signing_key
from hanami_actors.errors import HanamiError, SettingsError

if TYPE_CHECKING:
    from hanami_actors.api.policy import Policy
    from hanami_actors.app import Backend
    from hanami_actors.settings import Settings

__all__ = ["main"]

logger = logging.getLogger(__name__)


def main() -> int:
    """Run the server; return the exit code.

    Returns
    -------
    int
        0 after an orderly stop, 1 when the server could not start.
    """
    try:
        settings = settings_module.load(sys.argv[1:], os.environ)
        _configure_logging(settings.log_level)
        # Imported late: --help and a wrong setting need neither actors nor LMDB.
        from hanami_actors.app import running_backend

        with running_backend(settings) as backend:
            backend.create_first_admin(os.environ, _show if sys.stderr.isatty() else None)
            asyncio.run(_serve(settings, backend))
    except HanamiError as error:
        print(f"hanami-server: {error.message}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(settings: "Settings", backend: "Backend") -> None:
    from hanami_actors.api.server import ApiSettings, make_application, start_http_server

    api_settings = ApiSettings(
        token_expire_s=settings.token_expire_s,
        body_size_max_bytes=settings.body_size_max_bytes,
        websocket_message_size_max_bytes=settings.websocket_message_size_max_bytes,
        access_log=settings.access_log,
    )
    application = make_application(
        backend.gateway,
        api_settings,
        signing_key(settings.data_dir, backend.system.entropy),
        _policy(settings),
        ready=backend.kernels.ready.is_set,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        server, port = start_http_server(application, settings.host, settings.port)
    except OSError as error:
        application.close()
        raise SettingsError(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error};"
            " choose another --port (0 takes a free one) or --host"
        ) from error
    backend.kernels.start()
    print(f"hanami-server: listening on {_address(settings.host, port)}", file=sys.stderr)  # noqa: T201
    await stop.wait()
    logger.info("stopping: tasks are marked and go on at the next start")
    server.stop()
    application.close()
    await server.close_all_connections()


def _address(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _policy(settings: "Settings") -> "Policy | None":
    from hanami_actors.api.policy import parse_policy

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
