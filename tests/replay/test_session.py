"""docs/replay.md: its commands are run and print what the page says."""

import re

from tests.replay.session import PAGE, read_commands, run

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?")
SPEED = re.compile(r"\([\d,]+/s\)")
NUMBER = re.compile(r"\d[\d,.]*(?:e-?\d+)?")
FRAME = re.compile(r"[\s─━-]+")

EXACT = ("dataset content", "dataset check", "bisect", "replay")
"""Commands whose numbers are the same in every run."""


def plain(command, text):
    """Take out what differs from run to run."""
    text = SPEED.sub("(N/s)", TIME.sub("<time>", UUID.sub("<uuid>", text)))
    text = re.sub(r"/\S+/before.npz", "before.npz", text)
    # Records are cut at the width of the screen, wherever that is.
    text = re.sub(r"\{[^\n]*…", "{…", text)
    if not any(words in command for words in EXACT):
        text = NUMBER.sub("N", DIGEST.sub("<digest>", text))
    return FRAME.sub(" ", text).strip()


def test_the_session_of_the_page_prints_what_the_page_says(tmp_path):
    commands = read_commands(PAGE.read_text(encoding="utf-8"))
    outputs = run(commands, tmp_path)
    shown = dict(zip((command.text for command in commands), outputs, strict=False))
    log = (tmp_path / "errors").parent.rglob("server.log")
    assert len(outputs) == len(commands), (outputs[-1], [path.read_text() for path in log])
    for command, output in zip(commands, outputs, strict=True):
        assert plain(command.text, output) == plain(command.text, command.output), command.text
    (verified,) = (text for command, text in shown.items() if "--recompute" in command)
    assert "42000 cycles were computed again" in verified
    (killed,) = (text for command, text in shown.items() if "learn.py $TRAIN" in command)
    assert 15_540 <= int(killed.split()[-1]) < 42_000
