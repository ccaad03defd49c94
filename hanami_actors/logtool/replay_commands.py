"""Commands that compute: replay to a moment, bisect of a changed answer, recompute for verify."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hanami_actors import settings
from hanami_actors.errors import BadRequestError, NotFoundError
from hanami_actors.eventlog.verify import Finding, Folded
from hanami_actors.logtool.directory_reader import Source
from hanami_actors.logtool.exits import Verdict
from hanami_actors.logtool.output import Output, json_option
from hanami_actors.logtool.plain_values import Plain
from hanami_actors.logtool.progress import Bar
from hanami_actors.ports import SystemClock

if TYPE_CHECKING:
    from hanami_actors.replay.bisect import Answer, Change
    from hanami_actors.replay.probe import Question
    from hanami_actors.replay.replayer import Walker
    from hanami_actors.replay.timeline import Way
    from hanami_actors.types import StreamId

__all__ = ["bisect", "prepare_kernels", "recompute_all", "replay"]

MOMENT_OPTIONS = (
    click.option("--to-version", type=click.IntRange(min=1), help="As recorded at this version."),
    click.option(
        "--to-task",
        metavar="UUID[:CYCLE]",
        help="After so many cycles of a task or direct session; without CYCLE after all of them.",
    ),
)


def _moment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(MOMENT_OPTIONS):
        command = option(command)
    return command


def prepare_kernels() -> None:
    """Use the same compiled kernels as the server of this user."""
    if not os.environ.get("NUMBA_CACHE_DIR"):
        chosen = os.environ.get("HANAMI_KERNEL_CACHE_DIR")
        cache_dir = Path(chosen) if chosen else settings.defaults().kernel_cache_dir
        os.environ["NUMBA_CACHE_DIR"] = str(cache_dir)


@click.command()
@click.argument("cluster")
@_moment_options
@click.option("--dump", type=click.Path(path_type=Path), help="Write all arrays into this .npz.")
@click.option("--from-start", is_flag=True, help="Use no snapshot, run every cycle.")
@json_option
@click.pass_obj
def replay(  # noqa: PLR0913 - one parameter an option
    source: Source,
    cluster: str,
    to_version: int | None,
    to_task: str | None,
    dump: Path | None,
    *,
    from_start: bool,
    as_json: bool,
) -> None:
    """Compute the network of CLUSTER as it was at a moment, by default the newest.

    CLUSTER is a uuid, the beginning of one, or a name. The exit code is 1 if the state has another
    digest than the one that was recorded.
    """
    stream = source.cluster(cluster)
    way = _way(source, stream, to_version, to_task)
    walker = _walker(source, way)
    begin = 0 if from_start else walker.start_from(source.snapshots, before=way.cycle_count)
    seconds = _walk(walker, way.cycle_count)
    recorded = way.stretches[-1].digest if way.stretches else ""
    digest = walker.network.digest()
    computed = way.cycle_count - begin
    moment = walker.moment()
    shown: Plain = {
        "stream": stream,
        "task_uuid": moment.task_uuid,
        "cycle": moment.cycle,
        "cycles_in_all": way.cycle_count,
        "computed_cycles": computed,
        "cycles_per_s": computed / seconds if computed else 0.0,
        "digest": digest,
        "recorded_digest": recorded,
        "metrics": walker.network.metrics(),
    }
    if dump is not None:
        _dump(walker, dump, shown)
        shown["dump"] = str(dump)
    output = Output(as_json=as_json)
    if as_json:
        output.document(shown)
    _print_replay(output, shown)
    if recorded and digest != recorded:
        raise Verdict


def _print_replay(output: Output, shown: Plain) -> None:
    task = shown["task_uuid"]
    where = f"task {task}, cycle {shown['cycle']}" if task else "nothing learned yet"
    output.line(f"{shown['stream']}: {where}", style="bold")
    output.line(
        f"{shown['computed_cycles']} of {shown['cycles_in_all']} cycles computed"
        f" ({shown['cycles_per_s']:,.0f}/s), the rest is from a snapshot"
        if shown["computed_cycles"] < shown["cycles_in_all"]
        else f"{shown['computed_cycles']} cycles computed ({shown['cycles_per_s']:,.0f}/s)"
    )
    output.line(f"digest {shown['digest']}")
    recorded = shown["recorded_digest"]
    if not recorded:
        output.line("no digest was recorded for this moment")
    elif recorded == shown["digest"]:
        output.line("as recorded", style="green")
    else:
        output.line(f"recorded was {recorded}: they differ", style="bold red")
    rows = ([name, f"{value:,}"] for name, value in sorted(shown["metrics"].items()))
    output.table("metrics", ("metric", "value"), rows, numbers=1)
    if "dump" in shown:
        output.line(f"all arrays are in {shown['dump']}")


@click.command()
@click.argument("cluster")
@click.option(
    "--input",
    "path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the question: .json, .npy, or numbers in text with one question a line.",
)
@click.option("--row", default=0, help="Which question of the file.")
@click.option("--request", metavar="TASK_UUID:ROW", help="The question is a row of a request task.")
@click.option(
    "--expect",
    required=True,
    help="What the answer should be: 3 or label=3 (value 3 is the largest), 'label[3]>0.5'.",
)
@click.option("--every", type=click.IntRange(min=1), help="Ask after every N cycles.")
@_moment_options
@json_option
@click.pass_obj
def bisect(  # noqa: PLR0913 - one parameter an option
    source: Source,
    cluster: str,
    path: Path | None,
    row: int,
    request: str | None,
    expect: str,
    every: int | None,
    to_version: int | None,
    to_task: str | None,
    *,
    as_json: bool,
) -> None:
    """Find the cycle after which the answer of CLUSTER to a question changed.

    All training up to the moment is run again. Found is the last cycle that made the answer as
    expected, or made it something else. The exit code is 1 if no cycle did.
    """
    stream = source.cluster(cluster)
    way = _way(source, stream, to_version, to_task)
    walker = _walker(source, way)

    from hanami_actors.replay.bisect import find_last_change, parse_expectation
    from hanami_actors.replay.probe import ask

    outputs = tuple(name for name, _, _ in walker.network.spec.outputs)
    expected = parse_expectation(expect, outputs)
    question = _question(source, stream, walker, path, row, request)
    with Bar("cycles", way.cycle_count) as bar:
        change = find_last_change(
            walker,
            way.cycle_count,
            lambda net: ask(net, question),
            expected,
            bar.reached,
            every=every or 0,
        )
    output = Output(as_json=as_json)
    if change is None:
        walker.walk_to(way.cycle_count)
        is_met = expected.is_met(ask(walker.network, question))
        verdict = "always" if is_met else "never"
        if as_json:
            output.document({"found": False, "is_met": is_met, "cycles_in_all": way.cycle_count})
        output.line(f"the answer was {verdict} as expected over {way.cycle_count} cycles")
        raise Verdict
    _print_change(output, way, change, expect)


def _print_change(output: Output, way: "Way", change: "Change", expect: str) -> None:
    moment = way.moment(change.done)
    step = way.step(change.done)
    task = way.stretches[step.stretch].task
    epoch, row = divmod(moment.cycle - 1, task.cycles_per_epoch)
    if output.as_json:
        output.document(
            {
                "found": True,
                "is_met": change.is_met,
                "stream": way.stretches[step.stretch].stream,
                "task_uuid": moment.task_uuid,
                "task_name": task.name,
                "cycle": moment.cycle,
                "epoch": epoch,
                "row": row,
                "cycles_in_all": way.cycle_count,
                "before": _plain(change.before),
                "after": _plain(change.after),
            }
        )
        return
    what = "became" if change.is_met else "ceased to be"
    output.line(
        f"the answer {what} as expected ({expect}) with cycle {moment.cycle} of {task.kind}"
        f" {task.uuid} '{task.name}': epoch {epoch}, row {row} of its data",
        style="bold",
    )
    names = sorted(change.after)
    rows = (
        [f"{name}[{place}]", _cell(change.before, name, place), _cell(change.after, name, place)]
        for name in names
        for place in range(change.after[name].shape[0])
    )
    output.table("answers", ("value", "before", "after"), rows, numbers=2)
    output.line(
        f"look at it with: hanami-log replay {way.stretches[step.stretch].stream}"
        f" --to-task {task.uuid}:{moment.cycle}"
    )


def recompute_all(
    source: Source, output: Output, folded: Folded, done: dict[str, object]
) -> Iterator[Finding]:
    """Run the training of all clusters again that something living needs; yield what differs."""
    prepare_kernels()
    from hanami_actors.replay.recompute import branches_of, recompute

    streams = sorted(s for s in folded.holdings.reached() if s.startswith("cluster/"))
    ways = [way for stream in streams for way in branches_of(source.log, stream)]
    cycle_count = digest_count = 0
    with Bar("cycles", sum(way.cycle_count for way in ways)) as bar:
        for way in ways:
            result = recompute(
                way,
                source.log,
                source.blobs,
                source.snapshots,
                lambda cycles, before=cycle_count: bar.reached(before + cycles),  # type: ignore[misc]
            )
            cycle_count += result.cycle_count
            digest_count += result.digest_count
            yield from result.findings
    done.update(cycles=cycle_count, digests=digest_count)
    output.line(f"{cycle_count} cycles were computed again and {digest_count} digests compared")


def _way(source: Source, stream: "StreamId", to_version: int | None, to_task: str | None) -> "Way":
    prepare_kernels()
    from hanami_actors.replay.timeline import way_to_task, way_to_version

    if to_task is None:
        return way_to_version(source.log, stream, to_version)
    if to_version is not None:
        raise BadRequestError("--to-version and --to-task exclude each other")
    uuid, _, cycle = to_task.partition(":")
    if cycle and not cycle.isdecimal():
        raise BadRequestError(f"'{to_task}' is no UUID[:CYCLE]; a cycle is a number from 0 on")
    return way_to_task(source.log, stream, uuid, int(cycle) if cycle else None)


def _walker(source: Source, way: "Way") -> "Walker":
    from hanami_actors.replay.replayer import Walker

    return Walker(way, source.blobs, source.log)


def _walk(walker: "Walker", goal: int) -> float:
    """Walk there with a bar; return the seconds it took, without those to load the kernels."""
    from hanami_actors.compute import warm_up

    clock = SystemClock()
    if walker.done < goal:
        warm_up()
    with Bar("cycles", goal) as bar:
        begin_s = clock.monotonic_s()
        walker.walk_to(goal, bar.reached)
        return max(clock.monotonic_s() - begin_s, 1e-9)


def _question(
    source: Source,
    stream: "StreamId",
    walker: "Walker",
    path: Path | None,
    row: int,
    request: str | None,
) -> "Question":
    from hanami_actors.replay.probe import read_question, row_of_task
    from hanami_actors.replay.timeline import read_cluster

    if (path is None) == (request is None):
        raise BadRequestError("give the question with either --input FILE or --request TASK:ROW")
    if path is not None:
        inputs = tuple(name for name, _, _ in walker.network.spec.inputs)
        return read_question(path, inputs, row)
    uuid, _, number = str(request).partition(":")
    if number and not number.isdecimal():
        raise BadRequestError(f"'{request}' is no TASK_UUID:ROW; a row is a number from 0 on")
    for entry in read_cluster(source.log, stream).tasks:
        if entry.task.kind == "request" and entry.task.uuid.startswith(uuid):
            return row_of_task(source.blobs, entry.task, int(number or 0))
    raise NotFoundError(f"{stream} has no request task '{uuid}' in its list")


def _dump(walker: "Walker", path: Path, shown: Plain) -> None:
    import numpy as np

    about = {name: shown[name] for name in ("stream", "task_uuid", "cycle", "digest")}
    if path.exists():
        raise BadRequestError(f"the file {path} exists; name a new one")
    arrays: dict[str, Any] = {**about, **walker.network.image().state}
    np.savez_compressed(path, **arrays)


def _plain(answer: "Answer") -> Plain:
    return {name: [float(value) for value in values] for name, values in answer.items()}


def _cell(answer: "Answer", name: str, place: int) -> str:
    values = answer[name]
    return f"{values[place]:.6f}" if place < values.shape[0] else "-"
