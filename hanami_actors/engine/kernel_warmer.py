"""Compiled kernels at start-up: made once per machine in a child process, loaded in the background."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from hanami_actors.compute.cache import is_warm
from hanami_actors.errors import BusyError
from hanami_actors.runtime.error_boundary import Boundary

__all__ = ["KernelWarmer"]

logger = logging.getLogger(__name__)

# Ctrl-C in a terminal reaches the whole group; the server alone answers it and ends the child.
CHILD = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN);"
    " from hanami_actors.compute.warm import main; main()"
)


class KernelWarmer:
    """Brings the kernels up without holding the server up.

    Compiling takes many seconds and hundreds of MB, so a child process does it and leaves the
    result in the cache, unless it is there; this process only loads it. A cache that cannot be written is no failure:
    the kernels are then compiled here, once per start.

    Parameters
    ----------
    cache_dir : Path
        Where numba keeps compiled kernels.
    on_ready : callable
        Called in the warmer's thread once kernels can run.
    on_failure : callable
        Called there with a sentence when they never will.

    Attributes
    ----------
    ready : threading.Event
        Set when kernels can run.
    failure : str
        Why they never will, empty otherwise.
    """

    def __init__(
        self, cache_dir: Path, on_ready: Callable[[], object], on_failure: Callable[[str], object]
    ) -> None:
        self._cache_dir = cache_dir
        self._on_ready = on_ready
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self.ready = threading.Event()
        self.failure = ""

    def start(self) -> None:
        """Begin in the background."""
        threading.Thread(target=self._run, name="kernel-warmer", daemon=True).start()

    def stop(self) -> None:
        """End the child if it still compiles; nothing is compiled from here on."""
        with self._lock:
            self._is_stopped = True
            child = self._child
        if child is not None and child.poll() is None:
            child.terminate()

    def is_ready(self) -> bool:
        """Return whether kernels can run.

        Raises
        ------
        BusyError
            They never will; the text says why.
        """
        if self.failure:
            raise BusyError(self.failure)
        return self.ready.is_set()

    def _run(self) -> None:
        with Boundary("loading the kernels") as attempt:
            self._warm_up()
        if attempt.error is not None:
            error = attempt.error
            self.failure = (
                f"the kernels cannot be loaded ({type(error).__name__}: {error}); tasks wait until"
                " the server is started again and can load them, see its log"
            )
            self._on_failure(self.failure)

    def _warm_up(self) -> None:
        if not is_warm(self._cache_dir):
            self._compile_in_child()
        if self._is_stopped:
            return
        # Imported here: numba takes most of a second to load, and liveness must not wait for it.
        from hanami_actors.compute import warm_up

        warm_up()
        self.ready.set()
        logger.info("kernels are ready")
        self._on_ready()

    def _compile_in_child(self) -> None:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(self._cache_dir)}
        try:
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            with self._lock:
                if self._is_stopped:
                    return
                self._child = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-c", CHILD], env=environment
                )
        except OSError as error:
            logger.warning("kernels are compiled in the server itself: %s", error)
            return
        code = self._child.wait()
        if code != 0 and not self._is_stopped:
            logger.warning("the child that compiles kernels ended with %d; compiling here", code)
