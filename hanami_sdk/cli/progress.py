"""Progress bars on stderr, only when a person is looking."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hanami_sdk import _progress
from hanami_sdk._progress import Report
from hanami_sdk.cli.command_line import Globals

__all__ = ["Report", "cycles_bar", "person_is_looking", "upload_bar"]


def person_is_looking(settings: Globals) -> bool:
    """Tell whether both outputs are terminals and nobody asked for JSON."""
    return sys.stderr.isatty() and sys.stdout.isatty() and not settings.json_output


@contextmanager
def upload_bar(settings: Globals, text: str) -> Iterator[Report | None]:
    """Show bytes, speed and remaining time; without a person there is nothing to report to."""
    if not person_is_looking(settings):
        yield None
        return
    with _progress.bytes_bar(text) as report:
        yield report


@contextmanager
def cycles_bar(settings: Globals, text: str) -> Iterator[Report | None]:
    """Show cycles and remaining time; without a person there is nothing to report to."""
    if not person_is_looking(settings):
        yield None
        return
    with _progress.cycles_bar(text) as report:
        yield report
