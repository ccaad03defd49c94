"""A question to a network: where its values come from, and asking it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hanami_actors.compute import Network
from hanami_actors.domain.cluster.events import Task
from hanami_actors.errors import BadRequestError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.replay.bisect import Answer
from hanami_actors.replay.segment_data import open_bindings

__all__ = ["Question", "ask", "read_question", "row_of_task"]

Question = Mapping[str, NDArray[np.float32]]
"""Values by the name of the input."""


def ask(network: Network, question: Question) -> Answer:
    """Return the answer of a network as it is; empty outputs while it has no sizes.

    Potentials and resting times of earlier questions are forgotten first.
    """
    names = [name for name, _, _ in network.spec.outputs]
    if any(network.input_width(name) < values.shape[0] for name, values in question.items()):
        return {name: np.zeros(0, np.float32) for name in names}
    network.reset_transients("request")
    return network.request_one(question)


def row_of_task(blobs: BlobStore, task: Task, row: int) -> Question:
    """Return what a request task asked in one of its rows.

    Raises
    ------
    BadRequestError
        It has no such row.
    BlobMissingError
        Its data is gone.
    """
    if not 0 <= row < task.cycle_count:
        raise BadRequestError(f"task {task.uuid} has rows 0 to {task.cycle_count - 1}, not {row}")
    return {
        name: matrix[row : row + task.time_length].astype(np.float32).reshape(-1)
        for name, matrix in open_bindings(blobs, task.inputs)
    }


def read_question(path: Path, inputs: tuple[str, ...], row: int = 0) -> Question:
    """Read the values of a question from a file.

    Parameters
    ----------
    path : Path
        ``.json``: an object with a list of numbers per input, or one list; ``.npy``: an array;
        anything else: numbers in text, one question a line.
    inputs : tuple of str
        Names that the network has; a plain list is for the only one.
    row : int
        Which one, if the file holds several.

    Raises
    ------
    BadRequestError
        It cannot be read, or does not fit.
    """
    try:
        named = _load(path, row)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise BadRequestError(f"row {row} of {path} cannot be read: {error}") from error
    if not isinstance(named, dict):
        if len(inputs) != 1:
            raise BadRequestError(
                f"{path} names no input; the network has {', '.join(inputs)}: use a .json file with"
                " an object"
            )
        named = {inputs[0]: named}
    unknown = sorted(set(named) - set(inputs))
    if unknown:
        raise BadRequestError(f"{path} names {unknown[0]!r}; inputs are {', '.join(inputs)}")
    return named


def _load(path: Path, row: int) -> Any:
    if path.suffix == ".json":
        loaded = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(loaded, dict):
            return {name: _vector(values) for name, values in loaded.items()}
        return _vector(loaded)
    if path.suffix == ".npy":
        array = np.load(path, allow_pickle=False)
    else:
        text = path.read_text(encoding="utf-8").replace(",", " ").replace(";", " ")
        array = [
            [float(word) for word in line.split()] for line in text.splitlines() if line.strip()
        ]
    return _vector(array if np.ndim(array[0]) == 0 else array[row])


def _vector(values: Any) -> NDArray[np.float32]:
    vector = np.asarray(values, dtype=np.float32).reshape(-1)
    if vector.shape[0] == 0:
        raise ValueError("it holds no numbers")
    return vector
