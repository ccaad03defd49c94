"""The session of docs/replay.md: its commands, run one after another, and what they print.

``PYTHONPATH=. python tests/replay/session.py --write`` puts what they print now into the page.
"""

import argparse
import fcntl
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from pathlib import Path
from typing import NamedTuple

from tests.server import KERNEL_CACHE_DIR

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "replay.md"

TIMEOUT_S = 100.0
WIDTH = 100
MARK = "\x1e"
PAGE_PORT = "11418"

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """A command of the page and the output that stands behind it."""

    text: str
    output: str


def read_commands(page: str) -> list[Command]:
    """Return the commands of all blocks: ``$ `` begins one, ``> `` goes on with it."""
    return [command for block in _BLOCK.findall(page) for command in _commands_of(block)]


def with_outputs(page: str, outputs: list[str]) -> str:
    """Return the page with other outputs behind its commands."""
    new = iter(outputs)

    def filled(match: re.Match[str]) -> str:
        texts = []
        for command in _commands_of(match[1]):
            first, *more = command.text.split("\n")
            texts += [f"$ {first}\n", *(f"> {line}".rstrip() + "\n" for line in more), next(new)]
        return "```console\n" + "".join(texts) + "```"

    return _BLOCK.sub(filled, page)


def run(commands: list[Command], directory: Path) -> list[str]:
    """Run commands in one shell, as on a terminal; return what each of them prints.

    The shell is killed with all its children if it takes too long.
    """
    errors = directory / "errors"
    errors.mkdir()
    lines = ["set +m; trap 'kill $SERVER; wait' EXIT"]
    for number, command in enumerate(commands):
        lines += [f"exec 2>{errors}/{number}; printf '{MARK}'", command.text]
    script = "\n".join(lines).replace(PAGE_PORT, str(_free_port()))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    shell = subprocess.Popen(
        ["bash", "-c", script],
        cwd=ROOT,
        env=_environ(directory),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        start_new_session=True,
    )
    os.close(slave)
    killer = threading.Timer(TIMEOUT_S, os.killpg, (shell.pid, signal.SIGKILL))
    killer.start()
    try:
        shown = _read_all(master)
        shell.wait()
    finally:
        killer.cancel()
        os.close(master)
    outputs = shown.replace("\r\n", "\n").replace(str(directory), "/tmp").split(MARK)[1:]
    return [text + _errors(errors / str(number)) for number, text in enumerate(outputs)]


def _commands_of(block: str) -> list[Command]:
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], ""))
        elif line.startswith(">") and found and not found[-1].output:
            found[-1] = Command(f"{found[-1].text}\n{line[2:]}", "")
        else:
            found[-1] = Command(found[-1].text, f"{found[-1].output}{line}\n")
    return found


def _environ(directory: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "USER") if name in os.environ}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TMPDIR": str(directory),
        "TERM": "dumb",
        "HANAMI_KERNEL_CACHE_DIR": str(KERNEL_CACHE_DIR),
    }


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _read_all(descriptor: int) -> str:
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:
        pass  # nobody has the other end any more
    return b"".join(parts).decode(errors="replace")


def _errors(path: Path) -> str:
    """Return what a command said on standard error, without the shell's word about the kill."""
    text = path.read_text() if path.exists() else ""
    return "".join(line for line in text.splitlines(True) if " Killed " not in line)


def main() -> int:
    """Print the session, or put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="Put the output into the page.")
    page = PAGE.read_text(encoding="utf-8")
    is_writing = parser.parse_args().write
    with tempfile.TemporaryDirectory() as directory:
        outputs = run(read_commands(page), Path(directory))
    page = with_outputs(page, outputs)
    if is_writing:
        PAGE.write_text(page, encoding="utf-8")
    else:
        sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
