"""Progress bars on stderr, only when a person is looking."""

import sys
from contextlib import AbstractContextManager, nullcontext

from hanami_sdk import _progress
from hanami_sdk._progress import Report
from hanami_sdk.cli.command_line import Globals

__all__ = ["Report", "cycles_bar", "person_is_looking", "upload_bar"]


def person_is_looking(settings: Globals) -> bool:
    """Tell whether both outputs are terminals and nobody asked for JSON."""
    return sys.stderr.isatty() and sys.stdout.isatty() and not settings.json_output


def upload_bar(settings: Globals, text: str) -> AbstractContextManager[Report | None]:
    """Show bytes, speed and remaining time; without a person there is nothing to report to."""
    return _progress.bytes_bar(text) if person_is_looking(settings) else nullcontext()


def cycles_bar(settings: Globals, text: str) -> AbstractContextManager[Report | None]:
    """Show cycles and remaining time; without a person there is nothing to report to."""
    return _progress.cycles_bar(text) if person_is_looking(settings) else nullcontext()
