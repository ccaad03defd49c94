"""The settings of a client in the environment; the names are those of hanamictl."""

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["from_environment"]


def from_environment(variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the arguments for a client.

    Raises
    ------
    KeyError
        When something is missing; the text names the variable.
    """
    found: dict[str, Any] = {"address": _required(variables, "HANAMI_ADDRESS")}
    if variables.get("HANAMI_PROJECT"):
        found["project_id"] = variables["HANAMI_PROJECT"]
    if variables.get("HANAMI_TOKEN"):
        return found | {"token": variables["HANAMI_TOKEN"]}
    found["user_id"] = _required(variables, "HANAMI_USER")
    found["passphrase"] = _required(variables, "HANAMI_PASSPHRASE", "HANAMI_PW")
    return found


def _required(variables: Mapping[str, str], *names: str) -> str:
    for name in names:
        if variables.get(name):
            return variables[name]
    raise KeyError(f"the environment variable {names[0]} is not set")
