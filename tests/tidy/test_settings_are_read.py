"""Every setting does something: whoever is told to set it is not told in vain."""

import ast
import functools

from hanami_actors.settings import SETTINGS
from tests.tidy.sources import ROOT

SETTINGS_PACKAGE = ROOT / "hanami_actors" / "settings"
HOLDERS = {"settings", "_settings"}
"""Names of what holds the settings; ``port`` of anything else is no setting."""


@functools.cache
def names_read() -> frozenset[str]:
    names = set()
    for path in (ROOT / "hanami_actors").rglob("*.py"):
        if SETTINGS_PACKAGE in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(
                    value=ast.Name(id=holder) | ast.Attribute(attr=holder), attr=name
                ) if holder in HOLDERS:
                    names.add(name)
    return frozenset(names)


def test_every_setting_is_read_outside_the_package_of_settings():
    assert [setting.name for setting in SETTINGS if setting.name not in names_read()] == []
