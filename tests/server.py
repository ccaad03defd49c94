"""The real server as a child process: for tests that use real sockets, the demo and the benchmarks."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

__all__ = ["ADMIN_ID", "ADMIN_PASSPHRASE", "KERNEL_CACHE_DIR", "ServerFailedError", "ServerProcess"]

ADMIN_ID = "asdf"
ADMIN_PASSPHRASE = "asdfasdf"

# One directory for all test servers and for kernels in tests: they compile once.
KERNEL_CACHE_DIR = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(sys.prefix, "kernel-cache"))

START_TIMEOUT_S = 110.0  # within the limit of one test
STOP_TIMEOUT_S = 30.0
POLL_S = 0.05

READY_PATH = "/v1/health/ready"

_LISTENING = re.compile(r"listening on (https?://\S+:(\d+))")

# Becomes the given command, which dies with the test run, even if that is killed and runs no
# finalizer (PR_SET_PDEATHSIG = 1, SIGKILL = 9; both survive the exec).
_TIED_TO_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
)


class ServerFailedError(Exception):
    """The server did not do what was waited for; the text ends with its log."""


class ServerProcess:
    """A server on a free loopback port; the port stays the same when it is started again.

    ``data_dir`` need not exist. ``flags`` are added to the command line, ``environ`` to the
    environment. The first administrator is `ADMIN_ID` with `ADMIN_PASSPHRASE`.
    """

    def __init__(
        self,
        data_dir: Path,
        *flags: str,
        environ: Mapping[str, str] | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self.data_dir = data_dir
        self.flags = flags
        self._start_timeout_s = start_timeout_s
        self.environ = dict(environ or {})
        self.address = ""
        self._port = "0"
        self._lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._changed = threading.Condition()
        self._at_end = True

    @property
    def log(self) -> str:
        """Everything printed so far, over all starts, without the questions whether it is ready."""
        with self._changed:
            return "".join(line for line in self._lines if READY_PATH not in line)

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was never started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait_until_ready: bool = True) -> "ServerProcess":
        """Start it, wait until it listens and, unless told otherwise, until it is ready."""
        assert not self.is_running, "the server is running already"
        mark = len(self._lines)
        self._at_end = False
        self._process = subprocess.Popen(
            self._command(),
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self._wait_for_address(mark)
        if wait_until_ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """Wait until ``GET /v1/health/ready`` answers 200."""
        end_s = time.monotonic() + self._start_timeout_s
        # The certificates of tests are self-signed.
        timeout_s = self._start_timeout_s
        with httpx.Client(base_url=self.address, timeout=timeout_s, verify=False) as client:
            while time.monotonic() < end_s:
                if client.get(READY_PATH).status_code == 200:
                    return
                with self._changed:
                    if self._changed.wait_for(lambda: self._at_end, POLL_S):
                        break
        raise ServerFailedError(f"the server did not become ready\n{self.log}")

    def wait_for_line(self, text: str, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Wait until the server has printed ``text``, in any of its starts."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._has(text) or self._at_end, timeout_s)
            assert found, f"the server did not print {text!r}"
            assert self._has(text), f"the server ended without printing {text!r}"

    def request(
        self, method: str, path: str, *, token: str = "", **kwargs: object
    ) -> httpx.Response:
        """Send one request on a connection of its own."""
        headers = {"X-Auth-Token": token} if token else {}
        with httpx.Client(
            base_url=self.address, headers=headers, timeout=60, verify=False
        ) as client:
            return client.request(method, path, **kwargs)  # type: ignore[arg-type]

    def token(self, user_id: str = ADMIN_ID, passphrase: str = ADMIN_PASSPHRASE) -> str:
        """Log in."""
        body = {"id": user_id, "password": passphrase}
        answer = self.request("POST", "/v1.0alpha/token", json=body)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return str(answer.json()["token"])

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        self._signal(signal.SIGKILL)
        self._wait_for_end()

    def terminate(self) -> int:
        """SIGTERM; return the exit status once everything in flight is done."""
        self._signal(signal.SIGTERM)
        return self._wait_for_end()

    def stop(self) -> None:
        """End it in an orderly way; whatever is left after that is killed."""
        try:
            if self.is_running:
                self.terminate()
        finally:
            self.close()

    def close(self) -> None:
        """Kill it and whatever it started, if it still runs."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):  # all of them may be gone
            os.killpg(self._process.pid, signal.SIGKILL)
        self._wait_for_end()

    def _command(self) -> list[str]:
        server = [sys.executable, "-m", "hanami_actors.main"]
        flags = ["--data-dir", str(self.data_dir), "--port", self._port, *self.flags]
        return [sys.executable, "-I", "-S", "-c", _TIED_TO_PARENT, *server, *flags]

    def _environ(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("HANAMI_")
        }
        return inherited | {
            "HANAMI_ADMIN_USER_ID": ADMIN_ID,
            "HANAMI_ADMIN_USER_NAME": "Admin",
            "HANAMI_ADMIN_PASSPHRASE": ADMIN_PASSPHRASE,
            "HANAMI_KERNEL_CACHE_DIR": str(KERNEL_CACHE_DIR),
            "PYTHONUNBUFFERED": "1",
            **self.environ,
        }

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server was never started"
        self._process.send_signal(number)

    def _wait_for_end(self) -> int:
        assert self._process is not None
        status = self._process.wait(STOP_TIMEOUT_S)
        assert self._reader is not None
        self._reader.join(STOP_TIMEOUT_S)
        return status

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        process.stdout.close()
        with self._changed:
            self._at_end = True
            self._changed.notify_all()

    def _has(self, text: str) -> bool:
        return any(text in line for line in self._lines)

    def _wait_for_address(self, mark: int) -> None:
        def found() -> "re.Match[str] | None":
            return _LISTENING.search("".join(self._lines[mark:]))

        with self._changed:
            self._changed.wait_for(lambda: found() or self._at_end, self._start_timeout_s)
            match = found()
        if match is None:
            self.close()
            raise ServerFailedError(f"the server did not start\n{self.log}")
        self.address, self._port = match[1], match[2]
