"""The settings of the server: one table, read from flags, environment, file and defaults."""

from hanami_actors.settings.load import (
    FILE_NAME,
    add_flags,
    defaults,
    load,
    render_markdown,
)
from hanami_actors.settings.setting import Rule, Setting
from hanami_actors.settings.table import SETTINGS, Settings

__all__ = [
    "FILE_NAME",
    "SETTINGS",
    "Rule",
    "Setting",
    "Settings",
    "add_flags",
    "defaults",
    "load",
    "render_markdown",
]
