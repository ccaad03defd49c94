"""Run hanamictl in this process against the stub server."""

from typing import NamedTuple

import pytest

from hanami_sdk.cli.main import main
from tests.unit.sdk.stub_server import TOKEN


class Outcome(NamedTuple):
    """What a shell sees of a command."""

    status: int
    out: str
    err: str


@pytest.fixture
def environment(monkeypatch):
    """No setting of the person who runs the tests gets in; returns a function to set some."""
    for name in (
        "HANAMI_ADDRESS",
        "HANAMI_USER",
        "HANAMI_PASSPHRASE",
        "HANAMI_PW",
        "HANAMI_PROJECT",
        "HANAMI_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)

    def set_environment(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"HANAMI_{name}", value)

    return set_environment


@pytest.fixture
def hanamictl(environment, capfd):
    """Run one command line."""

    def run(*arguments: str) -> Outcome:
        capfd.readouterr()
        status = main(arguments)
        captured = capfd.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def server(stub, environment):
    """A server that lets the user log in; returns its script."""
    environment(ADDRESS=stub.address, USER="asdf", PASSPHRASE="asdfasdf")
    stub.script.answer("POST", "token", {"token": TOKEN, "id": "asdf"})
    return stub.script
