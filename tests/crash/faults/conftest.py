"""A victim of faults, driven from the test."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.faults.shim import Faults, compiled_shim

ROOT = Path(__file__).parents[3]


class DrivenVictim:
    """The child process that appends, stores and reads while faults strike."""

    def __init__(self, data_dir: Path, environ: dict[str, str], *flags: str) -> None:
        self.data_dir = data_dir
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.faults.victim", data_dir, *flags],
            env=os.environ | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._answer()

    def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self._process.kill()
        with self._process:
            pass

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the victim has died"
        answer: dict[str, Any] = json.loads(line)
        return answer


class FaultyVictim(DrivenVictim):
    """One whose system calls fail when the test says so."""

    def __init__(self, data_dir: Path, faults: Faults) -> None:
        super().__init__(data_dir, faults.environ)
        self.faults = faults


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[FaultyVictim]:
    if compiled_shim() is None:
        pytest.skip("there is no C compiler for the shim that makes system calls fail")
    with Faults(tmp_path / "data", tmp_path / "control") as faults:
        driven = FaultyVictim(tmp_path / "data", faults)
        yield driven
        driven.close()
