"""What the environment says: which server, which user."""

from collections.abc import Mapping
from typing import NamedTuple

from hanami_sdk.cli.failures import MissingEnvironmentError

__all__ = ["ENVIRONMENT_HELP", "Environment", "read_environment"]

ENVIRONMENT_HELP = """\
Environment:
  HANAMI_ADDRESS      address of the server, for instance http://127.0.0.1:11418
  HANAMI_USER         id of the user
  HANAMI_PASSPHRASE   passphrase of the user (HANAMI_PW is accepted, too)
  HANAMI_PROJECT      project to work in, if it is not the first one of the user
  HANAMI_TOKEN        a token, used instead of user and passphrase"""


class Environment(NamedTuple):
    """The settings every command needs; with a token, user and passphrase may be empty."""

    address: str
    user: str
    passphrase: str
    project: str
    token: str


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read the settings.

    Raises
    ------
    MissingEnvironmentError
        For the first one that is missing or empty: user, passphrase, address.
    """
    token = variables.get("HANAMI_TOKEN", "")
    user = passphrase = ""
    if not token:
        user = _first_set(variables, "HANAMI_USER")
        passphrase = _first_set(variables, "HANAMI_PASSPHRASE", "HANAMI_PW")
    address = _first_set(variables, "HANAMI_ADDRESS").rstrip("/")
    project = variables.get("HANAMI_PROJECT", "")
    return Environment(address, user, passphrase, project, token)


def _first_set(variables: Mapping[str, str], *names: str) -> str:
    for name in names:
        if variables.get(name):
            return variables[name]
    raise MissingEnvironmentError(f"{names[0]} is not set\n\n{ENVIRONMENT_HELP}")
