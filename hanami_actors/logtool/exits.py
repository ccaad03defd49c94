"""What the exit codes of ``hanami-log`` mean, in one table."""

from enum import IntEnum

import click

from hanami_actors.errors import BlobMissingError, HanamiError, NotFoundError, RejectedError

__all__ = ["EXIT_HELP", "ExitCode", "Verdict", "exit_code_of"]


class ExitCode(IntEnum):
    """Exit codes; scripts may rely on them."""

    FINE = 0
    NO = 1
    USAGE = 2
    UNUSABLE = 3
    INTERRUPTED = 130


EXIT_HELP = """\b
Exit codes:
  0  done; what was checked holds, what was compared is equal
  1  the answer is no: something does not hold, differs, or was not found by bisect
  2  wrong usage, or there is no such record, stream, version, task or cluster
  3  the data directory cannot be used: no log, damaged, of a newer version, unreadable, full
  130  interrupted"""


class Verdict(click.exceptions.Exit):
    """Ends the command with the answer "no"; what there is to say has been printed."""

    def __init__(self) -> None:
        super().__init__(ExitCode.NO)


def exit_code_of(error: HanamiError) -> ExitCode:
    """Return the exit code for an error that ends a command."""
    if isinstance(error, NotFoundError | RejectedError):
        return ExitCode.USAGE
    if isinstance(error, BlobMissingError):
        return ExitCode.NO
    return ExitCode.UNUSABLE
