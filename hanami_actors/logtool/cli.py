"""Entry of ``hanami-log``: options of all commands, and what becomes of errors."""

import sys
from pathlib import Path

import click

from hanami_actors.errors import HanamiError
from hanami_actors.logtool.directory_reader import Source
from hanami_actors.logtool.exits import EXIT_HELP, ExitCode, exit_code_of
from hanami_actors.logtool.maintenance_commands import backup, stats, verify
from hanami_actors.logtool.record_commands import export, list_records, show, streams, tail
from hanami_actors.logtool.replay_commands import bisect, replay
from hanami_actors.logtool.state_commands import diff, state

__all__ = ["cli", "main"]


def main() -> int:
    """Run ``hanami-log``; return the exit code, an `ExitCode`.

    Returns
    -------
    int
    """
    try:
        result = cli.main(prog_name="hanami-log", standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HanamiError as error:
        click.echo(f"hanami-log: {error.message}", err=True)
        for note in getattr(error, "__notes__", ()):
            click.echo(f"hanami-log: {note}", err=True)
        return exit_code_of(error)
    except (KeyboardInterrupt, click.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough: hanami-log list | head.
        sys.stderr.close()
        return ExitCode.FINE
    return result if isinstance(result, int) else ExitCode.FINE


@click.group(epilog=EXIT_HELP)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("hanami-data"),
    envvar="HANAMI_DATA_DIR",
    show_default=True,
    help="Data directory of a server, which may run meanwhile, or a copy of one.",
)
@click.pass_context
def cli(context: click.Context, data_dir: Path) -> None:
    """Look at the event log of hanami-server: what happened, when, and what followed from it.

    The data directory is never changed. Every command has --json.
    """
    source = Source(data_dir)
    context.obj = source
    context.call_on_close(source.close)


for _command in (
    *(list_records, show, tail, export, streams),
    *(state, diff, replay, bisect),
    *(verify, stats, backup),
):
    cli.add_command(_command)


if __name__ == "__main__":
    sys.exit(main())
