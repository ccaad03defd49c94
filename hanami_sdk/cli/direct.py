"""``hanamictl direct``: train and ask a cluster without datasets and tasks."""

from typing import TYPE_CHECKING

import click

from hanami_sdk.cli.command_line import Command, Flag, Group
from hanami_sdk.cli.samples import SAMPLES_HELP, read_samples, sample_count
from hanami_sdk.cli.session import open_session
from hanami_sdk.cli.show import show_content, show_object

if TYPE_CHECKING:
    from hanami_sdk import Client

__all__ = ["GROUP"]


def _train(
    ctx: click.Context,
    uuid: str,
    *,
    input_values: tuple[str, ...],
    output_values: tuple[str, ...],
    epochs: int,
) -> None:
    session = open_session(ctx)
    inputs, outputs = read_samples(input_values), read_samples(output_values)
    count = sample_count(inputs, outputs)

    def work(client: "Client") -> int:
        with client.direct(uuid) as direct:
            for _ in range(epochs):
                direct.train_many(inputs, outputs)
            return direct.steps_accepted

    steps = session.use(work)
    result = {"uuid": uuid, "number_of_samples": count, "trained_steps": steps}
    show_object(session, result, tuple(result))


def _request(ctx: click.Context, uuid: str, *, input_values: tuple[str, ...]) -> None:
    session = open_session(ctx)
    inputs = read_samples(input_values)
    sample_count(inputs)

    def work(client: "Client") -> list[list[float]]:
        with client.direct(uuid, switch_mode=False) as direct:
            rows = direct.request_many(inputs)
        return [[float(value) for value in row] for row in rows]

    show_content(session, {"data": session.use(work)}, 0)


def _input_flag() -> Flag:
    return Flag(
        "input_values", "-i", "--input", kind="strings", summary=SAMPLES_HELP, mandatory=True
    )


GROUP = Group(
    "direct",
    summary="Train and ask a cluster with values, without datasets and tasks",
    commands=[
        Command(
            "train",
            _train,
            summary="Train a cluster with values; its task queue must be empty",
            argument="CLUSTER_UUID",
            flags=[
                _input_flag(),
                Flag(
                    "output_values",
                    "-o",
                    "--output",
                    kind="strings",
                    summary="the same for the expected values of the outputs",
                    mandatory=True,
                ),
                Flag(
                    "--epochs",
                    kind="int",
                    default=1,
                    summary="how often all samples are trained",
                ),
            ],
        ),
        Command(
            "request",
            _request,
            summary="Ask a cluster; every row of the table is the answer to one sample",
            argument="CLUSTER_UUID",
            flags=[_input_flag()],
        ),
    ],
)
