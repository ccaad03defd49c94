"""The page about clusters: its requests run one after another, and its other names exist."""

import base64
import json
import re
from pathlib import Path

import click
import pytest

from hanami_sdk import Client
from hanami_sdk.cli.main import ROOT as COMMANDS
from tests.journey import TEMPLATE, write_idx
from tests.protocol.direct_user import User

TEXT = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```http\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
EXCHANGES = re.findall(r"^([A-Z]+) (\S+) ?(.*)\n(?:  -> (.*)\n)?", "".join(BLOCKS), re.MULTILINE)
NAMES = re.findall(r"^\| `[^|]*\| ([^|]*) \| ([^|]*) \|$", TEXT, re.MULTILINE)
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b(?!\")")


class Reader(User):
    """Somebody who types the requests of the page and puts in what the answers named."""

    def __init__(self, server, directory):
        super().__init__(server)
        template = base64.b64encode(TEMPLATE.format(seed=3).encode()).decode()
        data = self.upload(*write_idx(directory, 60))
        self.known = {"DATASET": data, "TEMPLATE": template}

    def send(self, method, path, body):
        path = PLACEHOLDER.sub(lambda found: self.known[found[0]], path)
        body = PLACEHOLDER.sub(lambda found: json.dumps(self.known[found[0]]), body)
        answer = self.server.request(
            method, path, token=self.token, **({"content": body} if body else {})
        )
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()

    def expect(self, method, path, body, shown):
        """Send a request; a GET of a task is repeated until it has ended."""
        answer = self.send(method, path, body)
        if "finished" in shown:
            cluster = PLACEHOLDER.findall(path)[1]
            task = PLACEHOLDER.findall(path)[0]
            answer = self.finished(self.known[task], self.known[cluster])
        if shown == "HOST":
            self.known["HOST"] = answer["body"][0][0]
        elif shown:
            self._keep(answer, shown)

    def _keep(self, answer, shown):
        for name, placeholder in re.findall(r'"(\w+)": ([A-Z]+)\b', shown):
            self.known[placeholder] = answer[name]
        expected = json.loads(re.sub(r": ([A-Z]+)\b", r': "\1"', shown))
        for name, value in expected.items():
            assert answer[name] == self.known.get(str(value), value), (name, answer)


def test_the_requests_of_the_page_run_from_the_first_to_the_last(make_server, tmp_path):
    reader = Reader(make_server("--cpu-hosts", "2"), tmp_path)
    for method, path, body, shown in EXCHANGES:
        reader.expect(method, path, body, shown)
    assert len(EXCHANGES) >= 25
    names = {row[-1] for row in reader.call("GET", "cluster/all")["body"]}
    assert {"better digits", "plain", "copy of a runner", "from the checkpoint"} <= names


def command_exists(path):
    command: click.Command = COMMANDS
    for word in path.split():
        if not isinstance(command, click.Group) or word not in command.commands:
            return False
        command = command.commands[word]
    return True


@pytest.mark.parametrize(("commands", "methods"), NAMES)
def test_the_commands_and_methods_of_the_page_exist(commands, methods):
    for path in re.findall(r"`([^`]+)`", commands):
        assert command_exists(path), path
    with Client("http://127.0.0.1:1", "asdf", "asdfasdf") as client:
        for name in re.findall(r"`([^`]+)`", methods):
            found = client
            for part in name.split("."):
                found = getattr(found, part)
            assert callable(found)


def test_the_table_of_names_was_read():
    assert len(NAMES) == 10
