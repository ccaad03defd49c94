"""The pages about security and testing name tests that exist, and every limit that is a setting."""

import ast
import functools
import re

import pytest

from hanami_actors.settings import SETTINGS
from tests.tidy.sources import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TESTING = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
NAMED_TESTS = sorted(set(re.findall(r"`([\w/]+\.py::test_\w+)`", TEXT + TESTING)))
NOT_ABOUT_CLIENTS = {"websocket_ping_interval_s", "upload_expiry_s"}


@functools.cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("name", NAMED_TESTS)
def test_a_test_that_is_named_exists(name):
    path, _, function = name.partition("::")
    assert function in functions_of(path)


def test_every_threat_is_shown_by_a_test():
    rows = [line for line in TEXT.split("\n## Threats")[1].split("\n") if line.startswith("| ")]
    threats = [row for row in rows if not row.startswith("| threat")]
    assert len(threats) > 40
    without = [row for row in threats if not re.search(r"\| `[\w/]+\.py::test_\w+`", row)]
    assert without == []


def test_every_limit_is_named():
    limits = {setting.name for setting in SETTINGS if setting.rule.is_limit} - NOT_ABOUT_CLIENTS
    assert sorted(name for name in limits if f"`{name}`" not in TEXT) == []
