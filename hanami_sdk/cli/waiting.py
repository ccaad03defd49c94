"""Wait for the end of a task."""

import time
from typing import Any

from hanami_sdk.cli.command_line import PROGRAM
from hanami_sdk.cli.failures import CommandFailedError
from hanami_sdk.cli.progress import cycles_bar
from hanami_sdk.cli.session import Session

__all__ = ["ENDED_BADLY", "wait_for_task"]

ENDED_BADLY = frozenset({"failed", "aborted"})
ENDED = ENDED_BADLY | {"finished"}

# Short tasks end soon, long ones are asked about less often.
POLL_FIRST_S = 0.05
POLL_MAX_S = 0.5
POLL_GROWTH = 1.3

EXIT_INTERRUPTED = 130


def wait_for_task(session: Session, task_uuid: str, cluster_uuid: str) -> dict[str, Any]:
    """Ask for a task until it has ended; return it.

    Raises
    ------
    CommandFailedError
        On Ctrl-C, which leaves the task running, and for every failed call.
    """
    try:
        with cycles_bar(session.settings, "task") as report:
            pause_s = POLL_FIRST_S
            while True:
                task = _current(session, task_uuid, cluster_uuid)
                if report is not None:
                    report(task["current_cycle"], task["total_number_of_cycles"])
                if task["state"] in ENDED:
                    return task
                time.sleep(pause_s)
                pause_s = min(pause_s * POLL_GROWTH, POLL_MAX_S)
    except KeyboardInterrupt:
        raise CommandFailedError(
            "",
            hint=f"the task goes on; see `{PROGRAM} task get -c {cluster_uuid} {task_uuid}`,"
            f" stop it with `{PROGRAM} task delete -c {cluster_uuid} {task_uuid}`",
            status=EXIT_INTERRUPTED,
        ) from None


def _current(session: Session, task_uuid: str, cluster_uuid: str) -> dict[str, Any]:
    """Ask once; a token that has run out meanwhile is renewed."""
    from hanami_sdk import task
    from hanami_sdk.hanami_exceptions import UnauthorizedException

    try:
        return session.ask(task.get_task, task_uuid, cluster_uuid)
    except CommandFailedError as failure:
        is_refused = isinstance(failure.__cause__, UnauthorizedException)
        if not (is_refused and session.has_passphrase):
            raise
    session.log_in()
    return session.ask(task.get_task, task_uuid, cluster_uuid)
