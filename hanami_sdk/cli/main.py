"""The program ``hanamictl``.

Importing this loads click and nothing else of weight; each command loads what it needs.
"""

import sys
from collections.abc import Sequence

import click

import hanami_sdk
from hanami_sdk.cli import checkpoint, cluster, dataset, direct, host, logs, project, task, user
from hanami_sdk.cli.command_line import PROGRAM, Flag, Globals, Group
from hanami_sdk.cli.extras import COMPLETION, COMPLETION_VARIABLE, HELP
from hanami_sdk.cli.failures import (
    EXIT_INTERRUPTED,
    CommandFailedError,
    MissingEnvironmentError,
    UsageFaultError,
)

__all__ = ["ROOT", "main"]

EXIT_FAILED = 1
EXIT_NO_ENVIRONMENT = 2


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"{PROGRAM} version {hanami_sdk.__version__}")
        ctx.exit(0)


ROOT = Group(
    PROGRAM,
    summary="Work with a hanami_actors server from the command line",
    commands=[
        project.GROUP,
        user.GROUP,
        dataset.GROUP,
        cluster.GROUP,
        task.GROUP,
        checkpoint.GROUP,
        direct.GROUP,
        host.GROUP,
        logs.GROUP,
        COMPLETION,
        HELP,
    ],
    flags=[
        Flag(
            "--version",
            kind="",
            summary="print the version",
            is_eager=True,
            expose_value=False,
            callback=_show_version,
        )
    ],
)


def _run(arguments: Sequence[str] | None) -> int:
    result = ROOT.main(
        args=None if arguments is None else list(arguments),
        prog_name=PROGRAM,
        complete_var=COMPLETION_VARIABLE,
        standalone_mode=False,
        obj=Globals(),
    )
    return result if isinstance(result, int) else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1, 2 without environment, 130 on Ctrl-C."""
    try:
        return _run(arguments)
    except UsageFaultError as fault:
        click.echo(f"Error: {fault.text}\n{fault.usage}", err=True)
        click.echo(fault.text)
        return EXIT_FAILED
    except CommandFailedError as failure:
        if failure.text:
            click.echo(failure.text)
        if failure.hint:
            click.echo(failure.hint, err=True)
        return failure.status
    except MissingEnvironmentError as error:
        click.echo(str(error), err=True)
        return EXIT_NO_ENVIRONMENT
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        click.echo(error.format_message())
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
