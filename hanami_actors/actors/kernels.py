"""Compiled kernels at start-up: made once per machine in a child process, loaded in the background."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["KernelWarmer"]

logger = logging.getLogger(__name__)


class KernelWarmer:
    """Brings the kernels up without holding the server up.

    Compiling takes many seconds and hundreds of MB, so a child process does it and leaves the
    result in the cache; this process only loads it. A cache that cannot be written is no failure:
    the kernels are then compiled here, once per start.

    Parameters
    ----------
    cache_dir : Path
        Where numba keeps compiled kernels.
    on_ready : callable
        Called in the warmer's thread once kernels can run.

    Attributes
    ----------
    ready : threading.Event
        Set when kernels can run.
    failure : str
        Why they never will, empty otherwise.
    """

    def __init__(self, cache_dir: Path, on_ready: Callable[[], None]) -> None:
        self._cache_dir = cache_dir
        self._on_ready = on_ready
        self._child: subprocess.Popen[bytes] | None = None
        self.ready = threading.Event()
        self.failure = ""

    def start(self) -> None:
        """Begin in the background."""
        threading.Thread(target=self._run, name="kernel-warmer", daemon=True).start()

    def stop(self) -> None:
        """End the child if it still compiles."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()

    def _run(self) -> None:
        self._compile_in_child()
        # Imported here: numba takes most of a second to load, and liveness must not wait for it.
        from hanami_actors.compute import warm_up

        warm_up()
        self.ready.set()
        logger.info("kernels are ready")
        self._on_ready()

    def _compile_in_child(self) -> None:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(self._cache_dir)}
        command = [sys.executable, "-m", "hanami_actors.compute.warm"]
        try:
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            self._child = subprocess.Popen(command, env=environment)  # noqa: S603 - our own module
        except OSError as error:
            logger.warning("kernels are compiled in the server itself: %s", error)
            return
        code = self._child.wait()
        if code != 0:
            logger.warning("the child that compiles kernels ended with %d; compiling here", code)
