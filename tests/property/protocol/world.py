"""The server under test and the rules that every answer of it keeps."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tests.property.protocol.log_watch import LogWatch
from tests.property.protocol.model import Token
from tests.server import ServerProcess

__all__ = ["World"]

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HANAMI_LOG = "import sys; from hanami_actors.logtool.cli import main; sys.exit(main())"


class World:
    """One server kept warm over many examples, with a client and a reader of its log."""

    def __init__(self, data_dir: Path, *flags: str) -> None:
        # Failures are counted by address, and every user of every example has the same.
        self.server = ServerProcess(data_dir, "--login-failures-max", "0", *flags).start()
        self.hosts: list[str] = []
        self.log = LogWatch(self.server.data_dir)
        self.client = self._new_client()
        self.example_count = 0
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.kill_count = 0

    @property
    def port(self) -> int:
        return int(self.server.address.rpartition(":")[2])

    def call(
        self, method: str, path: str, expected: int | set[int], *, token: str = "", **kwargs: Any
    ) -> httpx.Response:
        """Send a request; check its status and everything that holds of every answer."""
        headers = kwargs.pop("headers", {}) | ({"X-Auth-Token": token} if token else {})
        # As the contract's clients do it: a plus is a plus.
        query = urlencode(kwargs.pop("params", {}), quote_via=quote)
        address = f"/v1.0alpha/{path}?{query}" if query else f"/v1.0alpha/{path}"
        answer = self.client.request(method, address, headers=headers, **kwargs)
        self.answers[method, path, answer.status_code] += 1
        wanted = {expected} if isinstance(expected, int) else expected
        assert answer.status_code in wanted, (method, address, kwargs, wanted, answer.text)
        request_id = answer.headers["X-Request-Id"]
        assert REQUEST_ID.fullmatch(request_id)
        assert "Traceback" not in answer.text
        if answer.status_code == 200:
            assert answer.headers["Content-Type"] == "text/json"
        else:
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.text.strip()
            self.log.refused.add(request_id)
        self.log.advance()
        return answer

    def call_as(
        self, token: Token, method: str, path: str, expected: int | set[int], **kwargs: Any
    ) -> httpx.Response:
        """Send a request of a user; 401 is expected whenever his token does not count."""
        if not token.is_valid or token.role not in {"admin", "member"}:
            expected = 401
        return self.call(method, path, expected, token=token.text, **kwargs)

    def kill(self) -> None:
        """SIGKILL and start again on the same directory and port."""
        self.kill_count += 1
        self.server.kill()
        self.client.close()
        # Ready means that kernels are there too, so tasks go on.
        self.server.start()
        self.client = self._new_client()
        self.log.reopen()
        self.log.advance()

    def verify(self) -> None:
        """Have ``hanami-log`` check the directory of the running server."""
        command = [sys.executable, "-c", HANAMI_LOG, "--data-dir", str(self.server.data_dir)]
        checked = subprocess.run(
            [*command, "verify"], capture_output=True, text=True, timeout=100, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr

    def close(self) -> None:
        """Stop; the server must have nothing to complain about."""
        try:
            self.log.close()
            self.client.close()
            status = self.server.terminate() if self.server.is_running else 0
            assert status == 0
            assert "Traceback" not in self.server.log, self.server.log
        finally:
            self.server.close()

    def _new_client(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.address, timeout=60)
