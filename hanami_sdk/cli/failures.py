"""How a command ends when it does not succeed."""

__all__ = ["EXIT_INTERRUPTED", "CommandFailedError", "MissingEnvironmentError", "UsageFaultError"]

EXIT_INTERRUPTED = 130


class CommandFailedError(Exception):
    """The command line was right, the work was not done; exit status 1.

    Parameters
    ----------
    text : str
        For stdout.
    hint : str
        For stderr, where it helps a person and disturbs no program.
    status : int
        The exit status.
    """

    def __init__(self, text: str, *, hint: str = "", status: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.status = status


class UsageFaultError(Exception):
    """The command line is wrong; exit status 1.

    Parameters
    ----------
    text : str
        What is wrong, for stdout and, after ``Error:``, for stderr.
    usage : str
        How it should be, for stderr.
    """

    def __init__(self, text: str, usage: str) -> None:
        super().__init__(text)
        self.text = text
        self.usage = usage


class MissingEnvironmentError(Exception):
    """The environment does not say which server or who; exit status 2."""
