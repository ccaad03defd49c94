"""The table of compatibility is complete, and its rows are shown by tests that exist."""

import ast
import importlib
import re
from collections.abc import Iterator

import click
import pytest

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_sdk.cli.main import ROOT as COMMANDS
from tests.tidy.sources import ROOT

TEXT = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
NAMED_TESTS = sorted(set(re.findall(r"`([\w/]+\.py::test_\w+)`", TEXT)))
REASONS = TEXT.partition("## Why it is different")[2]

# Modules with functions of the original library.
MODULES = (
    "checkpoint",
    "cluster",
    "dataset",
    "direct_io",
    "hanami_token",
    "hosts",
    "logs",
    "project",
    "request_result",
    "task",
    "user",
)
# Correct spellings that the page explains beside the original ones.
COMMAND_GROUPS_ELSEWHERE = {"completion"}


def rows() -> list[list[str]]:
    """Return the cells of all rows that compare."""
    lines = [line for line in TEXT.split("\n") if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if len(row) == 7 and row[0] != "what"]


@pytest.mark.parametrize("name", NAMED_TESTS)
def test_a_test_that_is_named_exists(name):
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_is_shown_by_a_test():
    assert len(rows()) > 100
    assert [row[0] for row in rows() if not re.fullmatch(r"`[\w/]+\.py::test_\w+`", row[6])] == []


def test_every_row_works_or_says_why_not():
    reasons = set(re.findall(r"^\| (\d+) \| .", REASONS, re.MULTILINE))
    used = set()
    for row in rows():
        for cell in row[1:6]:
            match = re.fullmatch(r"works|-|different \[(\d+)\]", cell)
            assert match, (row[0], cell)
            used |= {match[1]} - {None}
    assert used == reasons


def test_every_endpoint_of_the_original_has_a_row():
    named = " ".join(row[0] for row in rows())
    missing = [
        f"{endpoint.method} {endpoint.path}"
        for endpoint in ENDPOINTS
        if endpoint.in_contract
        and not re.search(rf"`{endpoint.method} {re.escape(endpoint.path)}`", named)
    ]
    assert missing == []


def test_every_function_is_named():
    missing = [
        f"{module}.{name}"
        for module in MODULES
        for name in importlib.import_module(f"hanami_sdk.{module}").__all__
        if f"`{module}.{name}`" not in TEXT
    ]
    assert missing == []


def command_paths(group: click.Group, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        path = f"{prefix} {name}".strip()
        if isinstance(command, click.Group):
            if path not in COMMAND_GROUPS_ELSEWHERE:
                yield from command_paths(command, path)
        else:
            yield path


def test_every_command_is_named():
    assert [path for path in command_paths(COMMANDS) if f"`{path}`" not in TEXT] == []
